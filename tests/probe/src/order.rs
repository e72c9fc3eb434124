//! What a guest orders from the peer at the other end of its link: frames, so many, so long, so fast.

use std::time::Duration;

/// For experiments on a link (IEEE 802, 9.2.3).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];

/// Destination, source and type.
const HEADER: usize = 14;

/// The shortest frame.
const MINIMUM: usize = 60;

/// What the frames begin with that are ordered, and the one that ends them.
const FILLING: u8 = 1;
const END: u8 = 2;
const ORDER: u8 = 3;

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// How many frames.
    pub count: u32,
    /// How long each is, in bytes, without its FCS.
    pub length: u32,
    /// From one to the next; zero for as fast as the link takes them.
    pub interval: Duration,
}

impl Order {
    /// The order as a frame from `source`.
    pub fn frame(&self, source: [u8; 6]) -> Vec<u8> {
        let mut frame = frame(source, ORDER, MINIMUM);
        let interval = u32::try_from(self.interval.as_nanos()).unwrap_or(u32::MAX);
        let words = [self.count, self.length, interval].map(u32::to_be_bytes);
        for (place, byte) in frame.iter_mut().skip(HEADER + 1).zip(words.as_flattened()) {
            *place = *byte;
        }
        frame
    }

    /// The order that a frame is, if it is one.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let word = |number: usize| {
            let at = HEADER + 1 + 4 * number;
            Some(u32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?))
        };
        (kind(frame)? == ORDER).then_some(())?;
        let interval = Duration::from_nanos(word(2)?.into());
        Some(Self { count: word(0)?, length: word(1)?, interval })
    }
}

/// A frame of an order, from `source` to all.
pub fn filling(source: [u8; 6], length: usize) -> Vec<u8> {
    frame(source, FILLING, length)
}

/// What follows the last frame of an order.
pub fn end(source: [u8; 6]) -> Vec<u8> {
    frame(source, END, MINIMUM)
}

/// Whether a frame is one of an order.
pub fn is_filling(frame: &[u8]) -> bool {
    kind(frame) == Some(FILLING)
}

/// Whether a frame ends an order.
pub fn is_end(frame: &[u8]) -> bool {
    kind(frame) == Some(END)
}

fn kind(frame: &[u8]) -> Option<u8> {
    (frame.get(12..HEADER)? == ETHERTYPE).then(|| frame.get(HEADER).copied()).flatten()
}

fn frame(source: [u8; 6], kind: u8, length: usize) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(source);
    frame.extend(ETHERTYPE);
    frame.push(kind);
    frame.resize(length.max(MINIMUM), 0);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: [u8; 6] = [2, 0, 0, 0, 0, 1];

    #[test]
    fn an_order_arrives_as_it_was_given() {
        let order = Order { count: 4000, length: 1514, interval: Duration::from_micros(250) };
        assert_eq!(Order::parse(&order.frame(GUEST)), Some(order));
        assert_eq!(Order::parse(&filling(GUEST, 60)), None);
        assert_eq!(Order::parse(&[0; 60]), None);
    }

    #[test]
    fn what_is_ordered_and_its_end_are_told_apart() {
        let (frame, end) = (filling(GUEST, 1514), end(GUEST));
        assert_eq!(frame.len(), 1514);
        assert!(is_filling(&frame) && !is_end(&frame));
        assert!(is_end(&end) && !is_filling(&end));
    }
}
