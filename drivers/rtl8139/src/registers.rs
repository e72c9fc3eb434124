//! Registers that the gigabit controllers do not have, or have elsewhere, by the names of the RTL8139C+ data sheet.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use realtek::registers::{Dumped, IMR, ISR};
use realtek::wake::CONFIG1;

/// Transmit status of place 0 (32 bits); those of the other three follow. Without C+.
pub const TSD0: usize = 0x10;
/// Transmit start address of place 0; those of the other three follow. Without C+.
pub const TSAD0: usize = 0x20;
/// Receive buffer start address. Without C+.
pub const RBSTART: usize = 0x30;
/// Current address of packet read (16 bits): 16 bytes behind what was read last. Without C+.
pub const CAPR: usize = 0x38;
/// Missed packet counter: any write clears it, and what was missed since it was read with it.
pub const MPC: usize = 0x4c;
/// The bits in which [`MPC`] counts.
pub const MPC_MASK: u32 = 0xff_ffff;
/// Media status (8 bits).
pub const MSR: usize = 0x58;
/// Configuration 3 (8 bits), locked by 93C46 command.
pub const CONFIG3: usize = 0x59;
/// Basic mode control of the PHY (16 bits; IEEE 802.3, 22.2.4.1).
pub const BMCR: usize = 0x62;
/// Auto-negotiation advertisement (16 bits; IEEE 802.3, 28.2.4.1.3).
pub const ANAR: usize = 0x66;
/// Auto-negotiation link partner ability (16 bits).
pub const ANLPAR: usize = 0x68;
/// Configuration 5 (8 bits), which is not locked.
pub const CONFIG5: usize = 0xd8;
/// Transmit priority polling (8 bits): the doorbell.
pub const TPPOLL: usize = 0xd9;

/// Registers of the `registers` node. None of them changes by being read.
pub const DUMP: &[Dumped] = &[
    ("IMR", IMR, 2),
    ("ISR", ISR, 2),
    ("MPC", MPC, 4),
    ("MSR", MSR, 1),
    ("CONFIG1", CONFIG1, 1),
    ("CONFIG3", CONFIG3, 1),
    ("BMCR", BMCR, 2),
    ("ANAR", ANAR, 2),
    ("ANLPAR", ANLPAR, 2),
    ("CONFIG5", CONFIG5, 1),
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

/// CR's bit that the receive buffer is empty.
pub const BUFE: u8 = 1 << 0;

/// TSD.
#[bitfield(u32)]
pub struct Tsd {
    /// Bytes to send.
    #[bits(13)]
    pub size: u16,
    /// The driver's: the device has read them. To clear it is to send.
    pub own: bool,
    /// FIFO underrun.
    pub tun: bool,
    /// Sent.
    pub tok: bool,
    #[bits(8)]
    __: u8,
    /// Collisions.
    #[bits(4)]
    pub ncc: u8,
    __: bool,
    /// Out of window collision.
    pub owc: bool,
    /// Given up.
    pub tabt: bool,
    /// Carrier lost.
    pub crs: bool,
}

/// What stands before each frame in the receive buffer.
#[bitfield(u32)]
pub struct ReceiveHeader {
    /// A good frame.
    pub rok: bool,
    /// Frame alignment error, wrong FCS, longer than 4 KiB, shorter than 64 bytes, invalid symbol.
    #[bits(5)]
    pub errors: u8,
    #[bits(10)]
    __: u16,
    /// Bytes of the frame, FCS included.
    pub length: u16,
}

impl ReceiveHeader {
    /// It is a bad frame.
    pub fn is_bad(self) -> bool {
        self.errors() != 0
    }
}
