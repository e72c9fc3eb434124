//! How frames go to and from a device: as it can.

use std::collections::VecDeque;

use hw::Registers;
use nic::{Frame, Statistics};
use realtek::Rings;
use realtek::descriptors::FastEthernet;
use realtek::rings::DescriptorRings;

use crate::classic::Classic;

/// The ways of an RTL8139C+ and of its predecessors.
#[allow(clippy::large_enum_variant, reason = "there is one of them")]
pub enum Ways {
    /// Rings of descriptors.
    Plus(DescriptorRings<FastEthernet>),
    /// One receive buffer, and four places to send from.
    Classic(Classic),
}

/// The same of both.
macro_rules! either {
    ($ways:expr, $rings:ident => $what:expr) => {
        match $ways {
            Ways::Plus($rings) => $what,
            Ways::Classic($rings) => $what,
        }
    };
}

impl Rings for Ways {
    fn start(&mut self, registers: &impl Registers) {
        either!(self, rings => rings.start(registers));
    }

    fn filtered(&mut self, registers: &impl Registers) {
        either!(self, rings => rings.filtered(registers));
    }

    fn set_longest(&mut self, bytes: usize) {
        either!(self, rings => rings.set_longest(bytes));
    }

    fn give(&mut self, registers: &impl Registers, frames: &mut VecDeque<Frame>) -> bool {
        either!(self, rings => rings.give(registers, frames))
    }

    fn unsent(&self) -> usize {
        either!(self, rings => rings.unsent())
    }

    fn reclaim(&mut self, registers: &impl Registers, frames: &mut Vec<Frame>) {
        either!(self, rings => rings.reclaim(registers, frames));
    }

    fn receive(&mut self, registers: &impl Registers, budget: usize, frames: &mut Vec<Frame>) {
        either!(self, rings => rings.receive(registers, budget, frames));
    }

    fn is_lost(&self) -> bool {
        either!(self, rings => rings.is_lost())
    }

    fn reset(&mut self) -> usize {
        either!(self, rings => rings.reset())
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        either!(self, rings => rings.collect(statistics));
    }
}
