//! The receive ring: empty buffers out, frames in. A frame never needs more than one buffer.

use hw::dma::Region;
use nic::buffer::CAPACITY;
use nic::frame::HEADER;
use nic::ring::Ring;
use nic::{Buffer, Checksum, Frame, Pool, Statistics};

use crate::descriptors::{self, ReceiveCommand, ReceiveStatus};

/// The device counts and delivers the FCS.
const FCS: usize = 4;

/// Entries that are looked at for each frame of the budget: a device that finishes nothing but bad frames would have
/// no end otherwise.
const MOST_BAD: usize = 4;

/// Gives empty buffers to the device and takes frames from it.
pub struct Receiver {
    ring: Ring<Buffer>,
    descriptors: Region,
    pool: Pool,
    longest: usize,
    counted: Statistics,
}

impl Receiver {
    /// A ring in `descriptors`, with buffers from `pool`.
    pub fn new(descriptors: Region, pool: Pool) -> Self {
        let entries = descriptors.size() / descriptors::SIZE;
        Self { ring: Ring::new(entries), descriptors, pool, longest: 0, counted: Statistics::default() }
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
            let Some(buffer) = self.pool.take() else { break };
            let (place, bus_address) = (self.ring.tail(), buffer.bus_address());
            if self.ring.give(buffer).is_ok() {
                let command = ReceiveCommand::new()
                    .with_buffer_size(CAPACITY as u16)
                    .with_eor(self.is_end(place))
                    .with_own(true);
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
            let Some((status, buffer)) = self.take_entry() else { break };
            frames.extend(self.frame(status, buffer));
        }
    }

    /// Takes all buffers back, after the device was made quiet.
    pub fn reset(&mut self) {
        self.ring.reset().for_each(drop);
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
    fn take_entry(&mut self) -> Option<(ReceiveStatus, Buffer)> {
        let at = self.ring.oldest()? * descriptors::SIZE;
        let status = ReceiveStatus::from(self.descriptors.read_word(at)?);
        if status.own() {
            return None;
        }
        self.ring.take().map(|buffer| (status, buffer))
    }

    /// The frame in `buffer`, if it is a good one.
    fn frame(&mut self, status: ReceiveStatus, mut buffer: Buffer) -> Option<Frame> {
        if let Some(counter) = error_counter(status, &mut self.counted) {
            *counter += 1;
            return None;
        }
        let length = usize::from(status.frame_length()).checked_sub(FCS);
        let possible = length.filter(|length| (HEADER..=self.longest).contains(length));
        let whole = status.fs() && status.ls();
        if !whole || !possible.is_some_and(|length| buffer.set_len(length)) {
            self.counted.rx_length_errors += 1;
            return None;
        }
        let mut frame = Frame::new(buffer);
        (frame.metadata.ip_checksum, frame.metadata.transport_checksum) = checksums(status);
        Some(frame)
    }
}

/// What counts the error that the device has found, if any.
fn error_counter(status: ReceiveStatus, counted: &mut Statistics) -> Option<&mut u64> {
    if status.crc() {
        Some(&mut counted.rx_crc_errors)
    } else if status.fae() {
        Some(&mut counted.rx_frame_errors)
    } else if status.fovf() {
        Some(&mut counted.rx_fifo_errors)
    } else if status.runt() || status.rwt() {
        Some(&mut counted.rx_length_errors)
    } else if status.res() {
        Some(&mut counted.rx_errors)
    } else {
        None
    }
}

/// What the device says of the IP and of the TCP or UDP checksum.
fn checksums(status: ReceiveStatus) -> (Checksum, Checksum) {
    let verdict = |failed| if failed { Checksum::Bad } else { Checksum::Good };
    match status.pid() {
        0 => (Checksum::Unknown, Checksum::Unknown),
        1 => (verdict(status.ipf()), verdict(status.tcpf())),
        2 => (verdict(status.ipf()), verdict(status.udpf())),
        _ => (verdict(status.ipf()), Checksum::Unknown),
    }
}
