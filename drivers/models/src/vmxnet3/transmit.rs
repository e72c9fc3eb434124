//! How frames get from the transmit ring to the wire.

use hw::fake::Bus;

use super::Vmxnet3;
use crate::packets::filled_in;
use crate::wire::{Layout, cut};

impl Vmxnet3 {
    /// Sends what it owns of the transmit ring.
    pub(super) fn send(&mut self, bus: &mut Bus) {
        if !self.active || self.faults.hangs {
            return;
        }
        loop {
            let (address, word) = self.read_descriptor(bus, self.transmit.at());
            if word >> 14 & 1 != self.transmit.generation() {
                break;
            }
            let mut piece = vec![0; (word & 0x3fff) as usize];
            let read = bus.read(address, &mut piece);
            self.strays += usize::from(!read);
            if self.packet.is_empty() {
                self.first = word;
            }
            self.packet.extend(piece);
            let (eop, report) = (word >> 44 & 1 == 1, word >> 45 & 1 == 1);
            assert_eq!(eop, report, "the last buffer of a frame is reported");
            if eop {
                let frames = self.finished();
                self.sent.extend(frames);
                self.report_sent(bus);
            }
            self.transmit.advance();
        }
        self.interrupt(bus, 0);
    }

    /// A frame, or its segments, as they leave, by what the first descriptor says.
    fn finished(&mut self) -> Vec<Vec<u8>> {
        let frame = std::mem::take(&mut self.packet);
        let (at, start, mode) = (self.first >> 18 & 0x3fff, self.first >> 32 & 0x3ff, self.first >> 42 & 3);
        let mut frames = match mode {
            0 => vec![frame],
            2 => {
                self.filled_in += 1;
                vec![filled_in(&frame, start as usize, (at - start) as usize)]
            }
            3 => {
                self.cut += 1;
                cut(&frame, Layout::of(&frame, start as usize, at as usize))
            }
            other => panic!("no mode {other} was asked for"),
        };
        if self.first >> 47 & 1 != 0 {
            self.tags += 1;
            frames.iter_mut().for_each(|frame| nic::vlan::insert(frame, (self.first >> 48) as u16));
        }
        frames
    }

    fn report_sent(&mut self, bus: &mut Bus) {
        let index = (self.transmit.next + self.faults.shift) & 0xfff;
        let done = self.transmit_done.generation() << 63;
        let told = bus.write(self.transmit_done.at(), &index.to_le_bytes())
            && bus.write(self.transmit_done.at() + 8, &done.to_le_bytes());
        self.strays += usize::from(!told);
        self.transmit_done.advance();
    }
}
