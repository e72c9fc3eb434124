//! Registers that the gigabit controllers do not have, or have elsewhere, by the names of the RTL8139C+ data sheet.

use bitflags::bitflags;
use realtek::registers::{Dumped, IMR, ISR};

/// Missed packet counter (24 bits): any write clears it.
pub const MPC: usize = 0x4c;
/// Media status (8 bits).
pub const MSR: usize = 0x58;
/// Basic mode control of the PHY (16 bits; IEEE 802.3, 22.2.4.1).
pub const BMCR: usize = 0x62;
/// Auto-negotiation advertisement (16 bits; IEEE 802.3, 28.2.4.1.3).
pub const ANAR: usize = 0x66;
/// Auto-negotiation link partner ability (16 bits).
pub const ANLPAR: usize = 0x68;
/// Transmit priority polling (8 bits): the doorbell.
pub const TPPOLL: usize = 0xd9;

/// Registers of the `registers` node. None of them changes by being read.
pub const DUMP: &[Dumped] = &[
    ("IMR", IMR, 2),
    ("ISR", ISR, 2),
    ("MPC", MPC, 4),
    ("MSR", MSR, 1),
    ("BMCR", BMCR, 2),
    ("ANAR", ANAR, 2),
    ("ANLPAR", ANLPAR, 2),
];

bitflags! {
    /// MSR.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Msr: u8 {
        /// There is no link.
        const LINKB = 1 << 2;
        /// 10 Mbit/s.
        const SPEED_10 = 1 << 3;
        const _ = !0;
    }

    /// BMCR.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Bmcr: u16 {
        /// Full duplex, where it is not negotiated.
        const DUPLEX_MODE = 1 << 8;
        /// Auto-negotiation enable.
        const ANE = 1 << 12;
        const _ = !0;
    }

    /// What a PHY can do: ANAR and ANLPAR.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Ability: u16 {
        /// 10 Mbit/s, full duplex.
        const TEN_FD = 1 << 6;
        /// 100 Mbit/s, half duplex.
        const TX = 1 << 7;
        /// 100 Mbit/s, full duplex.
        const TX_FD = 1 << 8;
        const _ = !0;
    }

    /// TPPoll.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Poll: u8 {
        /// The normal priority ring has frames to send.
        const NPQ = 1 << 6;
        const _ = !0;
    }
}

/// HWVERID of the RTL8139C+, in TCR.
pub const HWVERID_C_PLUS: u32 = 0x7480_0000;
