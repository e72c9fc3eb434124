//! Interrupt causes, and when one interrupts.

use hw::fake::Bus;
use realtek::registers::Interrupts;

use super::{Chip, Kind};

impl<K: Kind> Chip<K> {
    /// Raises `causes`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        self.isr |= causes.bits() & 0xffff;
        self.drive_interrupt(bus);
    }

    /// The causes that are enabled.
    pub(super) fn enabled(&self) -> u32 {
        let (offset, size) = K::mask(self);
        self.get(offset, size)
    }

    /// Interrupts if there is a cause for it that is enabled.
    pub(super) fn drive_interrupt(&mut self, bus: &mut Bus) {
        let asserted = if self.faults.mute { 0 } else { self.isr & self.enabled() };
        self.interrupt.drive(bus, asserted, self.faults.stuck);
    }
}
