//! The receive ring: empty buffers out, frames in.

use std::marker::PhantomData;

use hw::dma::Region;
use nic::buffer::CAPACITY;
use nic::frame::HEADER;
use nic::ring::Ring;
use nic::{Buffer, Checksum, Frame, Pool, Statistics};

use crate::descriptors::{self, Completion, Layout, Receive};

/// The device counts and delivers the FCS.
const FCS: usize = 4;

/// What a buffer's address is a multiple of, and its size (RTL8169).
const ALIGNMENT: usize = 8;

/// Bytes of a buffer for the device, which may lose some of it to its alignment.
const PIECE: usize = CAPACITY - ALIGNMENT;

/// Entries that are looked at for each frame of the budget: a device that finishes nothing but bad frames would have
/// no end otherwise.
const MOST_BAD: usize = 8;

/// Gives empty buffers to the device and takes frames from it, with descriptors of the layout `L`.
pub struct Receiver<L> {
    ring: Ring<Buffer>,
    descriptors: Region,
    pool: Pool,
    assembly: Assembly,
    longest: usize,
    counted: Statistics,
    layout: PhantomData<L>,
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

impl Assembly {
    /// After a bad frame's buffer, which was its `last` or not.
    fn after_bad(last: bool) -> Self {
        if last { Self::Idle } else { Self::Discarding }
    }
}

impl<L: Layout> Receiver<L> {
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
            layout: PhantomData,
        }
    }

    /// Where the device finds the ring.
    pub fn bus_address(&self) -> u64 {
        self.descriptors.bus_address()
    }

    /// Drops frames that are longer than `bytes`.
    pub fn set_longest(&mut self, bytes: usize) {
        self.longest = bytes;
    }

    /// Gives empty buffers to the device while there are any.
    pub fn fill(&mut self) {
        while self.ring.room() > 0 {
            let Some(buffer) = self.pool.take().and_then(aligned) else { break };
            let (place, bus_address) = (self.ring.tail(), buffer.bus_address());
            if self.ring.give(buffer).is_ok() {
                let command =
                    Receive::new().with_buffer_size(PIECE as u16).with_eor(self.is_end(place)).with_own(true);
                self.descriptors.write_word(place * descriptors::SIZE + 8, bus_address);
                self.descriptors.write_word(place * descriptors::SIZE, command.into());
            }
        }
    }

    /// Appends to `frames` at most `budget` that the device has received.
    pub fn take(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        let enough = frames.len() + budget;
        for _ in 0..budget * MOST_BAD {
            if frames.len() == enough {
                break;
            }
            let Some((word, buffer)) = self.take_entry() else { break };
            let descriptor = Receive::from(word);
            let is_whole = descriptor.fs() && descriptor.ls() && matches!(self.assembly, Assembly::Idle);
            if is_whole {
                self.whole(word, buffer, frames);
            } else {
                frames.extend(self.assemble(word, buffer));
            }
        }
    }

    /// Takes all buffers back, after the device was made quiet.
    pub fn reset(&mut self) {
        self.ring.reset().for_each(drop);
        self.assembly = Assembly::Idle;
        // The driver's entry at the tail was the device's in an earlier round.
        for place in 0..self.entries() {
            self.descriptors.write_word(place * descriptors::SIZE, 0);
        }
    }

    /// Adds to `statistics` what was counted since the last call.
    pub fn collect(&mut self, statistics: &mut Statistics) {
        let counted = std::mem::take(&mut self.counted);
        statistics.rx_errors += counted.rx_errors;
        statistics.rx_length_errors += counted.rx_length_errors;
        statistics.rx_crc_errors += counted.rx_crc_errors;
        statistics.rx_frame_errors += counted.rx_frame_errors;
        statistics.rx_fifo_errors += counted.rx_fifo_errors;
    }

    fn entries(&self) -> usize {
        self.descriptors.size() / descriptors::SIZE
    }

    fn is_end(&self, place: usize) -> bool {
        place + 1 == self.entries()
    }

    /// The oldest buffer and what the device says of it, if it is done with it.
    fn take_entry(&mut self) -> Option<(u64, Buffer)> {
        let word = self.descriptors.read_word(self.ring.oldest()? * descriptors::SIZE)?;
        if Receive::from(word).own() {
            return None;
        }
        self.ring.take().map(|buffer| (word, buffer))
    }

    /// Appends to `frames` the one that this buffer is, as most are one, if it is good.
    fn whole(&mut self, word: u64, mut buffer: Buffer, frames: &mut Vec<Frame>) {
        let (length, completion) = L::completion(word);
        if let Some(counter) = error_counter(completion, &mut self.counted) {
            *counter += 1;
        } else if self.is_possible(length, length) && buffer.set_len(length - FCS) {
            frames.push(described(Frame::new(buffer), completion, word));
        } else {
            self.counted.rx_length_errors += 1;
        }
    }

    /// Whether a frame can have this length with its FCS, and so many bytes in its last buffer.
    fn is_possible(&self, length: usize, last: usize) -> bool {
        (HEADER + FCS..=self.longest + FCS).contains(&length) && (1..=PIECE).contains(&last)
    }

    /// The frame that ends in this buffer, if one does and it is good.
    fn assemble(&mut self, word: u64, mut buffer: Buffer) -> Option<Frame> {
        let descriptor = Receive::from(word);
        let begun = match (std::mem::replace(&mut self.assembly, Assembly::Idle), descriptor.fs()) {
            (Assembly::Begun(_), true) => {
                self.counted.rx_length_errors += 1;
                None
            }
            (_, true) => None,
            (Assembly::Begun(frame), false) => Some(frame),
            (Assembly::Idle, false) => return self.refuse(descriptor.ls()),
            (Assembly::Discarding, false) => {
                self.assembly = Assembly::after_bad(descriptor.ls());
                return None;
            }
        };
        let before = begun.as_ref().map_or(0, Frame::len);
        if descriptor.ls() {
            let (length, completion) = L::completion(word);
            let frame = self.finish(begun, length, length.saturating_sub(before), completion, buffer)?;
            return Some(described(frame, completion, word));
        }
        if before + PIECE >= self.longest + FCS || !buffer.set_len(PIECE) {
            return self.refuse(false);
        }
        self.assembly = Assembly::Begun(append(begun, buffer));
        None
    }

    /// The frame of `length` bytes with its FCS, of which the `last` ones are in `buffer`, if it is a good one.
    fn finish(
        &mut self,
        begun: Option<Frame>,
        length: usize,
        last: usize,
        completion: Completion,
        mut buffer: Buffer,
    ) -> Option<Frame> {
        if let Some(counter) = error_counter(completion, &mut self.counted) {
            *counter += 1;
            return None;
        }
        if !self.is_possible(length, last) || !buffer.set_len(last) {
            return self.refuse(true);
        }
        let mut frame = append(begun, buffer);
        frame.truncate(length - FCS);
        Some(frame)
    }

    /// Counts a frame whose descriptors cannot be; this one was its `last`, or the rest of it is thrown away.
    fn refuse(&mut self, last: bool) -> Option<Frame> {
        self.counted.rx_length_errors += 1;
        self.assembly = Assembly::after_bad(last);
        None
    }
}

