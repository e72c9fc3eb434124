//! The transmit ring: frames out, and back when they are sent.

use std::collections::VecDeque;
use std::marker::PhantomData;

use hw::dma::Region;
use nic::Frame;
use nic::ring::Ring;

use crate::descriptors::{self, Transmit};

/// Gives frames to the device, with descriptors of the format `D`, and takes them back when it has sent them.
pub struct Transmitter<D> {
    ring: Ring<Piece>,
    descriptors: Region,
    unsent: usize,
    format: PhantomData<D>,
}

/// What the device was given with a descriptor.
enum Piece {
    /// A buffer, of which there are more.
    More,
    /// The last buffer, and the frame that all of them are.
    Last(Frame),
}

impl<D: Transmit> Transmitter<D> {
    /// A ring in `descriptors`.
    pub fn new(descriptors: Region) -> Self {
        let entries = descriptors.size() / descriptors::SIZE;
        Self { ring: Ring::new(entries), descriptors, unsent: 0, format: PhantomData }
    }

    /// Where the device finds the ring, and how long it is in bytes.
    pub fn location(&self) -> (u64, usize) {
        (self.descriptors.bus_address(), self.descriptors.size())
    }

    /// Value for the tail register.
    pub fn tail(&self) -> usize {
        self.ring.tail()
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether the tail has moved.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        let mut moved = false;
        while frames.front().is_some_and(|frame| frame.buffer_count() <= self.ring.room()) {
            let Some(frame) = frames.pop_front() else { break };
            self.give_frame(frame);
            moved = true;
        }
        moved
    }

    /// Appends to `frames` those that the device has sent.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while self.oldest_frame_is_sent() {
            while let Some(piece) = self.ring.take() {
                if let Piece::Last(frame) = piece {
                    self.unsent -= 1;
                    frames.push(frame);
                    break;
                }
            }
        }
    }

    /// Takes all frames back, after the device was made quiet; how many there were.
    pub fn reset(&mut self) -> usize {
        self.ring.reset().for_each(drop);
        std::mem::take(&mut self.unsent)
    }

    fn give_frame(&mut self, frame: Frame) {
        let (last, len) = (frame.buffer_count() - 1, frame.len());
        for (index, buffer) in frame.buffers().enumerate() {
            let at = self.ring.tail() * descriptors::SIZE;
            self.descriptors.write_word(at, buffer.bus_address());
            self.descriptors.write_word(at + 8, D::data(buffer.len() as u16, len, index == last));
            if index < last {
                let _more = self.ring.give(Piece::More);
            }
        }
        if self.ring.give(Piece::Last(frame)).is_ok() {
            self.unsent += 1;
        }
    }

    /// Only the descriptor of a frame's last buffer reports.
    fn oldest_frame_is_sent(&self) -> bool {
        let last = self.ring.owned().find(|(_, piece)| matches!(piece, Piece::Last(_)));
        let status = last.and_then(|(place, _)| self.descriptors.read_word(place * descriptors::SIZE + 8));
        status.is_some_and(|status| status & descriptors::DONE != 0)
    }
}
