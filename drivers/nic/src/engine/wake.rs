//! Has the stopped device wake the machine.

use std::time::Instant;

use hw::PciFunction;

use super::Engine;
use crate::driver::{Fault, Nic};

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Arms the stopped device, or disarms it, as the settings say.
    pub(super) fn arm(&mut self, now: Instant) -> Result<(), Fault> {
        let wanted = {
            let port = self.port.borrow();
            port.settings.wake.magic.then_some(port.settings.mac)
        };
        if self.running.is_some() || wanted == self.armed {
            return Ok(());
        }
        self.power_up(now)?;
        self.disarm()?;
        if let Some(address) = wanted {
            self.nic.arm(address)?;
            self.function.enable_wake(true);
            self.armed = wanted;
            log::info!("a magic packet for {address} wakes the machine");
        }
        Ok(())
    }

    /// Has the device wake nobody any more.
    pub(super) fn disarm(&mut self) -> Result<(), Fault> {
        if self.armed.take().is_some() {
            self.function.enable_wake(false);
            self.nic.reset()?;
        }
        Ok(())
    }
}
