//! Registers that the RTL8139C+ does not have, or has elsewhere.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use realtek::registers::{Dumped, IMR, ISR};
use realtek::wake::CONFIG1;

/// Dump tally counter command: where to (a multiple of 64), and the command.
pub const DTCCR: usize = 0x10;
/// The same, high half of the address.
pub const DTCCR_HIGH: usize = 0x14;
/// Transmit priority polling (8 bits): the doorbell.
pub const TPPOLL: usize = 0x38;
/// Interrupt mask of the RTL8125 (32 bits).
pub const IMR_8125: usize = 0x38;
/// Interrupt status of the RTL8125 (32 bits).
pub const ISR_8125: usize = 0x3c;
/// Configuration 3 (8 bits), locked by 93C46 command.
pub const CONFIG3: usize = 0x54;
/// Configuration 4 (8 bits), locked as well.
pub const CONFIG4: usize = 0x55;
/// Configuration 5 (8 bits), locked as well.
pub const CONFIG5: usize = 0x56;
/// PHY access.
pub const PHYAR: usize = 0x60;
/// State of the PHY (8 bits; 16 in the RTL8125).
pub const PHYSTATUS: usize = 0x6c;
/// Transmit polling of the RTL8125 (16 bits).
pub const TPPOLL_8125: usize = 0x90;
/// PHY access of the RTL8168G and later.
pub const GPHY_OCP: usize = 0xb8;
/// What the management processor does (8 bits), of the RTL8168G and later.
pub const MCU: usize = 0xd3;
/// Longest frame received, FCS included (16 bits).
pub const RMS: usize = 0xda;
/// Interrupt mitigation (16 bits).
pub const INTRMITIGATE: usize = 0xe2;
/// Longest frame sent (8 bits), in units of 128 bytes (RTL8169: 32).
pub const MTPS: usize = 0xec;
/// Miscellaneous, of the RTL8168E and later.
pub const MISC: usize = 0xf0;

/// Registers of the `registers` node. None of them changes by being read.
pub const DUMP: &[Dumped] = &[
    ("IMR", IMR, 2),
    ("ISR", ISR, 2),
    ("CONFIG1", CONFIG1, 1),
    ("CONFIG3", CONFIG3, 1),
    ("CONFIG4", CONFIG4, 1),
    ("CONFIG5", CONFIG5, 1),
    ("PHYSTATUS", PHYSTATUS, 1),
    ("RMS", RMS, 2),
    ("INTRMITIGATE", INTRMITIGATE, 2),
    ("MTPS", MTPS, 1),
];

/// MTPS that sets no limit.
pub const NO_LIMIT: u8 = 0x3f;

/// What rings TPPOLL_8125: the first ring has frames to send.
pub const FIRST_RING: u16 = 1;

bitflags! {
    /// DTCCR beside the address.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Dtccr: u32 {
        /// Dump; clears itself when that is done.
        const CMD = 1 << 3;
        const _ = !0;
    }

    /// TPPOLL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Poll: u8 {
        /// The normal priority ring has frames to send.
        const NPQ = 1 << 6;
        const _ = !0;
    }

    /// CONFIG3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Config3: u8 {
        /// Jumbo frames (RTL8168C and some after it).
        const JUMBO_EN0 = 1 << 2;
        const _ = !0;
    }

    /// CONFIG4.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Config4: u8 {
        /// Jumbo frames in the RTL8168E.
        const JUMBO_EN1_8168E = 1 << 0;
        /// Jumbo frames.
        const JUMBO_EN1 = 1 << 1;
        const _ = !0;
    }

    /// PHYSTATUS.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PhyStatus: u16 {
        /// Full duplex.
        const FULL_DUP = 1 << 0;
        /// There is a link.
        const LINK_STS = 1 << 1;
        /// 10 Mbit/s.
        const SPEED_10 = 1 << 2;
        /// 100 Mbit/s.
        const SPEED_100 = 1 << 3;
        /// 1000 Mbit/s, which is full duplex.
        const SPEED_1000 = 1 << 4;
        /// 2500 Mbit/s, which is full duplex.
        const SPEED_2500 = 1 << 10;
        const _ = !0;
    }

    /// MCU.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mcu: u8 {
        /// Frames are the management processor's.
        const NOW_IS_OOB = 1 << 7;
        const _ = !0;
    }

    /// MISC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Misc: u32 {
        /// Nothing is received.
        const RXDV_GATED_EN = 1 << 19;
        const _ = !0;
    }
}

/// PHYAR.
#[bitfield(u32)]
pub struct Phyar {
    /// What is written, or was read.
    pub data: u16,
    /// Which register.
    #[bits(5)]
    pub regaddr: u8,
    #[bits(10)]
    __: u16,
    /// Asks to write, until that is done; says that a read is done.
    pub flag: bool,
}

/// GPHY_OCP.
#[bitfield(u32)]
pub struct GphyOcp {
    /// What is written, or was read.
    pub data: u16,
    /// Half the register's address.
    #[bits(15)]
    pub half_address: u16,
    /// As in [`Phyar`].
    pub flag: bool,
}

/// Half the address of the PHY's first standard register, behind GPHY_OCP.
pub const STANDARD_REGISTERS: u16 = 0xa400 / 2;
