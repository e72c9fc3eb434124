//! The link, as the media status and the PHY's registers tell it.

use hw::Registers;
use nic::Link;

use crate::registers::{ANAR, ANLPAR, Ability, BMCR, Bmcr, MSR, Msr};

/// The state of the link.
pub fn link(registers: &impl Registers) -> Link {
    let status = Msr::from_bits_retain(registers.read8(MSR));
    if status.contains(Msr::LINKB) {
        return Link::Down;
    }
    let speed = if status.contains(Msr::SPEED_10) { 10 } else { 100 };
    Link::Up { speed: Some(speed), full_duplex: is_full_duplex(registers, speed) }
}

/// What was negotiated (IEEE 802.3, annex 28B.3), or what the PHY was set to.
fn is_full_duplex(registers: &impl Registers, speed: u32) -> bool {
    let control = Bmcr::from_bits_retain(registers.read16(BMCR));
    if !control.contains(Bmcr::ANE) {
        return control.contains(Bmcr::DUPLEX_MODE);
    }
    let both = Ability::from_bits_retain(registers.read16(ANAR) & registers.read16(ANLPAR));
    both.contains(if speed == 10 { Ability::TEN_FD } else { Ability::TX_FD })
}
