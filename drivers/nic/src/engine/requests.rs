//! Carries out what is asked of a device beside its settings.

use std::time::Instant;

use hw::PciFunction;

use super::Engine;
use crate::driver::Nic;

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Lets the LED show which device it is, or no longer.
    pub(super) fn identify(&mut self, now: Instant) {
        let until = self.port.borrow().requests.identify_until;
        let wanted = until.is_some_and(|until| now < until);
        if wanted != self.identifies {
            self.identifies = wanted;
            self.nic.identify(wanted);
        }
        if until.is_some() && !wanted {
            self.port.borrow_mut().requests.identify_until = None;
        }
    }
}
