//! What wakes the machine.

use hw::fake::Bus;
use intel::registers::{WUC, WUFC, WUS};
use ixgbe::registers as reg;

use super::Ixgbe;
use crate::packets::is_magic;

/// WUFC and WUS: magic packets. WUC: they are signalled.
const MAG: u32 = 1 << 1;
const PME_EN: u32 = 1 << 1;

/// Both ports wake the machine, says the word of device capabilities of an EEPROM.
pub(super) fn wired(mut eeprom: Vec<u16>) -> Vec<u16> {
    eeprom[0x2c] = 1 << 2;
    eeprom
}

impl Ixgbe {
    /// Signals a magic packet for its address that has passed its filters, if it is told to (82599, 5.3).
    pub(super) fn look_for_magic(&mut self, bus: &mut Bus, frame: &[u8]) {
        let looks = self.register(WUFC) & MAG != 0 && self.register(WUC) & PME_EN != 0;
        let is_its_own = |address: &[u8]| self.registers.has_address(reg::RAL0, address);
        if looks && is_magic(frame, is_its_own) {
            self.set_register(WUS, MAG);
            bus.signal_wake();
        }
    }
}
