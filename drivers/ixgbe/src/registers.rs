//! Registers, by the names and sections of the 82599's data sheet.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use intel::registers::{RingRegisters, WUC, WUFC};
use intel::rss::MRQC;

/// Device control (8.2.3.1.1).
pub const CTRL: usize = 0x0000;
/// Device status (8.2.3.1.2).
pub const STATUS: usize = 0x0008;
/// Extended device control (8.2.3.1.3).
pub const CTRL_EXT: usize = 0x0018;
/// LED control (8.2.3.1).
pub const LEDCTL: usize = 0x0200;
/// Extended interrupt cause (8.2.3.5.1): ones that are written clear.
pub const EICR: usize = 0x0800;
/// Extended interrupt mask set/read (8.2.3.5.3).
pub const EIMS: usize = 0x0880;
/// Extended interrupt mask clear (8.2.3.5.4).
pub const EIMC: usize = 0x0888;
/// General purpose interrupt enable (8.2.3.5.18).
pub const GPIE: usize = 0x0898;
/// Interrupt vector allocation of what is no queue's (8.2.3.5.17).
pub const IVAR_MISC: usize = 0x0a00;
/// Receive queue statistic mapping of the queues 0 to 3 (8.2.3.23): for each, a byte, which counter is its own.
pub const RQSMR0: usize = 0x2300;
/// Receive DMA control (8.2.3.8.8).
pub const RDRXCTL: usize = 0x2f00;
/// Receive control (8.2.3.8.10).
pub const RXCTRL: usize = 0x3000;
/// MAC core control (8.2.3.22.8).
pub const HLREG0: usize = 0x4240;
/// Longest frame received (8.2.3.22.13): FCS included, in the upper half.
pub const MAXFRS: usize = 0x4268;
/// Auto-negotiation control (8.2.3.22.19).
pub const AUTOC: usize = 0x42a0;
/// Link status (8.2.3.22.20).
pub const LINKS: usize = 0x42a4;
/// MAC control of the X540 and X550.
pub const MACC: usize = 0x4330;
/// Transmit DMA control (8.2.3.9.2).
pub const DMATXCTL: usize = 0x4a80;
/// Filter control (8.2.3.7.1).
pub const FCTRL: usize = 0x5080;
/// Multicast control (8.2.3.7.2).
pub const MCSTCTRL: usize = 0x5090;
/// Multicast table array (8.2.3.7.7), 128 words.
pub const MTA: usize = 0x5200;
/// VLAN control (8.2.3.7.2).
pub const VLNCTRL: usize = 0x5088;
/// VLAN filter table array (8.2.3.7.11), 128 words.
pub const VFTA: usize = 0xa000;
/// Receive address, low half, of entry 0 (8.2.3.7.8).
pub const RAL0: usize = 0xa200;
/// Receive address, high half, of entry 0 (8.2.3.7.9).
pub const RAH0: usize = 0xa204;
/// Receive address, low half, of entry 1, which is not in use.
pub const RAL1: usize = 0xa208;
/// Extended redirection table (X550): what follows the 128 entries of RETA, up to 512.
pub const ERETA: usize = 0xee80;
/// Its words, of four entries each.
pub const ERETA_WORDS: usize = 96;
/// EEPROM and flash control (8.2.3.2.1).
pub const EEC: usize = 0x1_0010;

/// EEPROM read (8.2.3.2.2).
pub const EERD: usize = 0x1_0014;

/// The registers of receive queue 0.
pub const RECEIVE: RingRegisters = receive_ring(0);
/// The registers of transmit queue 0.
pub const TRANSMIT: RingRegisters = RingRegisters::at(0x6000);

/// The registers of receive queue `queue`, up to 63.
pub const fn receive_ring(queue: u16) -> RingRegisters {
    RingRegisters::at(0x1000 + 0x40 * queue as usize)
}

/// Split and replication receive control of a receive queue (8.2.3.8.7).
pub const fn srrctl(ring: RingRegisters) -> usize {
    ring.bal() + 0x14
}

