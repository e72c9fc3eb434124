//! How a frame from the wire gets into a receive queue.

use hw::fake::Bus;
use nic::frame::is_tagged;
use scheme::vnet::SIZE;
use vmxnet3::registers::REVISION_2;
use vmxnet3::shared;

use super::{Queue, Vmxnet3, spread};
use crate::packets::{filled_in, verdict};
use crate::wire::{Layout, cut, without_lengths};

/// VMXNET3_CDTYPE_RXCOMP_LRO.
const RXCOMP_LRO: u64 = 4;

impl Vmxnet3 {
    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        if !self.link_up || !self.active || !self.accepts(frame) {
            return;
        }
        self.verdict = verdict(frame);
        let spreads = self.shared.upt_features.get() & shared::F_RSS != 0;
        let number = if spreads { spread::queue(&self.rss, frame) } else { 0 };
        let frame = &self.without_tag(frame);
        let before = self.receive[number];
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            let Some(count) = self.fill_buffer(bus, number, rest, rest.len() == frame.len()) else {
                // No completion of it has been shown yet.
                self.receive[number] = before;
                self.counters[2] += 1;
                return;
            };
            rest = &rest[count..];
        }
        self.interrupt(bus, self.receive[number].vector);
    }

    /// A frame that is several segments, behind its header, comes from another machine beside this one, or in segments if the
    /// driver has none joined.
    pub fn arrive_joined(&mut self, bus: &mut Bus, joined: &[u8]) {
        let (header, frame) = joined.split_first_chunk::<SIZE>().expect("it has a header");
        let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let layout = Layout::of(frame, number(2), number(4));
        if self.shared.upt_features.get() & shared::F_LRO == 0 {
            for segment in cut(&without_lengths(frame, layout), layout) {
                self.arrive(bus, &segment);
            }
            return;
        }
        assert_eq!(self.spoken, REVISION_2, "revision 1 does not tell what was joined");
        let count = (frame.len() - layout.header).div_ceil(layout.size);
        let size = if self.hides_size { 0 } else { layout.size };
        self.joined = Some((count, size, frame[layout.ip] >> 4 == 6));
        self.arrive(bus, &filled_in(frame, layout.tcp, 16));
        self.joined = None;
    }

    /// The frame, with its tag taken off if that is wanted.
    fn without_tag(&mut self, frame: &[u8]) -> Vec<u8> {
        self.tag = None;
        if self.shared.upt_features.get() & shared::F_RXVLAN != 0 && is_tagged(frame) {
            self.tags += 1;
            self.tag = Some(u16::from_be_bytes([frame[14], frame[15]]));
            return [&frame[..12], &frame[16..]].concat();
        }
        frame.to_vec()
    }

    /// Puts as much of `rest` as fits into the next buffer of a queue, and says so; how much that was.
    fn fill_buffer(&mut self, bus: &mut Bus, number: usize, rest: &[u8], first: bool) -> Option<usize> {
        let which = usize::from(!first);
        let Queue { rings, done: completions, .. } = self.receive[number];
        let ring = rings[which];
        let (address, word) = self.read_descriptor(bus, ring.at());
        if ring.entries == 0 || word >> 31 & 1 != ring.generation() {
            return None;
        }
        assert_eq!(word >> 14 & 1, which as u64, "ring 0 is for heads, ring 1 for bodies");
        let count = rest.len().min((word & 0x3fff) as usize);
        let wrote = bus.write(address, &rest[..count]);
        let index = (ring.next + self.faults.shift) & 0xfff;
        let eop = u64::from(count == rest.len());
        let (unknown, checksum) = checksum(self.verdict);
        let place = index
            | eop << 14
            | u64::from(first) << 15
            | ((number + which * shared::QUEUES) as u64) << 16
            | unknown;
        let (segments, joined) = self.joined.map_or((0, 0), describe);
        let place = place | if first { segments } else { 0 };
        let length = u64::from(self.faults.length.unwrap_or(count as u16));
        let done = length
            | checksum
            | joined
            | u64::from(self.faults.damaged) << 14
            | completions.generation() << 63;
        let done = done | self.tag.map_or(0, |tag| 1 << 15 | u64::from(tag) << 16);
        let told = bus.write(completions.at(), &place.to_le_bytes())
            && bus.write(completions.at() + 8, &done.to_le_bytes());
        self.strays += usize::from(!(wrote && told));
        self.receive[number].rings[which].advance();
        self.receive[number].done.advance();
        Some(count)
    }
}

/// What the words of a completion say of a frame that is joined (Vmxnet3_RxCompDescExt: segCnt; mss, v6, v4, type).
fn describe((count, size, is_ipv6): (usize, usize, bool)) -> (u64, u64) {
    let version = if is_ipv6 { 1 << 52 } else { 1 << 53 | 1 << 51 };
    ((count as u64) << 32, (size as u64) << 32 | version | RXCOMP_LRO << 56)
}

/// What the words of a completion say of a checksum that is right or wrong (VMXNET3_RCD: cnc; tuc, tcp).
fn checksum(verdict: Option<bool>) -> (u64, u64) {
    match verdict {
        None => (1 << 30, 0),
        Some(is_right) => (0, 1 << 50 | u64::from(is_right) << 48),
    }
}
