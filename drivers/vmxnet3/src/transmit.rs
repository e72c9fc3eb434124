//! The transmit queue: frames out, and back when they are sent.

use std::collections::VecDeque;

use hw::dma::Region;
use nic::{Checksum, Frame, Metadata, Segments};

use crate::descriptors::{OM_CSUM, OM_TSO, Transmit};
use crate::ring::{Commands, Completions};

/// Gives frames to the device, and takes them back when it has sent them.
pub struct Transmitter {
    commands: Commands<Piece>,
    completions: Completions,
    unsent: usize,
    broken: bool,
}

/// What the device was given with a descriptor.
enum Piece {
    /// A buffer, of which there are more.
    More,
    /// The last buffer, and the frame that all of them are.
    Last(Frame),
}

impl Transmitter {
    /// A queue with its rings in `commands` and `completions`, which have as many entries.
    pub fn new(commands: Region, completions: Region) -> Self {
        Self {
            commands: Commands::new(commands),
            completions: Completions::new(completions),
            unsent: 0,
            broken: false,
        }
    }

    /// Where the device finds the ring and the completion ring, and how many entries they have.
    pub fn locations(&self) -> [(u64, u32); 2] {
        [self.commands.location(), self.completions.location()]
    }

    /// Value for the producer register.
    pub fn tail(&self) -> usize {
        self.commands.tail()
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// The device has said what cannot be.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The device has said something that was not looked at yet.
    pub fn has_news(&self) -> bool {
        !self.broken && self.completions.peek().is_some()
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether there were any.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        let mut given = false;
        while frames.front().is_some_and(|frame| frame.buffer_count() <= self.commands.room()) {
            let Some(frame) = frames.pop_front() else { break };
            self.give_frame(frame);
            given = true;
        }
        given
    }

    /// Appends to `frames` those that the device has sent.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while !self.broken
            && let Some((first, _)) = self.completions.take()
        {
            // `Vmxnet3_TxCompDesc` begins with the index of the frame's last descriptor, of 12 bits.
            let last = (first & 0xfff) as usize;
            match self.take_frame(last) {
                Some(frame) => {
                    self.unsent -= 1;
                    frames.push(frame);
                }
                None => self.broken = true,
            }
        }
    }

    /// Takes all frames back, after the device was made quiet; how many there were.
    pub fn reset(&mut self) -> usize {
        self.commands.reset();
        self.completions.reset();
        self.broken = false;
        std::mem::take(&mut self.unsent)
    }

    fn give_frame(&mut self, mut frame: Frame) {
        frame.leave_lengths_out();
        let last = frame.buffer_count() - 1;
        let begin = self.commands.tail();
        let first_generation = self.commands.generation();
        let pieces: Vec<_> = frame.buffers().map(|buffer| (buffer.bus_address(), buffer.len())).collect();
        let (plain, first) = (Transmit::new(), offloads(frame.metadata));
        let mut frame = Some(frame);
        for (index, &(address, length)) in pieces.iter().enumerate() {
            // The first descriptor shows its generation last: the device must not see half a frame.
            let generation = self.commands.generation() ^ (index == 0 && last > 0);
            let word = if index == 0 { first } else { plain }.with_len(length as u16);
            let word = word.with_generation(generation).with_eop(index == last).with_cq(index == last);
            let piece = frame.take_if(|_| index == last).map_or(Piece::More, Piece::Last);
            self.commands.give(piece, address, word.into());
        }
        if last > 0
            && let Some(&(_, length)) = pieces.first()
        {
            let word = first.with_len(length as u16).with_generation(first_generation);
            self.commands.rewrite(begin, word.into());
        }
        self.unsent += 1;
    }

    /// The oldest frame, whose last descriptor must be entry `last`.
    fn take_frame(&mut self, last: usize) -> Option<Frame> {
        loop {
            let place = self.commands.oldest()?;
            if let Piece::Last(frame) = self.commands.take()? {
                return Some(frame).filter(|_| place == last);
            }
        }
    }
}

/// A descriptor that says what the device shall do for a frame.
fn offloads(metadata: Metadata) -> Transmit {
    let plain = Transmit::new().with_ti(metadata.vlan.is_some()).with_tci(metadata.vlan.unwrap_or_default());
    match (metadata.segments, metadata.transport_checksum) {
        (Some(Segments { header, size, .. }), _) => plain.with_om(OM_TSO).with_hlen(header).with_msscof(size),
        (None, Checksum::Partial { start, offset }) => {
            plain.with_om(OM_CSUM).with_hlen(start).with_msscof(start + offset)
        }
        (None, _) => plain,
    }
}
