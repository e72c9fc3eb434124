//! What a device gone mad does, step by step.

use std::time::Duration;

use nic::driver::Fault;
use rtl8139::registers::Interrupts;

use crate::model::Rtl8139;
use crate::rig::{Rig, frame};

#[derive(Clone, Copy, Debug)]
pub enum Madness {
    /// Writes `word` over the first word of a receive descriptor.
    Scribble { entry: usize, word: u64 },
    /// Takes a frame to send for sent, whatever became of it.
    Forget { entry: usize },
    /// Raises interrupt causes.
    Cause(u16),
    /// Gives this for the next register that is read, whichever it is.
    Lie(u32),
    /// A frame of this length arrives.
    Arrive(usize),
    /// A frame of this length shall be sent.
    Send(usize),
    /// So many milliseconds pass.
    Wait(u64),
}

/// Does `step`, and all that follows from it.
pub fn act(rig: &mut Rig, reader: usize, index: usize, step: Madness) -> Result<(), Fault> {
    match step {
        Madness::Scribble { entry, word } => {
            rig.slot.with(|model, bus| model.scribble(bus, true, entry, word));
        }
        Madness::Forget { entry } => rig.slot.with(|model, bus| model.scribble(bus, false, entry, 0)),
        Madness::Cause(bits) => {
            rig.slot.with(|model, bus| model.cause(bus, Interrupts::from_bits_retain(bits)));
        }
        Madness::Lie(value) => rig.slot.with(|model, _| model.faults.lies.push_back(value)),
        Madness::Arrive(len) => rig.arrive(&frame(Rtl8139::MAC, len, index)),
        Madness::Send(len) => drop(rig.write_only(reader, &frame([2, 0, 0, 0, 0, 9], len, index))),
        Madness::Wait(millis) => rig.pass(Duration::from_millis(millis))?,
    }
    rig.try_settle()?;
    rig.read_all(reader);
    Ok(())
}
