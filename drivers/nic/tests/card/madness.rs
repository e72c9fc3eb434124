//! What a device of descriptor rings does that has gone mad, step by step.

use std::time::Duration;

use nic::driver::Fault;

use super::model::{Card, Interrupts};
use super::rig::{Rig, frame};

#[derive(Clone, Copy, Debug)]
pub enum Madness {
    /// Writes `word` over what a descriptor says.
    Scribble { receive: bool, entry: usize, word: u64 },
    /// Raises interrupt causes.
    Cause(u32),
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
        Madness::Scribble { receive, entry, word } => {
            rig.slot.with(|model, bus| model.scribble(bus, receive, entry, word));
        }
        Madness::Cause(bits) => {
            rig.slot.with(|model, bus| model.cause(bus, Interrupts::from_bits_retain(bits as _)));
        }
        Madness::Lie(value) => rig.slot.with(|model, _| model.faults.lies.push_back(value)),
        Madness::Arrive(len) => rig.arrive(&frame(Card::MAC, len, index)),
        Madness::Send(len) => drop(rig.write_only(reader, &frame([2, 0, 0, 0, 0, 9], len, index))),
        Madness::Wait(millis) => rig.pass(Duration::from_millis(millis))?,
    }
    rig.try_settle()?;
    rig.read_all(reader);
    Ok(())
}
