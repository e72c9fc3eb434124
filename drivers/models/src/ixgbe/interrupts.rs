//! Interrupt causes, and when one interrupts.

use hw::fake::Bus;
use ixgbe::registers::{self as reg, Allocation, Eitr, Gpie, Interrupts, IvarMisc, eitr, ivar};
use nic::Intervals;

use super::Ixgbe;

impl Ixgbe {
    /// The least time between two interrupts, which is one for both directions.
    pub fn intervals(&self) -> Intervals {
        Intervals::both(u32::from(Eitr::from(self.register(eitr(0))).interval()) * 2)
    }

    /// Raises `causes`, as it pleases. Those of queues go where IVAR says, and all others by a vector of theirs, too.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        let [sent, received] =
            [self.allocations(0)[1], self.allocations(self.queue / 2)[usize::from(self.queue % 2) * 2]];
        let misc = IvarMisc::from(self.register(reg::IVAR_MISC));
        let mut raised = (causes - Interrupts::RECEIVE - Interrupts::TRANSMIT).bits();
        for (cause, valid, place) in [
            (Interrupts::RECEIVE, received.valid(), received.cause()),
            (Interrupts::TRANSMIT, sent.valid(), sent.cause()),
            (Interrupts::LSC, self.has_vectors() && misc.other_valid(), misc.other()),
        ] {
            if causes.contains(cause) && valid && place < 16 {
                raised |= 1 << place;
            }
        }
        self.set_register(reg::EICR, self.register(reg::EICR) | raised);
        self.drive_interrupt(bus);
    }

    /// The causes of a pair of queues.
    fn allocations(&self, pair: u16) -> [Allocation; 4] {
        self.register(ivar(pair)).to_le_bytes().map(Allocation::from)
    }

    fn has_vectors(&self) -> bool {
        self.register(reg::GPIE) & Gpie::MULTIPLE_MSIX.bits() != 0
    }

    /// Interrupts if there is a cause for it that is enabled.
    pub(super) fn drive_interrupt(&mut self, bus: &mut Bus) {
        let asserted = self.register(reg::EICR) & self.register(reg::EIMS);
        let asserted = if self.faults.mute { 0 } else { asserted };
        self.interrupt.drive(bus, asserted, self.faults.stuck);
    }
}
