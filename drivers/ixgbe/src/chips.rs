//! The devices of the family.

use std::time::Duration;

use intel::Chip;

/// What fits a frame of 9728 bytes, with header, tag and FCS.
const JUMBO: usize = 9706;

/// How long nothing is asked of a device after a reset began (82599, 4.2.1.6).
const RESET_TIME: Duration = Duration::from_millis(10);

/// How a device differs from the others, as far as the driver must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// An 82599 whose link is a module's, a cable's or a backplane's.
    Serial,
    /// An 82599 with a PHY beside it, which negotiates by itself.
    Copper,
    /// An X540, which has its PHY in it.
    X540,
    /// An X550, which has it, too.
    X550,
}

const fn chip(device: u16, name: &'static str) -> Chip {
    Chip::jumbo(device, name, JUMBO).with_reset_time(RESET_TIME)
}

/// All of them.
pub const CHIPS: &[(Generation, &[Chip])] = &[
    (
        Generation::Serial,
        &[
            chip(0x10fb, "82599"),
            chip(0x10f7, "82599 KX4"),
            chip(0x10f8, "82599 backplane"),
            chip(0x10f9, "82599 CX4"),
            chip(0x10fc, "82599 XAUI"),
            chip(0x1507, "82599 SFP+"),
            chip(0x1514, "82599 KX4"),
            chip(0x1517, "82599 KR"),
            chip(0x1529, "82599 SFP+"),
            chip(0x152a, "82599 backplane"),
            chip(0x154a, "82599 quad SFP+"),
            chip(0x154d, "82599 SFP+"),
            chip(0x1557, "82599 SFP+"),
            chip(0x1558, "82599 QSFP+"),
        ],
    ),
    (Generation::Copper, &[chip(0x151c, "82599 10GBASE-T")]),
    (Generation::X540, &[chip(0x1528, "X540"), chip(0x1560, "X540")]),
    (Generation::X550, &[chip(0x1563, "X550"), chip(0x15d1, "X550")]),
];

/// The one with these PCI ids.
pub fn find(vendor: u16, device: u16) -> Option<(Generation, Chip)> {
    let found = |(generation, chips): &(_, &[Chip])| Some((*generation, Chip::find(chips, vendor, device)?));
    CHIPS.iter().find_map(found)
}
