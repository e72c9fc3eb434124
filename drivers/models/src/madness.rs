//! What a device of descriptor rings does that has gone mad, step by step.

use std::time::Duration;

use hw::fake::Bus;
use nic::driver::Fault;

use crate::driven::Driven;
use crate::intel::controller::{self, Controller};
use crate::ixgbe::Ixgbe;
use crate::realtek::chip::{self, Chip};
use crate::rig::{Rig, frame};
use crate::vmxnet3::Vmxnet3;

/// A device of descriptor rings.
pub trait Rings: Driven {
    /// Writes `word` over what a descriptor says.
    fn overwrite(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64);

    /// Raises interrupt causes: their bits in its register.
    fn raise(&mut self, bus: &mut Bus, causes: u32);
}

/// Each model has all of it already, by the names that its own tests use.
macro_rules! rings {
    ([$($generics:tt)*] $model:ty, $causes:ty) => {
        impl<$($generics)*> Rings for $model {
            fn overwrite(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
                self.scribble(bus, receive, entry, word);
            }

            fn raise(&mut self, bus: &mut Bus, causes: u32) {
                self.cause(bus, <$causes>::from_bits_retain(causes as _));
            }
        }
    };
}

rings!([K: controller::Kind + 'static] Controller<K>, ::intel::registers::Interrupts);
rings!([K: chip::Kind + 'static] Chip<K>, ::realtek::registers::Interrupts);
rings!([] Ixgbe, ::ixgbe::registers::Interrupts);
rings!([] Vmxnet3, ::vmxnet3::registers::Events);

/// What a device gone mad does.
#[derive(Clone, Copy, Debug)]
pub enum Madness {
    /// Writes `word` over what a descriptor says.
    Scribble {
        /// The receive ring's, not the transmit ring's.
        receive: bool,
        /// Its number, which may be past the ring's end.
        entry: usize,
        /// What is written.
        word: u64,
    },
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

/// Does `step`, and all that follows from it; `reader` reads what comes. `index` tells the frames of the steps apart.
///
/// # Errors
///
/// The driver gives the device up.
pub fn act<C: Rings>(rig: &mut Rig<C>, reader: usize, index: usize, step: Madness) -> Result<(), Fault> {
    match step {
        Madness::Scribble { receive, entry, word } => {
            rig.slot.with(|model, bus| model.overwrite(bus, receive, entry, word));
        }
        Madness::Cause(bits) => {
            rig.slot.with(|model, bus| model.raise(bus, bits));
        }
        Madness::Lie(value) => rig.slot.with(|model, _| model.lies().push_back(value)),
        Madness::Arrive(len) => rig.arrive(&frame(C::MAC, len, index)),
        Madness::Send(len) => drop(rig.write_only(reader, &frame([2, 0, 0, 0, 0, 9], len, index))),
        Madness::Wait(millis) => rig.pass(Duration::from_millis(millis))?,
    }
    rig.try_settle()?;
    rig.read_all(reader);
    Ok(())
}
