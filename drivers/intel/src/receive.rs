//! The receive ring: empty buffers out, frames in.

use std::marker::PhantomData;

use hw::dma::{Region, Table};
use nic::ring::Ring;
use nic::{Buffer, Frame, Pool, Statistics};

use crate::descriptors::{Completion, Receive, WORDS};

/// Buffers of the longest frame, 16128 bytes. A device that chains more lies.
const MOST_PIECES: usize = 8;

/// Destination, source and type, and at least nothing: shorter is no frame.
const LEAST_LENGTH: usize = nic::frame::HEADER;

/// Gives empty buffers to the device and takes frames from it, with descriptors of the format `D`.
pub struct Receiver<D> {
    ring: Ring<Buffer>,
    descriptors: Table<WORDS>,
    pool: Pool,
    assembly: Assembly,
    longest: usize,
    counted: Statistics,
    format: PhantomData<D>,
}

/// A buffer that the device is done with, and what it says of it.
struct Piece {
    buffer: Buffer,
    completion: Completion,
    word: u64,
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
        let descriptors = Table::new(descriptors);
        Self {
            ring: Ring::new(descriptors.entries()),
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
        let before = self.ring.tail();
        while self.ring.give_made(|entry| {
            let buffer = self.pool.take()?;
            self.descriptors.write(entry, [buffer.bus_address(), 0]);
            Some(buffer)
        }) {}
        self.ring.tail() != before
    }

    /// Appends to `frames` at most `budget` that the device has received.
    pub fn take(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        let enough = frames.len() + budget;
        // A bound beside the budget: a device that finishes nothing but bad frames would have no end.
        for _ in 0..budget * MOST_PIECES {
            if frames.len() == enough {
                break;
            }
            let Some(piece) = self.take_piece() else { break };
            let is_whole = piece.completion.ends_frame && matches!(self.assembly, Assembly::Idle);
            if is_whole {
                self.take_whole(piece, frames);
            } else {
                frames.extend(self.assemble(piece));
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

    /// The oldest buffer, if the device is done with it.
    fn take_piece(&mut self) -> Option<Piece> {
        let (buffer, (completion, word)) = self.ring.take_done(|entry| {
            let word = self.descriptors.read(entry, 1)?;
            Some((D::completion(word)?, word))
        })?;
        Some(Piece { buffer, completion, word })
    }

    /// Appends to `frames` the one that this piece is, as most are one, if it is good.
    fn take_whole(&mut self, piece: Piece, frames: &mut Vec<Frame>) {
        let Piece { mut buffer, completion, word } = piece;
        let length = usize::from(completion.length);
        let fits = (LEAST_LENGTH..=self.longest).contains(&length) && buffer.set_len(length);
        if fits && !completion.is_damaged {
            frames.push(Frame::known(buffer, D::metadata(word)));
        } else {
            self.refuse(&completion, buffer);
        }
    }

    /// Counts what is wrong with a frame that is one buffer, and drops it.
    #[cold]
    fn refuse(&mut self, completion: &Completion, buffer: Buffer) {
        if completion.is_damaged {
            self.counted.rx_errors += 1;
        } else {
            self.counted.rx_length_errors += 1;
        }
        drop(buffer);
    }

    /// The frame that ends with this piece, if one does and it is good.
    fn assemble(&mut self, piece: Piece) -> Option<Frame> {
        let Piece { mut buffer, completion, word } = piece;
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
            return frame.map(|mut frame| {
                frame.metadata = D::metadata(word);
                frame
            });
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
