//! The steps of a virtio device. The target includes it.

use super::madness::Madness;
use crate::input::Input;

/// The next step.
pub fn step(input: &mut Input<'_>) -> Madness {
    match input.u8() % 12 {
        queue @ 0..=2 => Madness::Scribble(queue.into(), input.u16().into(), input.u16()),
        3 => Madness::Lie(input.u32()),
        4 => Madness::Length(Some(input.u32())),
        5 => Madness::Length(None),
        6 => Madness::Header([input.u8(), input.u8()], Some(input.u16())),
        7 => Madness::Interrupt,
        8 => Madness::Fail,
        9 => Madness::Arrive(usize::from(input.u16() % 1500) + 14),
        10 => Madness::Send(usize::from(input.u16() % 1500) + 14),
        _ => Madness::Wait(u64::from(input.u16()) % 3000),
    }
}
