//! How frames get from the transmit ring to the wire.

use hw::fake::Bus;
use intel::advanced::AdvancedTransmit;
use intel::descriptors::{TXSM, Transmit};
use ixgbe::registers::{Interrupts, TRANSMIT};

use super::Ixgbe;
use crate::intel::advanced;

impl Ixgbe {
    /// Sends what stands between head and tail of the transmit ring.
    pub(super) fn transmit(&mut self, bus: &mut Bus) {
        let entries = self.registers.entries(TRANSMIT);
        if !self.is_sending() || !self.has_ring(TRANSMIT) || self.faults.hangs || entries == 0 {
            return;
        }
        let mut head = self.register(TRANSMIT.head()) as usize;
        while head != self.register(TRANSMIT.tail()) as usize {
            let at = self.registers.descriptor(TRANSMIT, head);
            self.send_descriptor(bus, at);
            head = (head + 1) % entries;
            self.set_register(TRANSMIT.head(), head as u32);
        }
    }

    /// 7.2.3.2.4: an advanced descriptor with data.
    fn send_descriptor(&mut self, bus: &mut Bus, at: u64) {
        let [mut address, mut word] = [[0; 8]; 2];
        let mut ok = bus.read(at, &mut address) && bus.read(at + 8, &mut word);
        let words = [address, word].map(u64::from_le_bytes);
        if let Some(context) = advanced::context(words) {
            (self.context, self.context_words) = (context, words);
            return;
        }
        let value = words[1];
        let (kind, command) = (value >> 20 & 0xf, (value >> 24) as u8);
        assert_eq!((kind, command & 0x20), (3, 0x20), "an advanced descriptor with data");
        let mut piece = vec![0; usize::from(value as u16)];
        ok &= bus.read(u64::from_le_bytes(address), &mut piece);
        self.packet.extend(piece);
        if command & 1 != 0 {
            assert_eq!(command & 2, 2, "the FCS is the device's to insert");
            let mut frames = self.finished(value);
            if command & 0x40 != 0 {
                self.tags += 1;
                let tag = advanced::tag(self.context_words);
                frames.iter_mut().for_each(|frame| nic::vlan::insert(frame, tag));
            }
            self.put_on_wire(bus, frames);
        }
        if command & 8 != 0 {
            ok &= bus.write(at + 12, &[word[4] | 1]);
            self.cause(bus, Interrupts::TRANSMIT);
        }
        self.strays += usize::from(!ok);
    }

    /// The frame, or its segments, as they leave, by the second word of its last descriptor. PAYLEN is the length of the
    /// frame, or of what segments are made of.
    fn finished(&mut self, word: u64) -> Vec<Vec<u8>> {
        let frame = std::mem::take(&mut self.packet);
        let makes_segments = word & AdvancedTransmit::TSE != 0;
        let headers = if makes_segments { self.context.segments.header } else { 0 };
        assert_eq!(word >> 46, (frame.len() - headers) as u64);
        self.cut += usize::from(makes_segments);
        self.filled_in += usize::from(!makes_segments && word & TXSM != 0);
        self.context.apply::<AdvancedTransmit>(frame, word)
    }
}