/// What receive queue `queue`, up to 15, has dropped for want of descriptors, with SRRCTL.Drop_En and as RQSMR says
/// (8.2.3.23): reading clears it.
pub const fn qprdc(queue: u16) -> usize {
    0x1430 + 0x40 * queue as usize
}

/// Throttling of vector `vector`, up to 23; 0 is the line's, too (8.2.3.5.12).
pub const fn eitr(vector: u16) -> usize {
    0x0820 + 4 * vector as usize
}

/// Interrupt vector allocation of the queues `2 * pair` and `2 * pair + 1` (8.2.3.5.16): a byte each for receiving and
/// transmitting by the first, and by the second.
pub const fn ivar(pair: u16) -> usize {
    0x0900 + 4 * pair as usize
}

/// Smallest BAR 0 with all the registers above.
pub const WINDOW: usize = 0x2_0000;

/// Registers of the `registers` node. None of them changes by being read.
pub const DUMP: [(&str, usize); 31] = [
    ("CTRL", CTRL),
    ("STATUS", STATUS),
    ("CTRL_EXT", CTRL_EXT),
    ("EIMS", EIMS),
    ("EITR0", eitr(0)),
    ("GPIE", GPIE),
    ("IVAR0", ivar(0)),
    ("IVAR1", ivar(1)),
    ("IVAR_MISC", IVAR_MISC),
    ("SRRCTL0", srrctl(RECEIVE)),
    ("MRQC", MRQC),
    ("RXCTRL", RXCTRL),
    ("HLREG0", HLREG0),
    ("MAXFRS", MAXFRS),
    ("AUTOC", AUTOC),
    ("LINKS", LINKS),
    ("DMATXCTL", DMATXCTL),
    ("FCTRL", FCTRL),
    ("RAL0", RAL0),
    ("RAH0", RAH0),
    ("WUC", WUC),
    ("WUFC", WUFC),
    ("RDBAL", RECEIVE.bal()),
    ("RDLEN", RECEIVE.length()),
    ("RDH", RECEIVE.head()),
    ("RDT", RECEIVE.tail()),
    ("RXDCTL", RECEIVE.control()),
    ("TDBAL", TRANSMIT.bal()),
    ("TDH", TRANSMIT.head()),
    ("TDT", TRANSMIT.tail()),
    ("TXDCTL", TRANSMIT.control()),
];

bitflags! {
    /// VLNCTRL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Vlnctrl: u32 {
        /// The type that announces a tag.
        const VET = 0x8100;
        /// Of frames with tags, only those of the VLANs in the table.
        const VFE = 1 << 30;
    }
}

