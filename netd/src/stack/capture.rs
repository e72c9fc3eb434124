//! Captures: copies of the packets that an interface receives and sends, for those who look on.

use config::filter::{Filter, LinkType, Packet};
use scheme::pcapng::{Direction, Queue};
use slab::Slab;
use smoltcp::time::Instant;

use super::packet::Packet as Outgoing;

/// Captures of one interface at a time: each costs a look at every packet.
const CAPTURES: usize = 8;
/// What one reader looks at.
#[derive(Debug, Default)]
pub struct Capture {
    filter: Filter,
    /// What the filter took, its times being the stack's.
    pub queue: Queue,
}

impl Capture {
    /// Takes what `filter` takes, from now on; what waits is forgotten.
    pub fn set_filter(&mut self, filter: Filter) {
        *self = Self { filter, ..Self::default() };
    }

    fn record(&mut self, packet: &Packet, direction: Direction, bytes: &[u8], at: Instant) {
        if self.filter.takes(packet) {
            self.queue.push(direction, micros(at), bytes);
        }
    }
}

/// The stack's time, in microseconds.
pub fn micros(at: Instant) -> u64 {
    u64::try_from(at.total_micros()).unwrap_or_default()
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
        if self.0.is_empty() {
            return packet;
        }
        if packet.is_several() {
            // As others make segments of it, it is shown in one.
            self.record(link_type, Direction::Sent, &packet.clone().finished(), at);
        } else {
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
    use scheme::pcapng::Captured;

    use super::*;

    const AT: Instant = Instant::from_micros_const(7_000_000);

    #[test]
    fn a_reader_gets_what_its_filter_takes() {
        let mut captures = Captures::default();
        captures.record(LinkType::Raw, Direction::Sent, &[0x45; 40], AT);
        let (all, none) = (captures.begin().unwrap(), captures.begin().unwrap());
        captures.get_mut(none).unwrap().set_filter("arp".parse().unwrap());
        captures.record(LinkType::Raw, Direction::Sent, &[0x45; 40], AT);
        let expected = Captured { at: 7_000_000, direction: Direction::Sent, bytes: vec![0x45; 40], lost: 0 };
        assert_eq!(captures.get_mut(all).unwrap().queue.take(), Some(expected), "and not what was before");
        assert_eq!(captures.get_mut(none).unwrap().queue.take(), None);
        captures.end(all);
        assert!(captures.get(all).is_none());
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
