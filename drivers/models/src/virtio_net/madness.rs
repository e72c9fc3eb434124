//! What a virtio device does that has gone mad, step by step.

use std::time::Duration;

use nic::driver::Fault;

use super::Device;
use crate::rig::{Rig, frame};

/// What a device gone mad does.
#[derive(Clone, Copy, Debug)]
pub enum Madness {
    /// Writes over 16 bits of a virtqueue's device area.
    Scribble(usize, usize, u16),
    /// Gives this for the next register that is read.
    Lie(u32),
    /// Says so many bytes of the next frames.
    Length(Option<u32>),
    /// Begins the header of the next frames like this.
    Header([u8; 2], Option<u16>),
    /// Interrupts without a cause.
    Interrupt,
    /// Says that it needs a reset.
    Fail,
    /// A frame of this length arrives.
    Arrive(usize),
    /// A frame of this length shall be sent.
    Send(usize),
    /// So many milliseconds pass.
    Wait(u64),
}

/// Does `step`, and all that follows from it; `reader` reads what comes. `index` tells the frames of the steps apart.
///
/// # Errors
///
/// The driver gives the device up.
pub fn act<const PACKED: bool>(
    rig: &mut Rig<Device<PACKED>>,
    reader: usize,
    index: usize,
    step: Madness,
) -> Result<(), Fault> {
    match step {
        Madness::Scribble(queue, place, word) => {
            rig.slot.with(|model, bus| model.scribble(bus, queue, place, word));
        }
        Madness::Lie(value) => rig.slot.with(|model, _| model.faults.lies.push_back(value)),
        Madness::Length(length) => rig.slot.with(|model, _| model.faults.length = length),
        Madness::Header(header, num_buffers) => rig.slot.with(|model, _| {
            (model.faults.header, model.faults.num_buffers) = (Some(header), num_buffers);
        }),
        Madness::Interrupt => rig.slot.with(|model, bus| model.interrupt(bus)),
        Madness::Fail => rig.slot.with(|model, bus| model.fail(bus)),
        Madness::Arrive(len) => rig.arrive(&frame(Device::<PACKED>::MAC, len, index)),
        Madness::Send(len) => drop(rig.write_only(reader, &frame([2, 0, 0, 0, 0, 9], len, index))),
        Madness::Wait(millis) => rig.pass(Duration::from_millis(millis))?,
    }
    rig.try_settle()?;
    rig.read_all(reader);
    Ok(())
}
