//! Carries out what is asked of a device beside its settings, and tells of it.

use std::time::Instant;

use hw::PciFunction;

use super::Engine;
use crate::driver::{Fault, Nic};

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Lets the LED show which device it is, or no longer.
    pub(super) fn identify(&mut self, now: Instant) -> Result<(), Fault> {
        let until = self.port.borrow().requests.identify_until;
        let wanted = until.is_some_and(|until| now < until);
        if wanted != self.identifies {
            self.power_up(now)?;
            self.identifies = wanted;
            self.nic.identify(wanted);
        }
        if until.is_some() && !wanted {
            self.port.borrow_mut().requests.identify_until = None;
        }
        Ok(())
    }

    /// Makes the report that readers wait for. A device that is powered down is asked only for what nobody knows without
    /// it.
    pub(super) fn report(&mut self, now: Instant) -> Result<(), Fault> {
        let (wanted, made, needs_device) = {
            let port = self.port.borrow();
            (port.report_wanted, port.report_made, port.requests.eeprom || port.requests.registers)
        };
        if wanted == made {
            return Ok(());
        }
        if needs_device {
            self.power_up(now)?;
            self.arm(now)?;
        }
        if !self.is_powered_down() {
            self.update_link()?;
            self.reclaim(now);
            self.tell_of_device();
        }
        self.port.borrow_mut().report_made = wanted;
        Ok(())
    }

    /// Tells what the device says now.
    fn tell_of_device(&mut self) {
        let mut port = self.port.borrow_mut();
        self.nic.collect(&mut port.statistics);
        if std::mem::take(&mut port.requests.registers) {
            port.registers = self.nic.registers();
        }
        if std::mem::take(&mut port.requests.eeprom) {
            port.eeprom = self.nic.eeprom();
        }
    }
}
