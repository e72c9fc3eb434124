//! The mode of a link by a module, which the 82599 can be told (82599, 8.2.3.22.19).

use hw::Registers;
use nic::{Media, MediaLimits};

use crate::chips::Generation;
use crate::registers::{AUTOC, Autoc};

/// What a device, which was just reset, can be told. A backplane's mode is negotiated (IEEE 802.3, 73), and so is what a
/// PHY does that has more than 100 Mbit/s (40.5.1): those are left to themselves.
pub fn limits(registers: &impl Registers, generation: Generation) -> Option<MediaLimits> {
    let mode = Autoc::from_bits_retain(registers.read32(AUTOC)) & Autoc::LMS;
    let has_module = generation == Generation::Serial && mode == Autoc::LMS_SERIAL;
    has_module.then_some(MediaLimits { speeds: &[1000, 10_000], half_duplex: false })
}

/// Has the link of a module be so. One that negotiates has what the board is made for.
pub fn set(registers: &impl Registers, media: Media) {
    let mode = if media.negotiates || media.speed > 1000 { Autoc::LMS_SERIAL } else { Autoc::LMS_1G };
    let others = Autoc::from_bits_retain(registers.read32(AUTOC)) - Autoc::LMS;
    registers.write32(AUTOC, (others | mode | Autoc::RESTART_AN).bits());
}
