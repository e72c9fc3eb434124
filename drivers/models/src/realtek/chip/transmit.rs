//! How frames get from the transmit ring to the wire.

use hw::fake::Bus;
use realtek::registers::{self as reg, Cr, Interrupts, Tcr};

use super::descriptors::{EOR, FS, LS, OWN};
use super::{Chip, Kind};

impl<K: Kind> Chip<K> {
    /// Sends what it owns of the transmit ring.
    pub(super) fn transmit(&mut self, bus: &mut Bus) {
        if !self.command().contains(Cr::TE) || self.faults.hangs {
            return;
        }
        let mut back = Vec::new();
        for _ in 0..K::RING {
            let at = self.descriptor(reg::TNPDS, 1);
            let (command, address) = self.read_descriptor(bus, at);
            if command & OWN == 0 {
                break;
            }
            assert_eq!(
                command & FS != 0,
                self.packet.is_empty(),
                "a frame begins where the last one has ended"
            );
            let mut piece = vec![0; (command & 0xffff) as usize];
            let read = bus.read(address, &mut piece);
            self.packet.extend(piece);
            if command & LS != 0 {
                let frames = self.finished(command);
                if Tcr::from(self.get(reg::TCR, 4)).lbk() == K::LOOPBACK {
                    back.extend(frames);
                } else {
                    self.sent.extend(frames);
                }
            }
            let told = bus.write(at, &(self.transmit_status | command & EOR).to_le_bytes());
            self.strays += usize::from(!(read && told));
            self.advance(1, command);
        }
        self.cause(bus, Interrupts::TOK | Interrupts::TDU);
        let lost = self.faults.deaf.min(back.len());
        self.faults.deaf -= lost;
        back.iter().skip(lost).for_each(|frame| self.arrive(bus, frame));
    }

    /// The frame that was read, or its segments, as they leave, by the first word of its last descriptor.
    fn finished(&mut self, command: u64) -> Vec<Vec<u8>> {
        let frame = std::mem::take(&mut self.packet);
        let mut frames = if K::is_of_the_second_kind(self) {
            self.second(frame, command)
        } else {
            self.first(frame, command)
        };
        if command >> 49 & 1 != 0 {
            self.tags += 1;
            let tag = [0x81, 0, (command >> 32) as u8, (command >> 40) as u8];
            for frame in &mut frames {
                frame.splice(12..12, tag);
            }
        }
        frames
    }
}
