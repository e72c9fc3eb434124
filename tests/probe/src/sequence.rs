//! Numbered Ethernet frames of mixed sizes, whose every byte follows from their number and length: what arrives can be
//! checked to be intact, and what does not can be counted.

use std::fmt;
use std::io::Read;

use crate::data::Random;

/// The EtherType for local experiments (IEEE 802, "Local Experimental EtherType 1"): no stack takes these frames.
pub const ETHERTYPE: u16 = 0x88b5;

/// The shortest and the longest frame, without the check sequence.
const SIZES: std::ops::RangeInclusive<usize> = 60..=1514;

const HEADER: usize = 14;

/// The frame with this number: from 52:54:00:aa:aa:aa to `destination`, as long as the number says.
pub fn frame(destination: [u8; 6], number: u32) -> Vec<u8> {
    let length = SIZES.start() + Random::new(u64::from(number)).below(SIZES.end() - SIZES.start() + 1);
    frame_of(length, destination, number)
}

/// The same, but of `length` bytes, 18 at least.
pub fn frame_of(length: usize, destination: [u8; 6], number: u32) -> Vec<u8> {
    let mut frame = Vec::with_capacity(length);
    frame.extend_from_slice(&destination);
    frame.extend_from_slice(&[0x52, 0x54, 0, 0xaa, 0xaa, 0xaa]);
    frame.extend_from_slice(&ETHERTYPE.to_be_bytes());
    frame.extend_from_slice(&number.to_be_bytes());
    let written = frame.len();
    frame.resize(length, 0);
    // With the length, too, so that one that is cut is not another whole one.
    let mut random = Random::new(u64::from(number) | (length as u64) << 32);
    // The source has no end and no errors.
    let _ = frame.get_mut(written..).map(|rest| random.read_exact(rest));
    frame
}

/// The frame is of the type that a sequence's frames have.
pub fn is_of_one(frame: &[u8]) -> bool {
    frame.get(12..HEADER) == Some(&ETHERTYPE.to_be_bytes())
}

/// What has become of a sequence, seen from its receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames that arrived in order and intact.
    pub received: u32,
    /// Frames of the sequence whose bytes are not those that were sent.
    pub damaged: u32,
    /// Frames that came after one with a higher number, or twice.
    pub disordered: u32,
    next: u32,
}

impl Tally {
    /// Takes a frame into account, if it is one of a sequence.
    pub fn add(&mut self, bytes: &[u8]) {
        if !is_of_one(bytes) {
            return;
        }
        let number = bytes.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok());
        let destination = bytes.get(..6).and_then(|bytes| bytes.try_into().ok());
        let (Some(number), Some(destination)) = (number.map(u32::from_be_bytes), destination) else {
            self.damaged += 1;
            return;
        };
        if frame_of(bytes.len(), destination, number) != bytes {
            self.damaged += 1;
        } else if number < self.next {
            self.disordered += 1;
        } else {
            self.received += 1;
            self.next = number + 1;
        }
    }

    /// The number after the highest one seen.
    pub fn next(&self) -> u32 {
        self.next
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self { received, damaged, disordered, .. } = self;
        write!(formatter, "received {received}\ndamaged {damaged}\ndisordered {disordered}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

    fn tally(frames: &[Vec<u8>]) -> String {
        let mut tally = Tally::default();
        frames.iter().for_each(|frame| tally.add(frame));
        tally.to_string()
    }

    #[test]
    fn frames_have_every_size_from_the_smallest_to_the_largest() {
        let sizes: std::collections::BTreeSet<_> =
            (0..20_000).map(|number| frame(TO, number).len()).collect();
        assert_eq!(sizes.len(), 1455);
        assert_eq!((sizes.first(), sizes.last()), (Some(&60), Some(&1514)));
    }

    #[test]
    fn a_lost_frame_is_neither_damage_nor_disorder() {
        assert_eq!(tally(&[frame(TO, 0), frame(TO, 2)]), "received 2\ndamaged 0\ndisordered 0");
    }

    #[test]
    fn damage_disorder_and_strangers_are_told_apart() {
        let mut damaged = frame(TO, 3);
        damaged[40] ^= 1;
        let mut cut = frame(TO, 4);
        cut.pop();
        let stranger = vec![0; 60];
        let frames =
            [frame(TO, 1), frame(TO, 0), damaged, cut, stranger, frame(TO, 1), frame_of(9014, TO, 5)];
        assert_eq!(tally(&frames), "received 2\ndamaged 2\ndisordered 2");
    }
}
