//! How frames get from the transmit ring to the wire.

use hw::fake::Bus;
use intel::Family;
use intel::descriptors::{TXSM, Transmit as _};
use intel::registers::{self as reg, Interrupts};

use super::{Controller, Kind};

type Transmit<K> = <<K as Kind>::Family as Family>::Transmit;

/// In the second word of a frame's last descriptor (DCMD.VLE): a tag is to be inserted.
const VLE: u64 = 1 << 30;

impl<K: Kind> Controller<K> {
    /// Sends what stands between head and tail of the transmit ring (3.3.3, 3.4).
    pub(super) fn transmit(&mut self, bus: &mut Bus) {
        let ring = K::Family::TRANSMIT_RING;
        let entries = self.registers.entries(ring);
        let works = self.register(reg::TCTL) & 2 != 0 && K::rings_are_enabled(self) && !self.faults.hangs;
        if !works || entries == 0 {
            return;
        }
        let mut head = self.register(ring.head()) as usize;
        while head != self.register(ring.tail()) as usize {
            let at = self.registers.descriptor(ring, head);
            self.send_descriptor(bus, at);
            head = (head + 1) % entries;
            self.set_register(ring.head(), head as u32);
        }
        self.cause(bus, Interrupts::TXQE);
    }

    fn send_descriptor(&mut self, bus: &mut Bus, at: u64) {
        let [mut address, mut word] = [[0; 8]; 2];
        let mut ok = bus.read(at, &mut address) && bus.read(at + 8, &mut word);
        let words = [address, word].map(u64::from_le_bytes);
        if let Some(context) = K::context(words) {
            self.context = context;
            self.context_words = words;
            return;
        }
        let (length, command) = K::command(words[1]);
        let mut piece = vec![0; length.into()];
        ok &= bus.read(u64::from_le_bytes(address), &mut piece);
        self.packet.extend(piece);
        if command & 1 != 0 {
            assert_eq!(command & 2, 2, "the FCS is the device's to insert");
            let frames = self.finished(words[1]);
            self.put_on_wire(bus, frames);
        }
        if command & 8 != 0 {
            ok &= bus.write(at + 12, &[word[4] | 1]);
            self.cause(bus, Interrupts::TXDW);
        }
        self.strays += usize::from(!ok);
    }

    /// The frame that was read, or its segments, as they leave, by the second word of its last descriptor.
    fn finished(&mut self, word: u64) -> Vec<Vec<u8>> {
        let makes_segments = word & Transmit::<K>::TSE != 0;
        self.cut += usize::from(makes_segments);
        self.filled_in += usize::from(!makes_segments && word & TXSM != 0);
        let frame = std::mem::take(&mut self.packet);
        let mut frames = self.context.apply::<Transmit<K>>(frame, word);
        if self.handles_tags() && word & VLE != 0 {
            self.tags += 1;
            let tag = K::tag(self.context_words, word).to_be_bytes();
            let announced = (self.register(reg::VET) as u16).to_be_bytes();
            for frame in &mut frames {
                frame.splice(12..12, [announced, tag].concat());
            }
        }
        frames
    }

    /// Frames leave, or come back.
    fn put_on_wire(&mut self, bus: &mut Bus, frames: Vec<Vec<u8>>) {
        if self.is_looped() {
            frames.iter().skip(usize::from(self.loses())).for_each(|frame| self.arrive(bus, frame));
        } else {
            self.sent.extend(frames);
        }
    }

    /// Whether the next frame that comes back is lost.
    fn loses(&mut self) -> bool {
        let lost = self.faults.deaf > 0;
        self.faults.deaf = self.faults.deaf.saturating_sub(1);
        lost
    }
}
