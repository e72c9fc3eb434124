//! Packets that wait for one who looks on.

use std::collections::VecDeque;

use super::Direction;

/// Bytes that wait for one reader, packets' own size and this much for each of them.
const ROOM: usize = 4 << 20;
const OVERHEAD: usize = 64;

/// A copy of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When it went by, in microseconds of the server's time.
    pub at: u64,
    /// Which way.
    pub direction: Direction,
    /// From its first header on.
    pub bytes: Vec<u8>,
    /// How many packets before it this reader lost.
    pub lost: u64,
}

/// Packets in order, of bounded size. A reader that is too slow loses the latest.
#[derive(Debug, Default)]
pub struct Queue {
    packets: VecDeque<Captured>,
    /// Of what is queued.
    size: usize,
    /// Packets lost since the last that was queued.
    lost_now: u64,
    lost: u64,
    taken: u64,
}

impl Queue {
    /// A packet goes by, `at` so many microseconds of the server's time.
    pub fn push(&mut self, direction: Direction, at: u64, bytes: &[u8]) {
        self.taken += 1;
        if self.size + bytes.len() + OVERHEAD > ROOM {
            self.lost_now += 1;
            self.lost += 1;
            return;
        }
        self.size += bytes.len() + OVERHEAD;
        let lost = std::mem::take(&mut self.lost_now);
        self.packets.push_back(Captured { at, direction, bytes: bytes.to_vec(), lost });
    }

    /// The packet that has waited longest.
    pub fn take(&mut self) -> Option<Captured> {
        let captured = self.packets.pop_front()?;
        self.size -= captured.bytes.len() + OVERHEAD;
        Some(captured)
    }

    /// No packet waits.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Packets lost in all.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Packets that went by, those that were lost among them.
    pub fn taken(&self) -> u64 {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_loses_the_latest_and_is_told_how_many() {
        let mut queue = Queue::default();
        let room = ROOM / (1000 + OVERHEAD);
        for _ in 0..room + 5 {
            queue.push(Direction::Received, 7, &[0; 1000]);
        }
        assert_eq!(queue.take().map(|first| first.lost), Some(0));
        queue.push(Direction::Received, 7, &[1; 1000]);
        let last = std::iter::from_fn(|| queue.take()).last();
        assert_eq!(last.map(|last| (last.lost, last.bytes[0])), Some((5, 1)));
        assert_eq!((queue.lost(), queue.taken()), (5, room as u64 + 6));
    }
}
