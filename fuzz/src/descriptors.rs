//! The steps of a device of descriptor rings. The targets include it.

use super::madness::Madness;
use crate::input::Input;

/// The next step.
pub fn step(input: &mut Input<'_>) -> Madness {
    match input.u8() % 8 {
        kind @ 0..=2 => Madness::Scribble { receive: kind != 2, entry: input.u8().into(), word: input.u64() },
        3 => Madness::Cause(input.u16().into()),
        4 => Madness::Lie(input.u32()),
        5 => Madness::Arrive(usize::from(input.u16() % 1500) + 14),
        6 => Madness::Send(usize::from(input.u16() % 1500) + 14),
        _ => Madness::Wait(u64::from(input.u16()) % 3000),
    }
}
