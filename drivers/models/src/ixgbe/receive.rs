//! How a frame from the wire gets into the receive ring.

use hw::fake::Bus;
use intel::advanced::{ADVANCED_ONE_BUFFER, RingControl, Srrctl};
use intel::registers::RingRegisters;
use ixgbe::registers::{self as reg, Hlreg0, Interrupts, Rdrxctl, qprdc, receive_ring, srrctl};
use nic::frame::is_tagged;

use super::{Ixgbe, ROC, RXMPC};
use crate::packets::verdict;

/// Bytes of a receive buffer, as SRRCTL says.
const BUFFER: usize = 2048;

impl Ixgbe {
    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        if !self.has_link() || !self.is_receiving() || !self.accepts(frame) {
            return;
        }
        self.look_for_magic(bus, frame);
        self.queue = self.queue_of(frame);
        let ring = receive_ring(self.queue);
        if !self.has_ring(ring) {
            return;
        }
        let mac = Hlreg0::from_bits_retain(self.register(reg::HLREG0));
        let strips = Rdrxctl::from_bits_retain(self.register(reg::RDRXCTL)).contains(Rdrxctl::CRC_STRIP);
        assert!(mac.contains(Hlreg0::RXCRCSTRP) && strips, "both say that the FCS is stripped");
        let longest = if mac.contains(Hlreg0::JUMBOEN) { self.register(reg::MAXFRS) >> 16 } else { 1518 };
        if frame.len() + 4 > longest as usize {
            return self.count(ROC);
        }
        self.verdict = verdict(frame);
        let frame = &self.without_tag(frame);
        let pieces = frame.len().div_ceil(BUFFER);
        if pieces > self.registers.free(ring) {
            return self.count(self.missed(ring));
        }
        let (head, entries) = (self.register(ring.head()) as usize, self.registers.entries(ring));
        for (index, piece) in frame.chunks(BUFFER).enumerate() {
            self.write_back(bus, (head + index) % entries, piece, index + 1 == pieces);
        }
        self.set_register(ring.head(), ((head + pieces) % entries) as u32);
        self.cause(bus, Interrupts::RECEIVE);
    }

    /// What counts a frame that the ring of its queue has no room for: the counter of its queue, or of the packet buffer,
    /// which is then full (8.2.3.8.7 and 8.2.3.23).
    fn missed(&self, ring: RingRegisters) -> usize {
        let counter = self.register(reg::RQSMR0).to_le_bytes()[usize::from(self.queue)];
        let drops = Srrctl::from(self.register(srrctl(ring))).drop_en_ten();
        if drops { qprdc(counter.into()) } else { RXMPC }
    }

    /// The frame, with its tag taken off if that is wanted.
    fn without_tag(&mut self, frame: &[u8]) -> Vec<u8> {
        self.tag = None;
        let control = self.register(receive_ring(self.queue).control());
        if control & RingControl::VME.bits() != 0 && is_tagged(frame) {
            self.tags += 1;
            self.tag = Some(u16::from_be_bytes([frame[14], frame[15]]));
            return [&frame[..12], &frame[16..]].concat();
        }
        frame.to_vec()
    }

    /// Status (DD, EOP, VP, L4I), errors (L4E), length, tag: 7.1.6.2.
    fn write_back(&mut self, bus: &mut Bus, entry: usize, piece: &[u8], last: bool) {
        let ring = receive_ring(self.queue);
        let srrctl = Srrctl::from(self.register(srrctl(ring)));
        assert_eq!((srrctl.desctype(), srrctl.bsizepacket()), (ADVANCED_ONE_BUFFER, 2));
        let at = self.registers.descriptor(ring, entry);
        let mut address = [0; 8];
        let read = bus.read(at, &mut address);
        let wrote = bus.write(u64::from_le_bytes(address), piece);
        let length = u64::from(self.faults.length.unwrap_or(piece.len() as u16));
        let last = last && !self.faults.endless_packet;
        let word = length << 32 | self.faults.errors << 20 | if last { 3 } else { 1 };
        let word = word | self.tag.map_or(0, |tag| 1 << 3 | u64::from(tag) << 48);
        let word = word | self.verdict.map_or(0, |is_right| 1 << 5 | u64::from(!is_right) << 30);
        let told = bus.write(at + 8, &word.to_le_bytes());
        self.strays += usize::from(!(read && wrote && told));
    }
}