bitflags! {
    /// CTRL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Ctrl: u32 {
        /// Ends accesses to memory.
        const MASTER_DISABLE = 1 << 2;
        /// Device reset; clears itself.
        const RST = 1 << 26;
        const _ = !0;
    }

    /// STATUS.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Status: u32 {
        /// Accesses memory.
        const MASTER_ENABLE = 1 << 19;
        const _ = !0;
    }

    /// CTRL_EXT.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CtrlExt: u32 {
        /// No snoop is disabled.
        const NS_DIS = 1 << 16;
        /// A driver is there.
        const DRV_LOAD = 1 << 28;
        const _ = !0;
    }

    /// EICR, EIMS and EIMC. Where there are vectors, bit n of the lowest 16 is vector n.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Interrupts: u32 {
        /// Frames have come, where there are no vectors.
        const RECEIVE = 1 << 0;
        /// Frames have been sent, where there are no vectors.
        const TRANSMIT = 1 << 1;
        /// Link status change.
        const LSC = 1 << 20;
        const _ = !0;
    }

    /// GPIE.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Gpie: u32 {
        /// Causes have vectors, as IVAR says.
        const MULTIPLE_MSIX = 1 << 4;
        /// The table of pending vectors is used.
        const PBA_SUPPORT = 1 << 31;
    }

    /// RDRXCTL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Rdrxctl: u32 {
        /// Strip the FCS, as HLREG0 says.
        const CRC_STRIP = 1 << 1;
        /// The DMA is ready after a reset.
        const DMAIDONE = 1 << 3;
        /// Must be set.
        const RSCACKC = 1 << 25;
        /// Must be set.
        const FCOE_WRFIX = 1 << 26;
        const _ = !0;
    }

    /// RXCTRL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Rxctrl: u32 {
        /// Receiver enable.
        const RXEN = 1 << 0;
    }

    /// HLREG0.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Hlreg0: u32 {
        /// Insert the FCS.
        const TXCRCEN = 1 << 0;
        /// Strip the FCS.
        const RXCRCSTRP = 1 << 1;
        /// Jumbo frames, up to MAXFRS.
        const JUMBOEN = 1 << 2;
        /// Pad short frames.
        const TXPADEN = 1 << 10;
        /// Loopback: what is sent is received.
        const LPBK = 1 << 15;
        const _ = !0;
    }

    /// AUTOC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Autoc: u32 {
        /// Force link up.
        const FLU = 1 << 0;
        /// Restart auto-negotiation; clears itself.
        const RESTART_AN = 1 << 12;
        /// Link mode select.
        const LMS = 7 << 13;
        /// Of that, 0: 1 Gbit/s, without negotiation.
        const LMS_1G = 0;
        /// 10 Gbit/s over four lanes, without negotiation.
        const LMS_PARALLEL = 1 << 13;
        /// 10 Gbit/s over one lane, as modules have it.
        const LMS_SERIAL = 3 << 13;
        const _ = !0;
    }

    /// MACC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Macc: u32 {
        /// Force link up.
        const FLU = 1 << 0;
        const _ = !0;
    }

    /// DMATXCTL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Dmatxctl: u32 {
        /// Transmitter enable.
        const TE = 1 << 0;
        const _ = !0;
    }

    /// FCTRL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Fctrl: u32 {
        /// Multicast promiscuous.
        const MPE = 1 << 8;
        /// Unicast promiscuous.
        const UPE = 1 << 9;
        /// Broadcasts.
        const BAM = 1 << 10;
    }

    /// MCSTCTRL. MO stays 0: bits 47 to 36 of an address choose its bit of the table.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mcstctrl: u32 {
        /// The table is used.
        const MFE = 1 << 2;
    }

    /// EEC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Eec: u32 {
        /// The EEPROM has been read after a reset.
        const AUTO_RD = 1 << 9;
        const _ = !0;
    }
}

/// A byte of IVAR: INT_Alloc and INT_Alloc_val.
#[bitfield(u8)]
pub struct Allocation {
    /// The bit of EICR, which is a vector where there are vectors.
    #[bits(6)]
    pub cause: u8,
    __: bool,
    /// It is raised.
    pub valid: bool,
}

/// IVAR_MISC: the vectors of other causes, and whether they have one.
#[bitfield(u32)]
pub struct IvarMisc {
    /// The TCP timer.
    #[bits(7)]
    pub tcp_timer: u8,
    /// It has a vector.
    pub tcp_timer_valid: bool,
    /// All that is no queue's.
    #[bits(7)]
    pub other: u8,
    /// It has a vector.
    pub other_valid: bool,
    #[bits(16)]
    __: u16,
}

/// EITR.
#[bitfield(u32)]
pub struct Eitr {
    #[bits(3)]
    __: u8,
    /// Least time between two interrupts, in units of 2 microseconds.
    #[bits(9)]
    pub interval: u16,
    #[bits(20)]
    __: u32,
}

/// LINKS.
#[bitfield(u32)]
pub struct Links {
    #[bits(27)]
    __: u32,
    /// A speed between those of `speed`, in the X550.
    pub between: bool,
    /// 100, 1000 or 10000 Mbit/s, from 1 on.
    #[bits(2)]
    pub speed: u8,
    /// There is a link.
    pub up: bool,
    __: bool,
}

impl Links {
    /// Mbit/s, if that is a speed.
    pub fn megabits(self) -> Option<u32> {
        match (self.speed(), self.between()) {
            (1, false) => Some(100),
            (2, false) => Some(1000),
            (3, false) => Some(10_000),
            (3, true) => Some(2500),
            (1, true) => Some(5000),
            _ => None,
        }
    }
}
