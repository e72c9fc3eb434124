//! The EEPROM, and what it is read for.

use intel::registers as reg;

use super::{Controller, Kind};
use crate::intel::eeprom;

impl<K: Kind> Controller<K> {
    /// 13.5.2: entry 0 is loaded from the EEPROM.
    pub(super) fn load_address(&mut self) {
        if let [first, second, third, ..] = *self.eeprom
            && !self.faults.loads_no_address
        {
            self.set_register(reg::RAL0, u32::from(second) << 16 | u32::from(first));
            self.set_register(reg::RAH0, 1 << 31 | u32::from(third));
        }
    }

    /// What EERD holds.
    pub(super) fn read_eeprom(&self) -> u32 {
        let request = self.register(reg::EERD);
        if self.faults.no_eerd { request } else { eeprom::answer(&self.eeprom, request, self.late_eerd) }
    }
}
