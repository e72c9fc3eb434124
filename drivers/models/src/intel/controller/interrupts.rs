//! Interrupt causes, and when one interrupts.

use hw::fake::Bus;
use intel::registers::Interrupts;
use nic::Intervals;

use super::{Controller, Kind};

impl<K: Kind> Controller<K> {
    /// The least times between two interrupts that the driver has set.
    pub fn intervals(&self) -> Intervals {
        Intervals::both(K::interval(self))
    }

    /// Raises `causes`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        self.icr |= causes.bits();
        K::caused(self, causes);
        self.drive_interrupt(bus);
    }

    /// Interrupts if there is a cause for it that is enabled.
    pub(super) fn drive_interrupt(&mut self, bus: &mut Bus) {
        let asserted = if self.faults.mute { 0 } else { K::asserted(self) };
        self.interrupt.drive(bus, asserted, self.faults.stuck);
    }
}
