//! The transmit ring: frames out, and back when they are sent. A frame never needs more than one buffer.

use std::collections::VecDeque;

use hw::dma::Region;
use nic::ring::Ring;
use nic::{Frame, Statistics};

use crate::descriptors::{self, TransmitCommand, TransmitStatus};

/// Gives frames to the device, and takes them back when it has sent them.
pub struct Transmitter {
    ring: Ring<Frame>,
    descriptors: Region,
    counted: Statistics,
}

impl Transmitter {
    /// A ring in `descriptors`.
    pub fn new(descriptors: Region) -> Self {
        let entries = descriptors.size() / descriptors::SIZE;
        Self { ring: Ring::new(entries), descriptors, counted: Statistics::default() }
    }

    /// Where the device finds the ring.
    pub fn bus_address(&self) -> u64 {
        self.descriptors.bus_address()
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.ring.owned().len()
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether there were any.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        let mut given = false;
        while self.ring.room() > 0
            && let Some(frame) = frames.pop_front()
        {
            given |= self.give_frame(frame);
        }
        given
    }

    /// Appends to `frames` those that the device has sent, or has given up.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while let Some(status) = self.oldest_status()
            && !status.own()
            && let Some(frame) = self.ring.take()
        {
            count(status, &mut self.counted);
            frames.push(frame);
        }
    }

    /// Takes all frames back, after the device was made quiet; how many there were.
    pub fn reset(&mut self) -> usize {
        let unsent = self.ring.reset().count();
        for place in 0..self.descriptors.size() / descriptors::SIZE {
            self.descriptors.write_word(place * descriptors::SIZE, 0);
        }
        unsent
    }

    /// Adds to `statistics` what was counted since the last call.
    pub fn collect(&mut self, statistics: &mut Statistics) {
        let counted = std::mem::take(&mut self.counted);
        statistics.collisions += counted.collisions;
        statistics.tx_aborted_errors += counted.tx_aborted_errors;
        statistics.tx_carrier_errors += counted.tx_carrier_errors;
        statistics.tx_window_errors += counted.tx_window_errors;
        statistics.tx_fifo_errors += counted.tx_fifo_errors;
    }

    fn give_frame(&mut self, frame: Frame) -> bool {
        let (place, entries) = (self.ring.tail(), self.descriptors.size() / descriptors::SIZE);
        let Some((bus_address, length)) =
            frame.buffers().next().map(|buffer| (buffer.bus_address(), buffer.len()))
        else {
            return false;
        };
        let command = TransmitCommand::new()
            .with_frame_length(length as u16)
            .with_fs(true)
            .with_ls(true)
            .with_eor(place + 1 == entries)
            .with_own(true);
        if self.ring.give(frame).is_err() {
            return false;
        }
        self.descriptors.write_word(place * descriptors::SIZE + 8, bus_address);
        self.descriptors.write_word(place * descriptors::SIZE, command.into())
    }

    fn oldest_status(&self) -> Option<TransmitStatus> {
        let at = self.ring.oldest()? * descriptors::SIZE;
        self.descriptors.read_word(at).map(TransmitStatus::from)
    }
}

/// Counts what has happened to a frame on its way.
fn count(status: TransmitStatus, counted: &mut Statistics) {
    counted.collisions += u64::from(status.cc());
    counted.tx_aborted_errors += u64::from(status.exc());
    counted.tx_carrier_errors += u64::from(status.lnkf());
    counted.tx_window_errors += u64::from(status.owc());
    counted.tx_fifo_errors += u64::from(status.unf());
}
