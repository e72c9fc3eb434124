//! Descriptors, and where they are.

use hw::fake::Bus;
use realtek::registers as reg;

use super::{Chip, Kind};

/// A descriptor is the device's.
pub(super) const OWN: u64 = 1 << 31;
/// It is its ring's last one.
pub(super) const EOR: u64 = 1 << 30;
/// It is the first one of a frame.
pub(super) const FS: u64 = 1 << 29;
/// It is the last one of a frame.
pub(super) const LS: u64 = 1 << 28;

impl<K: Kind> Chip<K> {
    /// Writes `word` over the first word of entry `entry` of the receive ring, or of the transmit ring, where the entry
    /// is the driver's afterwards.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        if K::scribble(self, bus, receive, entry, word) {
            return;
        }
        let base = self.base(if receive { reg::RDSAR } else { reg::TNPDS });
        let word = if receive { word } else { word & !OWN };
        bus.write(base + (entry % K::RING) as u64 * 16, &word.to_le_bytes());
    }

    /// Where a ring is in memory.
    pub(super) fn base(&self, ring: usize) -> u64 {
        self.get(ring, 4).into()
    }

    /// Where the next descriptor of a ring is in memory: of the receive ring if `which` is 0, of the transmit ring if it is 1.
    pub(super) fn descriptor(&self, ring: usize, which: usize) -> u64 {
        self.base(ring) + self.places[which] * 16
    }

    /// The two words of a descriptor: its command, and its buffer's address.
    pub(super) fn read_descriptor(&mut self, bus: &mut Bus, at: u64) -> (u64, u64) {
        let mut words = [[0; 8]; 2];
        for (index, word) in words.iter_mut().enumerate() {
            let read = bus.read(at + 8 * index as u64, word);
            self.strays += usize::from(!read);
        }
        let [command, address] = words.map(u64::from_le_bytes);
        (command, address)
    }

    /// To the next entry; after the one that ends the ring, to the first.
    pub(super) fn advance(&mut self, which: usize, command: u64) {
        let place = &mut self.places[which];
        *place = if command & EOR != 0 { 0 } else { *place + 1 };
    }
}
