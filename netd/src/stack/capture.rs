//! Captures: copies of the packets that an interface receives and sends, for those who look on.

use std::collections::VecDeque;

use config::filter::{Filter, LinkType, Packet};
use slab::Slab;
use smoltcp::time::Instant;

use super::packet::Packet as Outgoing;

/// Captures of one interface at a time: each costs a look at every packet.
const CAPTURES: usize = 8;
/// Bytes that wait for one reader, packets' own size and this much for each of them.
const QUEUE: usize = 4 << 20;
const OVERHEAD: usize = 64;

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the link.
    Received,
    /// To the driver.
    Sent,
}

/// A copy of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When it went by.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// From its first header on.
    pub bytes: Vec<u8>,
    /// How many packets before it this reader lost.
    pub lost: u64,
}

/// What one reader looks at.
#[derive(Debug, Default)]
pub struct Capture {
    filter: Filter,
    queue: VecDeque<Captured>,
    /// Of what is queued.
    size: usize,
    /// Packets lost since the last that was queued.
    lost: u64,
    /// Packets lost in all.
    pub lost_in_all: u64,
    /// Packets that the filter took.
    pub taken: u64,
}

impl Capture {
    /// The packet that has waited longest.
    pub fn take(&mut self) -> Option<Captured> {
        let captured = self.queue.pop_front()?;
        self.size -= captured.bytes.len() + OVERHEAD;
        Some(captured)
    }

    /// Whether a packet waits.
    pub fn has_packets(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes what `filter` takes, from now on; what waits is forgotten.
    pub fn set_filter(&mut self, filter: Filter) {
        *self = Self { filter, ..Self::default() };
    }

    fn record(&mut self, packet: &Packet, direction: Direction, bytes: &[u8], at: Instant) {
        if !self.filter.takes(packet) {
            return;
        }
        self.taken += 1;
        if self.size + bytes.len() + OVERHEAD > QUEUE {
            self.lost += 1;
            self.lost_in_all += 1;
            return;
        }
        self.size += bytes.len() + OVERHEAD;
        let lost = std::mem::take(&mut self.lost);
        self.queue.push_back(Captured { at, direction, bytes: bytes.to_vec(), lost });
    }
}

/// Names a capture of an interface.
pub type CaptureId = usize;

/// All captures of an interface.
#[derive(Debug, Default)]
pub struct Captures(Slab<Capture>);

impl Captures {
    /// Begins one with every packet, unless there are as many as there may be.
    pub fn begin(&mut self) -> Option<CaptureId> {
        (self.0.len() < CAPTURES).then(|| self.0.insert(Capture::default()))
    }

    /// Ends one.
    pub fn end(&mut self, id: CaptureId) {
        self.0.try_remove(id);
    }

    /// One that has begun.
    pub fn get_mut(&mut self, id: CaptureId) -> Option<&mut Capture> {
        self.0.get_mut(id)
    }

    /// One that has begun.
    pub fn get(&self, id: CaptureId) -> Option<&Capture> {
        self.0.get(id)
    }

    /// Nobody looks on.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Shows all captures a packet that leaves, as it would be on a wire.
    pub fn record_sent(&mut self, link_type: LinkType, mut packet: Outgoing, at: Instant) -> Outgoing {
        if !self.0.is_empty() {
            packet.finish();
            self.record(link_type, Direction::Sent, &packet, at);
        }
        packet
    }

    /// Shows all captures a packet.
    pub fn record(&mut self, link_type: LinkType, direction: Direction, bytes: &[u8], at: Instant) {
        if self.0.is_empty() {
            return;
        }
        let packet = Packet::parse(link_type, bytes);
        for (_, capture) in &mut self.0 {
            capture.record(&packet, direction, bytes, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Instant = Instant::from_micros_const(7_000_000);

    #[test]
    fn a_reader_gets_what_its_filter_takes() {
        let mut captures = Captures::default();
        captures.record(LinkType::Raw, Direction::Sent, &[0x45; 40], AT);
        let (all, none) = (captures.begin().unwrap(), captures.begin().unwrap());
        captures.get_mut(none).unwrap().set_filter("arp".parse().unwrap());
        captures.record(LinkType::Raw, Direction::Sent, &[0x45; 40], AT);
        let expected = Captured { at: AT, direction: Direction::Sent, bytes: vec![0x45; 40], lost: 0 };
        assert_eq!(captures.get_mut(all).unwrap().take(), Some(expected), "and not what was before");
        assert_eq!(captures.get_mut(none).unwrap().take(), None);
        captures.end(all);
        assert!(captures.get(all).is_none());
    }

    #[test]
    fn a_slow_reader_loses_the_latest_and_is_told_how_many() {
        let mut captures = Captures::default();
        let id = captures.begin().unwrap();
        let room = QUEUE / (1000 + OVERHEAD);
        for _ in 0..room + 5 {
            captures.record(LinkType::Raw, Direction::Received, &[0; 1000], AT);
        }
        let capture = captures.get_mut(id).unwrap();
        assert_eq!(capture.take().unwrap().lost, 0);
        captures.record(LinkType::Raw, Direction::Received, &[1; 1000], AT);
        let capture = captures.get_mut(id).unwrap();
        let last = std::iter::from_fn(|| capture.take()).last().unwrap();
        assert_eq!((last.lost, last.bytes[0]), (5, 1));
        assert_eq!((capture.lost_in_all, capture.taken), (5, room as u64 + 6));
    }

    #[test]
    fn captures_are_few() {
        let mut captures = Captures::default();
        let ids: Vec<_> = std::iter::from_fn(|| captures.begin()).collect();
        assert_eq!(ids.len(), CAPTURES);
        captures.end(ids[3]);
        assert_eq!(captures.begin(), Some(ids[3]));
    }
}
