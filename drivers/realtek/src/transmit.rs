//! The transmit ring: frames out, and back when they are sent.

use std::collections::VecDeque;
use std::marker::PhantomData;

use hw::dma::Region;
use nic::ring::Entries;
use nic::{Frame, Statistics};

use crate::descriptors::{self, Layout, TransmitCommand, TransmitStatus};
use crate::tasks::{Task, Tasks};

/// Gives frames to the device, with descriptors of the layout `L`, and takes them back when it has sent them.
pub struct Transmitter<L> {
    ring: Entries,
    descriptors: Region,
    tasks: Tasks,
    /// The frames that the device has, oldest first.
    given: VecDeque<Given>,
    counted: Statistics,
    layout: PhantomData<L>,
}

/// A frame that the device was given with so many descriptors.
struct Given {
    frame: Frame,
    descriptors: usize,
}

impl<L: Layout> Transmitter<L> {
    /// A ring in `descriptors`, which tell of `tasks` in this way.
    pub fn new(descriptors: Region, tasks: Tasks) -> Self {
        let entries = descriptors.size() / descriptors::SIZE;
        Self {
            ring: Entries::new(entries),
            descriptors,
            tasks,
            given: VecDeque::with_capacity(entries),
            counted: Statistics::default(),
            layout: PhantomData,
        }
    }

    /// Where the device finds the ring.
    pub fn bus_address(&self) -> u64 {
        self.descriptors.bus_address()
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.given.len()
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether there were any.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        let mut given = false;
        while frames.front().is_some_and(|frame| frame.buffer_count() <= self.ring.room()) {
            let Some(frame) = frames.pop_front() else { break };
            self.give_frame(frame);
            given = true;
        }
        given
    }

    /// Appends to `frames` those that the device has sent, or has given up.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while let Some(status) = self.given.front().and_then(|given| self.status(given))
            && !status.own()
        {
            if L::TELLS_OF_SENT {
                count(status, &mut self.counted);
            }
            let Some(Given { frame, descriptors }) = self.given.pop_front() else { break };
            self.ring.take(descriptors);
            frames.push(frame);
        }
    }

    /// Takes all frames back, after the device was made quiet; how many there were.
    pub fn reset(&mut self) -> usize {
        self.ring.reset();
        for place in 0..self.entries() {
            self.descriptors.write_word(place * descriptors::SIZE, 0);
        }
        self.given.drain(..).len()
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

    fn entries(&self) -> usize {
        self.descriptors.size() / descriptors::SIZE
    }

    fn give_frame(&mut self, mut frame: Frame) {
        let (first, descriptors) = (self.ring.tail(), frame.buffer_count());
        let task = Task::of(&frame);
        if task.is_some_and(|task| task.wants_no_lengths()) {
            frame.leave_lengths_out();
        }
        let task = task.map_or(0, |task| self.tasks.command(task));
        let tag = frame.metadata.vlan;
        let mut begin = 0;
        for (index, buffer) in frame.buffers().enumerate() {
            let place = self.ring.tail();
            let command = TransmitCommand::new()
                .with_frame_length(buffer.len() as u16)
                .with_fs(index == 0)
                .with_ls(index + 1 == descriptors)
                .with_eor(place + 1 == self.entries())
                .with_tagc(tag.is_some())
                .with_vlan_tag(tag.unwrap_or_default().swap_bytes())
                .with_own(true);
            let command = u64::from(command) | task;
            self.descriptors.write_word(place * descriptors::SIZE + 8, buffer.bus_address());
            if index == 0 {
                begin = command;
            } else {
                self.descriptors.write_word(place * descriptors::SIZE, command);
            }
            // There is room: a frame's buffers were counted.
            let _ = self.ring.give();
        }
        // The device looks for frames by itself: the first descriptor is given once all the others are.
        self.descriptors.write_word(first * descriptors::SIZE, begin);
        self.given.push_back(Given { frame, descriptors });
    }

    /// What the device says of a frame that is its oldest, with the last buffer.
    fn status(&self, oldest: &Given) -> Option<TransmitStatus> {
        let last = self.ring.behind(oldest.descriptors - 1)?;
        self.descriptors.read_word(last * descriptors::SIZE).map(TransmitStatus::from)
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
