//! How frames go to and from a device: by rings of descriptors, or in the way of an older one.

use std::collections::VecDeque;

use hw::{Error, Registers};
use nic::{Frame, Memory, Statistics};

use crate::descriptors::{self, Layout};
use crate::receive::Receiver;
use crate::registers as reg;
use crate::tasks::Tasks;
use crate::transmit::Transmitter;

/// Rings begin at a multiple of this.
pub(crate) const ALIGNMENT: usize = 256;

/// Bytes of a ring of so many entries.
fn bytes(entries: u16) -> usize {
    usize::from(entries) * descriptors::SIZE
}

/// Bytes that rings of these sizes take.
pub(crate) fn memory(rings: nic::Rings) -> usize {
    bytes(rings.receive) + bytes(rings.transmit) + 2 * ALIGNMENT
}

/// What a device is given to put frames into, and to take them from.
pub trait Rings {
    /// Tells the device, which was reset, where all that is.
    fn start(&mut self, registers: &impl Registers);

    /// The device was told anew which frames to receive.
    fn filtered(&mut self, _registers: &impl Registers) {}

    /// Drops frames that are longer than `bytes`.
    fn set_longest(&mut self, bytes: usize);

    /// Gives the device frames from the front of `frames`, as many as fit. Whether it has to be told of them.
    fn give(&mut self, registers: &impl Registers, frames: &mut VecDeque<Frame>) -> bool;

    /// How many frames the device has yet to send.
    fn unsent(&self) -> usize;

    /// Appends to `frames` those that the device has sent, or has given up.
    fn reclaim(&mut self, registers: &impl Registers, frames: &mut Vec<Frame>);

    /// Appends to `frames` at most `budget` that the device has received, and lets it receive more.
    fn receive(&mut self, registers: &impl Registers, budget: usize, frames: &mut Vec<Frame>);

    /// What the device says cannot be, and only a reset helps.
    fn is_lost(&self) -> bool {
        false
    }

    /// Takes all back, after the device was made quiet; how many frames there were that it has not sent.
    fn reset(&mut self) -> usize;

    /// Adds to `statistics` what was counted since the last call.
    fn collect(&mut self, statistics: &mut Statistics);
}

/// A ring each way, with descriptors of the layout `L`.
pub struct DescriptorRings<L> {
    receiver: Receiver<L>,
    transmitter: Transmitter<L>,
}

impl<L: Layout> DescriptorRings<L> {
    /// Rings in `memory`, of the sizes that it is for, with empty buffers from there. The device is told of `tasks` in this
    /// way.
    pub fn new(Memory { arena, pools, rings }: Memory, tasks: Tasks) -> Result<Self, Error> {
        let ring = |entries| arena.allocate(bytes(entries), ALIGNMENT);
        Ok(Self {
            receiver: Receiver::new(ring(rings.receive)?, pools.receive),
            transmitter: Transmitter::new(ring(rings.transmit)?, tasks),
        })
    }
}

impl<L: Layout> Rings for DescriptorRings<L> {
    fn start(&mut self, registers: &impl Registers) {
        self.receiver.fill();
        write_address(registers, reg::RDSAR, reg::RDSAR_HIGH, self.receiver.bus_address());
        write_address(registers, reg::TNPDS, reg::TNPDS_HIGH, self.transmitter.bus_address());
    }

    fn set_longest(&mut self, bytes: usize) {
        self.receiver.set_longest(bytes);
    }

    fn give(&mut self, _registers: &impl Registers, frames: &mut VecDeque<Frame>) -> bool {
        self.transmitter.give(frames)
    }

    fn unsent(&self) -> usize {
        self.transmitter.unsent()
    }

    fn reclaim(&mut self, _registers: &impl Registers, frames: &mut Vec<Frame>) {
        self.transmitter.reclaim(frames);
    }

    fn receive(&mut self, _registers: &impl Registers, budget: usize, frames: &mut Vec<Frame>) {
        self.receiver.take(budget, frames);
        self.receiver.fill();
    }

    fn reset(&mut self) -> usize {
        self.receiver.reset();
        self.transmitter.reset()
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        self.receiver.collect(statistics);
        self.transmitter.collect(statistics);
    }
}

fn write_address(registers: &impl Registers, low: usize, high: usize, address: u64) {
    registers.write32(low, address as u32);
    registers.write32(high, (address >> 32) as u32);
}
