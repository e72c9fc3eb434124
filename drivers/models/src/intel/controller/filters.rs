//! Which frames from the wire are for the driver, and which have a tag.

use intel::registers::{self as reg, Ctrl, Rctl};

use super::{Controller, Kind};

impl<K: Kind> Controller<K> {
    /// Whether the filters let a frame through.
    pub(super) fn accepts(&self, control: Rctl, frame: &[u8]) -> bool {
        let Some(destination) = frame.get(..6) else { return false };
        let has_vlan = || self.registers.has_vlan(reg::VFTA, frame);
        if control.contains(Rctl::VFE) && self.is_tagged(frame) && !has_vlan() {
            return false;
        }
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => control.contains(Rctl::BAM),
            [first, ..] if first & 1 != 0 => {
                control.contains(Rctl::MPE) || self.registers.has_group(reg::MTA, destination)
            }
            _ => control.contains(Rctl::UPE) || self.registers.has_address(reg::RAL0, destination),
        }
    }

    /// It inserts tags and takes them off (9.2).
    pub(super) fn handles_tags(&self) -> bool {
        self.register(reg::CTRL) & Ctrl::VME.bits() != 0
    }

    /// A frame has a tag of the type that VET tells.
    pub(super) fn is_tagged(&self, frame: &[u8]) -> bool {
        frame.len() >= 18 && frame[12..14] == (self.register(reg::VET) as u16).to_be_bytes()
    }
}
