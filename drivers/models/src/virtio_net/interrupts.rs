//! When the device interrupts, and how.

use hw::fake::Bus;
use nic::Intervals;
use virtio_net::registers::{Isr, NO_VECTOR};

use super::Device;

impl<const PACKED: bool> Device<PACKED> {
    /// The least time between two interrupts.
    pub fn intervals(&self) -> Intervals {
        self.delays
    }

    /// Interrupts for no reason.
    pub fn interrupt(&mut self, bus: &mut Bus) {
        bus.raise(0);
        self.drive_line(bus);
    }

    /// Tells that its configuration is another.
    pub(super) fn config_changed(&mut self, bus: &mut Bus) {
        if !self.is_quiet() && !self.faults.mute {
            self.raise(bus, self.config_vector, Isr::CONFIGURATION);
        }
    }

    /// A message where there is a vector, the line otherwise (4.1.4.5).
    pub(super) fn raise(&mut self, bus: &mut Bus, vector: u16, isr: Isr) {
        if vector != NO_VECTOR {
            return bus.raise(vector);
        }
        self.isr |= isr;
        self.drive_line(bus);
    }

    /// The line is up while its cause was not read.
    pub(super) fn drive_line(&self, bus: &mut Bus) {
        if !self.isr.is_empty() || self.faults.stuck { bus.raise(0) } else { bus.lower() }
    }
}
