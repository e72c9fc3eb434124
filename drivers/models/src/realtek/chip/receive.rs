//! How a frame from the wire gets into the receive ring.

use hw::fake::Bus;
use nic::frame::is_tagged;
use realtek::registers::{self as reg, Cpcr, Cr, Interrupts};

use super::descriptors::{EOR, FS, LS, OWN};
use super::{Chip, Kind};

/// One of the errors, and the watchdog's: above the length.
const RES: u64 = 1 << 7;
const RWT: u64 = 1 << 8;

impl<K: Kind> Chip<K> {
    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        self.look_for_magic(bus, frame);
        let works = self.link_up && self.command().contains(Cr::RE) && K::receives(self);
        if !works || !self.accepts(frame) || K::take(self, bus, frame) {
            return;
        }
        let (tag, frame) = self.without_tag(frame);
        let bytes = [&frame[..], &[0; 4]].concat();
        let longest = K::longest(self);
        let (bytes, errors) = if bytes.len() > longest {
            (&bytes[..longest], RES | RWT)
        } else {
            (&bytes[..], self.verified(&frame))
        };
        if !self.has_room(bus, bytes.len()) {
            K::missed(self);
            return self.cause(bus, Interrupts::RDU);
        }
        self.store(bus, bytes, bytes.len() as u64 | errors << K::LENGTH_BITS | tag);
        self.cause(bus, Interrupts::ROK);
    }

    /// What it says of the tag of a frame (TAVA, and its bytes as they come), and the frame without that, if it is to
    /// take tags off.
    fn without_tag(&mut self, frame: &[u8]) -> (u64, Vec<u8>) {
        let takes_off = Cpcr::from_bits_retain(self.get(reg::CPCR, 2) as u16).contains(Cpcr::RX_VLAN);
        if !takes_off || !is_tagged(frame) {
            return (0, frame.to_vec());
        }
        self.tags += 1;
        let tag = u64::from(u16::from_le_bytes([frame[14], frame[15]]));
        (1 << 48 | tag << 32, [&frame[..12], &frame[16..]].concat())
    }

    /// Whether the next descriptors are the device's, as many as `len` bytes need.
    fn has_room(&mut self, bus: &mut Bus, len: usize) -> bool {
        let (mut place, mut room) = (self.places[0], 0);
        for _ in 0..K::RING {
            if room >= len {
                break;
            }
            let (command, _) = self.read_descriptor(bus, self.base(reg::RDSAR) + place * 16);
            if command & OWN == 0 {
                return false;
            }
            room += Self::buffer_size(command);
            place = if command & EOR != 0 { 0 } else { place + 1 };
        }
        room >= len
    }

    fn buffer_size(command: u64) -> usize {
        (command & ((1 << K::LENGTH_BITS) - 1)) as usize
    }

    /// Fills buffers with `bytes`, and tells `said` with the last one.
    fn store(&mut self, bus: &mut Bus, mut bytes: &[u8], said: u64) {
        let said = self.faults.status.map_or(FS | LS | said, u64::from) & !(OWN | EOR);
        let mut begins = FS;
        // A mad ring may have no end.
        for _ in 0..K::RING {
            if bytes.is_empty() {
                break;
            }
            let at = self.descriptor(reg::RDSAR, 0);
            let (command, address) = self.read_descriptor(bus, at);
            let (piece, rest) = bytes.split_at(bytes.len().min(Self::buffer_size(command)));
            let size = Self::buffer_size(command) as u64;
            self.strays += usize::from(!(address | size).is_multiple_of(K::ALIGNMENT));
            bytes = rest;
            let wrote = bus.write(address, piece);
            // The length of the frame stands in the last descriptor.
            let mut status = if rest.is_empty() { said } else { said & FS };
            if begins == 0 {
                status &= !FS;
            }
            let told = bus.write(at, &(status | command & EOR).to_le_bytes());
            self.strays += usize::from(!(wrote && told));
            self.advance(0, command);
            begins = 0;
        }
    }
}
