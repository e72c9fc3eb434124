//! The devices of the family.

use std::ops::RangeInclusive;

/// Intel's PCI vendor id.
const INTEL: u16 = 0x8086;

/// The least MTU that IPv4 allows (RFC 791).
const LEAST_MTU: usize = 68;

/// What fits a frame of 16128 bytes, the most that the 8254x take (RCTL.LPE), with header and FCS.
const JUMBO: RangeInclusive<usize> = LEAST_MTU..=16_110;

/// What every device takes.
const STANDARD: RangeInclusive<usize> = LEAST_MTU..=1500;

/// How one device of the family differs from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// PCI device id.
    pub device: u16,
    /// Its name.
    pub name: &'static str,
    /// MTUs.
    pub mtu: RangeInclusive<usize>,
    /// The multicast table has the 8254x's 4096 bits.
    pub multicast_table: bool,
}

/// Known devices. The 82540EM, 82544GC and 82545EM are tested in QEMU. The others are untested: they are
/// here because Redox's own driver lists them, and speak the same registers and legacy descriptors.
const CHIPS: [Chip; 6] = [
    Chip { device: 0x1004, name: "82543GC", mtu: STANDARD, multicast_table: true },
    Chip { device: 0x100c, name: "82544GC", mtu: JUMBO, multicast_table: true },
    Chip { device: 0x100e, name: "82540EM", mtu: JUMBO, multicast_table: true },
    Chip { device: 0x100f, name: "82545EM", mtu: JUMBO, multicast_table: true },
    Chip { device: 0x109a, name: "82573L", mtu: STANDARD, multicast_table: true },
    Chip { device: 0x1503, name: "82579V", mtu: STANDARD, multicast_table: false },
];

impl Chip {
    /// The chip with these PCI ids.
    pub fn find(vendor: u16, device: u16) -> Option<Self> {
        CHIPS.into_iter().find(|chip| vendor == INTEL && chip.device == device)
    }
}
