//! The receive ring: empty buffers out, frames in.

use std::marker::PhantomData;

use hw::dma::Region;
use nic::ring::Ring;
use nic::{Buffer, Frame, Pool, Statistics};

use crate::descriptors::{self, Completion, Receive};

/// Buffers of the longest frame, 16128 bytes. A device that chains more lies.
const MOST_PIECES: usize = 8;

/// Destination, source and type, and at least nothing: shorter is no frame.
const LEAST_LENGTH: usize = nic::frame::HEADER;

/// Gives empty buffers to the device and takes frames from it, with descriptors of the format `D`.
pub struct Receiver<D> {
    ring: Ring<Buffer>,
    descriptors: Region,
    pool: Pool,
    assembly: Assembly,
    longest: usize,
    counted: Statistics,
    format: PhantomData<D>,
}

/// A frame that comes in several buffers.
enum Assembly {
    /// None has begun.
    Idle,
    /// Its beginning.
    Begun(Frame),
    /// It is bad; the rest of it is thrown away.
    Discarding,
}

impl<D: Receive> Receiver<D> {
    /// A ring in `descriptors`, with buffers from `pool`.
    pub fn new(descriptors: Region, pool: Pool) -> Self {
        let entries = descriptors.size() / descriptors::SIZE;
        Self {
            ring: Ring::new(entries),
            descriptors,
            pool,
            assembly: Assembly::Idle,
            longest: 0,
            counted: Statistics::default(),
            format: PhantomData,
        }
    }

    /// Where the device finds the ring, and how long it is in bytes.
    pub fn location(&self) -> (u64, usize) {
        (self.descriptors.bus_address(), self.descriptors.size())
    }

    /// Value for the tail register.
    pub fn tail(&self) -> usize {
        self.ring.tail()
    }

    /// Drops frames that are longer than `bytes`.
    pub fn set_longest(&mut self, bytes: usize) {
        self.longest = bytes;
    }

    /// Gives empty buffers to the device while there are any. Whether the tail has moved.
    pub fn fill(&mut self) -> bool {
        let mut moved = false;
        for _ in 0..self.ring.room() {
            let Some(buffer) = self.pool.take() else { break };
            let at = self.ring.tail() * descriptors::SIZE;
            self.descriptors.write_word(at, buffer.bus_address());
            self.descriptors.write_word(at + 8, 0);
            moved |= self.ring.give(buffer).is_ok();
        }
        moved
    }

    /// Appends to `frames` at most `budget` that the device has received.
    pub fn take(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        let enough = frames.len() + budget;
        // A bound beside the budget: a device that finishes nothing but bad frames would have no end.
        for _ in 0..budget * MOST_PIECES {
            if frames.len() == enough {
                break;
            }
            let Some((completion, buffer)) = self.take_piece() else { break };
            let is_whole = completion.ends_frame && matches!(self.assembly, Assembly::Idle);
            if is_whole {
                self.whole(&completion, buffer, frames);
            } else {
                frames.extend(self.assemble(&completion, buffer));
            }
        }
    }

    /// Takes all buffers back, after the device was made quiet.
    pub fn reset(&mut self) {
        self.assembly = Assembly::Idle;
        self.ring.reset().for_each(drop);
    }

    /// Adds to `statistics` what was counted since the last call.
    pub fn collect(&mut self, statistics: &mut Statistics) {
        let counted = std::mem::take(&mut self.counted);
        statistics.rx_errors += counted.rx_errors;
        statistics.rx_length_errors += counted.rx_length_errors;
    }

    /// The oldest buffer and what the device says of it, if it is done with it.
    fn take_piece(&mut self) -> Option<(Completion, Buffer)> {
        let at = self.ring.oldest()? * descriptors::SIZE;
        let completion = D::completion(self.descriptors.read_word(at + 8)?)?;
        self.ring.take().map(|buffer| (completion, buffer))
    }

    /// Appends to `frames` the one that this buffer is, as most are one, if it is good.
    fn whole(&mut self, completion: &Completion, mut buffer: Buffer, frames: &mut Vec<Frame>) {
        let length = usize::from(completion.length);
        if completion.is_damaged {
            self.counted.rx_errors += 1;
        } else if length < LEAST_LENGTH || length > self.longest || !buffer.set_len(length) {
            self.counted.rx_length_errors += 1;
        } else {
            frames.push(described(Frame::new(buffer), completion));
        }
    }

    /// The frame that ends with this piece, if one does and it is good.
    fn assemble(&mut self, completion: &Completion, mut buffer: Buffer) -> Option<Frame> {
        let assembly = std::mem::replace(&mut self.assembly, Assembly::Idle);
        let has_length = completion.length > 0 && buffer.set_len(completion.length.into());
        let frame = match assembly {
            Assembly::Discarding => None,
            _ if completion.is_damaged => {
                self.counted.rx_errors += 1;
                None
            }
            _ if !has_length => {
                self.counted.rx_length_errors += 1;
                None
            }
            Assembly::Idle => Some(Frame::new(buffer)),
            Assembly::Begun(mut frame) => {
                frame.push(buffer);
                Some(frame)
            }
        };
        let frame = frame.filter(|frame| self.has_possible_length(frame, completion.ends_frame));
        if completion.ends_frame {
            return frame.map(|frame| described(frame, completion));
        }
        self.assembly = frame.map_or(Assembly::Discarding, Assembly::Begun);
        None
    }

    fn has_possible_length(&mut self, frame: &Frame, complete: bool) -> bool {
        let len = frame.len();
        let possible =
            len <= self.longest && frame.buffer_count() <= MOST_PIECES && (!complete || len >= LEAST_LENGTH);
        self.counted.rx_length_errors += u64::from(!possible);
        possible
    }
}

/// The frame with what the device says of it.
fn described(mut frame: Frame, completion: &Completion) -> Frame {
    frame.metadata.ip_checksum = completion.ip_checksum;
    frame.metadata.transport_checksum = completion.transport_checksum;
    frame.metadata.vlan = completion.tag;
    frame
}
