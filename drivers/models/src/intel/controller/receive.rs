//! How a frame from the wire gets into the receive ring.

use hw::fake::Bus;
use intel::Family;
use intel::registers::{self as reg, Interrupts, Rctl, statistics};

use super::{Controller, Kind};
use crate::packets::{is_magic, verdict};

/// Bytes of a receive buffer (RCTL.BSIZE = 0).
const BUFFER: usize = 2048;

/// Longest frame without RCTL.LPE, tag and FCS included.
const STANDARD: usize = 1522;

/// WUFC and WUS: magic packets. WUC: they are signalled.
const MAG: u32 = 1 << 1;
const PME_EN: u32 = 1 << 1;

impl<K: Kind> Controller<K> {
    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        let control = Rctl::from_bits_retain(self.register(reg::RCTL));
        self.look_for_magic(bus, frame);
        let works = self.has_link() && control.contains(Rctl::EN) && K::rings_are_enabled(self);
        if !works || !self.accepts(control, frame) {
            return;
        }
        self.verdict = verdict(frame);
        self.queue = K::queue(self, frame);
        let frame = &self.without_tag(frame);
        let fcs = if control.contains(Rctl::SECRC) { 0 } else { 4 };
        let longest = if control.contains(Rctl::LPE) { K::longest(self) } else { STANDARD };
        if frame.len() + 4 > longest {
            return self.registers.count(statistics::ROC);
        }
        let bytes = [frame, &[0; 4][..fcs]].concat();
        let ring = K::Family::receive_ring(self.queue);
        let pieces = bytes.len().div_ceil(BUFFER);
        if pieces > self.registers.free(ring) {
            self.registers.count(K::missed(self));
            return self.cause(bus, Interrupts::RXO);
        }
        let (head, entries) = (self.register(ring.head()) as usize, self.registers.entries(ring));
        for (index, piece) in bytes.chunks(BUFFER).enumerate() {
            let at = (head + index) % entries;
            self.write_back(bus, at, piece, index + 1 == pieces);
        }
        self.set_register(ring.head(), ((head + pieces) % entries) as u32);
        self.cause(bus, Interrupts::RXT0);
    }

    /// Signals a magic packet for its address, if it is told to (82574, 5.5.4.1.3).
    fn look_for_magic(&mut self, bus: &mut Bus, frame: &[u8]) {
        let looks = self.has_link()
            && self.register(reg::RCTL) & Rctl::EN.bits() != 0
            && self.register(reg::WUFC) & MAG != 0
            && self.register(reg::WUC) & PME_EN != 0;
        let is_its_own = |address: &[u8]| self.registers.has_address(reg::RAL0, address);
        if looks && is_magic(frame, is_its_own) {
            self.set_register(reg::WUS, MAG);
            bus.signal_wake();
        }
    }

    fn write_back(&mut self, bus: &mut Bus, entry: usize, piece: &[u8], last: bool) {
        let at = self.registers.descriptor(K::Family::receive_ring(self.queue), entry);
        let mut address = [0; 8];
        let read = bus.read(at, &mut address);
        let wrote = bus.write(u64::from_le_bytes(address), piece);
        let length = self.faults.length.unwrap_or(piece.len() as u16);
        let last = last && !self.faults.endless_packet;
        let told = bus.write(at + 8, &self.with_verdict(K::filled(self, length, last)));
        self.strays += usize::from(!(read && wrote && told));
    }

    /// The frame, with its tag taken off if that is wanted (9.2).
    fn without_tag(&mut self, frame: &[u8]) -> Vec<u8> {
        self.tag = None;
        if self.handles_tags() && self.is_tagged(frame) {
            self.tags += 1;
            self.tag = frame.get(14..16).and_then(|tag| tag.try_into().ok());
            return [&frame[..12], &frame[16..]].concat();
        }
        frame.to_vec()
    }

    /// What it writes into a descriptor, with what it says of the tag (VP) and of the checksum: IXSM, TCPCS, TCPE.
    fn with_verdict(&self, mut word: [u8; 8]) -> [u8; 8] {
        let [status, errors] = K::STATUS_AND_ERRORS;
        if let Some([high, low]) = self.tag {
            word[status] |= 8;
            word[6..].copy_from_slice(&[low, high]);
        }
        if let Some(is_right) = self.verdict {
            word[status] = word[status] & !4 | 0x20;
            word[errors] |= if is_right { 0 } else { 0x20 };
        }
        word
    }
}
