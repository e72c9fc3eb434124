//! Which frames from the wire are for the driver.

use ixgbe::registers::{self as reg, Fctrl, Mcstctrl, Vlnctrl};
use nic::frame::is_tagged;

use super::Ixgbe;

impl Ixgbe {
    /// Whether the filters let a frame through.
    pub(super) fn accepts(&self, frame: &[u8]) -> bool {
        let control = Fctrl::from_bits_retain(self.register(reg::FCTRL));
        let Some(destination) = frame.get(..6) else { return false };
        if is_tagged(frame) && !self.accepts_vlan(frame) {
            return false;
        }
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => control.contains(Fctrl::BAM),
            [first, ..] if first & 1 != 0 => control.contains(Fctrl::MPE) || self.has_group(destination),
            _ => control.contains(Fctrl::UPE) || self.registers.has_address(reg::RAL0, destination),
        }
    }

    fn accepts_vlan(&self, frame: &[u8]) -> bool {
        let filters = self.register(reg::VLNCTRL) == Vlnctrl::all().bits();
        !filters || self.registers.has_vlan(reg::VFTA, frame)
    }

    fn has_group(&self, group: &[u8]) -> bool {
        let used = self.register(reg::MCSTCTRL) & Mcstctrl::MFE.bits() != 0;
        used && self.registers.has_group(reg::MTA, group)
    }
}
