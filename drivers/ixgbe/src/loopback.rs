//! The MAC's loopback: what it sends it receives, and nothing gets out (82599, 14.1; X540, 15.2.1).

use hw::Registers;

use crate::chips::Generation;
use crate::registers::{AUTOC, Autoc, HLREG0, Hlreg0, MACC, Macc};

/// The loopback of a device.
pub struct Loopback {
    /// Where its link is forced up, without which it sends nothing.
    register: usize,
    /// What was there before, while it is.
    before: Option<u32>,
}

impl Loopback {
    /// That of a device of this generation.
    pub fn of(generation: Generation) -> Self {
        let register = match generation {
            Generation::Serial | Generation::Copper => AUTOC,
            Generation::X540 | Generation::X550 => MACC,
        };
        Self { register, before: None }
    }

    /// Has the device receive what it sends, or no longer.
    pub fn set(&mut self, registers: &impl Registers, on: bool) {
        let mut mac = Hlreg0::from_bits_retain(registers.read32(HLREG0));
        mac.set(Hlreg0::LPBK, on);
        registers.write32(HLREG0, mac.bits());
        match self.before.take() {
            None if on => {
                let before = registers.read32(self.register);
                registers.write32(self.register, self.forced(before));
                self.before = Some(before);
            }
            Some(before) => registers.write32(self.register, self.restored(before)),
            None => (),
        }
    }

    /// The link is up, whatever is there to link to.
    fn forced(&self, before: u32) -> u32 {
        if self.register == MACC {
            return (Macc::from_bits_retain(before) | Macc::FLU).bits();
        }
        let others = Autoc::from_bits_retain(before) - Autoc::LMS;
        (others | Autoc::LMS_PARALLEL | Autoc::FLU | Autoc::RESTART_AN).bits()
    }

    /// It is what it was; where it was negotiated, it is again.
    fn restored(&self, before: u32) -> u32 {
        if self.register == MACC { before } else { before | Autoc::RESTART_AN.bits() }
    }
}