/// The frame with what the device says of it.
fn described(mut frame: Frame, completion: Completion, word: u64) -> Frame {
    let descriptor = Receive::from(word);
    (frame.metadata.ip_checksum, frame.metadata.transport_checksum) = checksums(completion);
    frame.metadata.vlan = descriptor.tava().then(|| descriptor.vlan_tag().swap_bytes());
    frame
}

/// `begun` and `next`.
fn append(begun: Option<Frame>, next: Buffer) -> Frame {
    match begun {
        None => Frame::new(next),
        Some(mut frame) => {
            frame.push(next);
            frame
        }
    }
}

/// `buffer`, whose contents begin where the device can write.
fn aligned(mut buffer: Buffer) -> Option<Buffer> {
    let skipped = (buffer.bus_address().wrapping_neg() % ALIGNMENT as u64) as usize;
    (buffer.set_len(skipped) && buffer.strip(skipped)).then_some(buffer)
}

/// What counts the error that the device has found, if any.
fn error_counter(completion: Completion, counted: &mut Statistics) -> Option<&mut u64> {
    if completion.crc() {
        Some(&mut counted.rx_crc_errors)
    } else if completion.fae() {
        Some(&mut counted.rx_frame_errors)
    } else if completion.fovf() {
        Some(&mut counted.rx_fifo_errors)
    } else if completion.runt() || completion.rwt() {
        Some(&mut counted.rx_length_errors)
    } else if completion.res() {
        Some(&mut counted.rx_errors)
    } else {
        None
    }
}

/// What the device says of the IP and of the TCP or UDP checksum.
fn checksums(completion: Completion) -> (Checksum, Checksum) {
    let verdict = |failed| if failed { Checksum::Bad } else { Checksum::Good };
    match completion.pid() {
        0 => (Checksum::Unknown, Checksum::Unknown),
        1 => (verdict(completion.ipf()), verdict(completion.tcpf())),
        2 => (verdict(completion.ipf()), verdict(completion.udpf())),
        _ => (verdict(completion.ipf()), Checksum::Unknown),
    }
}
