//! Frames that come back.

use hw::fake::Bus;
use ixgbe::chips::Generation;
use ixgbe::registers::{self as reg, Autoc, Hlreg0, Macc};

use super::Ixgbe;

impl Ixgbe {
    /// The link is up by force, and the MAC receives what it sends (82599, 14.1; X540, 15.2.1).
    pub(super) fn is_looped(&self) -> bool {
        let is_forced = match self.generation {
            Some(Generation::X540 | Generation::X550) => self.register(reg::MACC) & Macc::FLU.bits() != 0,
            _ => {
                let control = Autoc::from_bits_retain(self.register(reg::AUTOC));
                control.contains(Autoc::FLU) && control & Autoc::LMS == Autoc::LMS_PARALLEL
            }
        };
        is_forced && self.register(reg::HLREG0) & Hlreg0::LPBK.bits() != 0
    }

    /// Frames leave, or come back.
    pub(super) fn put_on_wire(&mut self, bus: &mut Bus, frames: Vec<Vec<u8>>) {
        if !self.is_looped() {
            return self.sent.extend(frames);
        }
        let lost = self.faults.deaf.min(frames.len());
        self.faults.deaf -= lost;
        frames.iter().skip(lost).for_each(|frame| self.arrive(bus, frame));
    }
}
