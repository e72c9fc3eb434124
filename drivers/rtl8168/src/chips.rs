//! The devices of the family.

use nic::Features;
use realtek::tasks::Tasks;

use crate::registers::{Config3, Config4};

/// What came with which controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// PCI.
    Rtl8169,
    /// PCI Express.
    Rtl8168,
    /// Shared with a management processor, and with a PHY behind another register.
    Rtl8168G,
    /// 2.5 Gbit/s.
    Rtl8125,
}

/// One device.
#[derive(Clone, Copy, Debug)]
pub struct Chip {
    /// Its version, in [`VERSION`].
    pub version: u32,
    /// Its name.
    pub name: &'static str,
    /// What came with it.
    pub generation: Generation,
    /// The largest MTU: what fits its memory, with header, tag and FCS.
    pub mtu: usize,
    /// What has to be set for frames that are longer than Ethernet's.
    pub jumbo: (Config3, Config4),
    /// How it is told what to do for the frames that it sends.
    pub tasks: Tasks,
    /// CONFIG3 has it look for magic packets. The later ones are told elsewhere, of which there is no public data sheet.
    pub wakes: bool,
    /// What the others do for the driver, and it does not.
    pub lacks: Features,
}

impl Chip {
    /// One of the first, which find checksums by themselves, and magic packets as they always did.
    const fn of_the_first(self) -> Self {
        Self { tasks: Tasks::First, wakes: true, ..self }
    }

    const fn without(self, lacks: Features) -> Self {
        Self { lacks, ..self }
    }
}

/// The bits of TCR that tell one [`Chip`] from another.
pub const VERSION: u32 = 0x7c80_0000;

/// What jumbo frames of so many KiB leave for the payload: less header, tag and FCS.
const fn kib(size: usize) -> usize {
    size * 1024 - 22
}

const fn chip(version: u32, name: &'static str, generation: Generation, mtu: usize) -> Chip {
    let (jumbo, tasks) = ((Config3::empty(), Config4::empty()), Tasks::Second);
    Chip { version, name, generation, mtu, jumbo, tasks, wakes: false, lacks: Features::empty() }
}

const fn chip_to_set(version: u32, name: &'static str, mtu: usize, config4: Config4) -> Chip {
    let jumbo = (Config3::JUMBO_EN0, config4);
    Chip { jumbo, wakes: true, ..chip(version, name, Generation::Rtl8168, mtu) }
}

/// The PCI one, whichever its version is.
pub const RTL8169: Chip = chip(0, "RTL8169", Generation::Rtl8169, kib(7)).of_the_first();

/// The one of 2.5 Gbit/s, whichever its version is. It takes tags off by other registers.
pub const RTL8125: Chip = chip(0, "RTL8125", Generation::Rtl8125, kib(9)).without(Features::RX_VLAN);

/// What the RTL8168E-VL is known to do wrong, where headers have options or the last segment is short.
const SEGMENTS: Features = Features::TX_SEGMENTS.union(Features::TX_SEGMENTS_V6);

/// Those of PCI Express, which have the same PCI ids.
pub const RTL8168: &[Chip] = &[
    chip(0x3000_0000, "RTL8168B", Generation::Rtl8168, kib(4)).of_the_first(),
    chip(0x3800_0000, "RTL8168B", Generation::Rtl8168, kib(4)).of_the_first(),
    chip_to_set(0x3c00_0000, "RTL8168C", kib(6), Config4::JUMBO_EN1),
    chip_to_set(0x3c80_0000, "RTL8168CP", kib(6), Config4::JUMBO_EN1),
    chip_to_set(0x2800_0000, "RTL8168D", kib(9), Config4::JUMBO_EN1),
    chip_to_set(0x2880_0000, "RTL8168DP", kib(9), Config4::empty()),
    chip_to_set(0x2c00_0000, "RTL8168E", kib(9), Config4::JUMBO_EN1_8168E),
    chip(0x2c80_0000, "RTL8168E-VL", Generation::Rtl8168, kib(9)).without(SEGMENTS),
    chip(0x4800_0000, "RTL8168F", Generation::Rtl8168, kib(9)),
    chip(0x4880_0000, "RTL8411", Generation::Rtl8168, kib(9)),
    chip(0x4c00_0000, "RTL8168G", Generation::Rtl8168G, kib(9)),
    chip(0x5000_0000, "RTL8168EP", Generation::Rtl8168G, kib(9)),
    chip(0x5080_0000, "RTL8168GU", Generation::Rtl8168G, kib(9)),
    chip(0x5400_0000, "RTL8168H", Generation::Rtl8168G, kib(9)),
    chip(0x5480_0000, "RTL8168FP", Generation::Rtl8168G, kib(9)),
    chip(0x5c80_0000, "RTL8411B", Generation::Rtl8168G, kib(9)),
];
