//! Registers that all the controllers have.

use bitfield_struct::bitfield;
use bitflags::bitflags;

/// Station address, bytes 0 to 3; read by bytes, written by words of 32 bits.
pub const IDR0: usize = 0x00;
/// Station address, bytes 4 and 5.
pub const IDR4: usize = 0x04;
/// Multicast hash, first word.
pub const MAR0: usize = 0x08;
/// Multicast hash, second word.
pub const MAR4: usize = 0x0c;
/// Transmit normal priority descriptors, low half of the ring's address (a multiple of 256).
pub const TNPDS: usize = 0x20;
/// The same, high half.
pub const TNPDS_HIGH: usize = 0x24;
/// Command (8 bits).
pub const CR: usize = 0x37;
/// Interrupt mask (16 bits).
pub const IMR: usize = 0x3c;
/// Interrupt status (16 bits): ones that are written clear what they stand for.
pub const ISR: usize = 0x3e;
/// Transmit configuration.
pub const TCR: usize = 0x40;
/// Receive configuration.
pub const RCR: usize = 0x44;
/// 93C46 command (8 bits): what locks the configuration registers.
pub const CR9346: usize = 0x50;
/// C+ command (16 bits).
pub const CPCR: usize = 0xe0;
/// Receive descriptors, low half of the ring's address (a multiple of 256).
pub const RDSAR: usize = 0xe4;
/// The same, high half.
pub const RDSAR_HIGH: usize = 0xe8;

/// Smallest memory BAR with all of them.
pub const WINDOW: usize = 0x100;

/// A register of the `registers` node: its name, its offset and its width in bytes.
pub type Dumped = (&'static str, usize, usize);

/// Registers of the `registers` node, beside the family's own. None of them changes by being read.
pub const DUMP: [Dumped; 8] = [
    ("MAR0", MAR0, 4),
    ("MAR4", MAR4, 4),
    ("TNPDS", TNPDS, 4),
    ("CR", CR, 1),
    ("TCR", TCR, 4),
    ("RCR", RCR, 4),
    ("CPCR", CPCR, 2),
    ("RDSAR", RDSAR, 4),
];

/// CR9346 that opens the configuration registers (EEM = 3).
pub const UNLOCK: u8 = 0xc0;
/// CR9346 that closes them again (EEM = 0).
pub const LOCK: u8 = 0;

bitflags! {
    /// CR.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Cr: u8 {
        /// Transmitter enable.
        const TE = 1 << 2;
        /// Receiver enable.
        const RE = 1 << 3;
        /// Reset; clears itself.
        const RST = 1 << 4;
        const _ = !0;
    }

    /// Interrupt causes: ISR and IMR.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Interrupts: u32 {
        /// Received.
        const ROK = 1 << 0;
        /// A frame was received with an error.
        const RER = 1 << 1;
        /// Sent.
        const TOK = 1 << 2;
        /// A frame was given up.
        const TER = 1 << 3;
        /// There was no descriptor for a frame.
        const RDU = 1 << 4;
        /// The link has changed.
        const LINK_CHG = 1 << 5;
        /// The receive FIFO has overflowed.
        const FOVW = 1 << 6;
        /// No descriptor to send is left.
        const TDU = 1 << 7;
        const _ = !0;
    }

    /// RCR: what is received.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Accept: u32 {
        /// Accept all physical addresses.
        const AAP = 1 << 0;
        /// Accept physical match.
        const APM = 1 << 1;
        /// Accept multicast, by the hash.
        const AM = 1 << 2;
        /// Accept broadcast.
        const AB = 1 << 3;
        const _ = !0;
    }

    /// CPCR. The first two are the RTL8139C+'s.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Cpcr: u16 {
        /// Transmit by descriptors.
        const CP_TX = 1 << 0;
        /// Receive by descriptors.
        const CP_RX = 1 << 1;
        /// PCI multiple read and write.
        const MUL_RW = 1 << 3;
        /// Verify checksums of what is received.
        const RX_CHK_SUM = 1 << 5;
        /// Take tags of VLANs off what is received.
        const RX_VLAN = 1 << 6;
        const _ = !0;
    }
}

/// TCR.
#[bitfield(u32)]
pub struct Tcr {
    __: u8,
    /// The longest DMA burst: 16 bytes doubled so many times; 7 is no limit.
    #[bits(3)]
    pub mxdma: u8,
    #[bits(6)]
    __: u8,
    /// Loopback: 0 is none.
    #[bits(2)]
    pub lbk: u8,
    #[bits(5)]
    __: u8,
    /// Inter-frame gap: 3 is that of IEEE 802.3.
    #[bits(2)]
    pub ifg: u8,
    #[bits(6)]
    __: u8,
}

/// The bits of TCR that tell the chip's version.
pub const HWVERID: u32 = 0x7cc0_0000;

/// RCR beside [`Accept`].
#[bitfield(u32)]
pub struct Rcr {
    #[bits(6)]
    __: u8,
    /// 9356SEL: the EEPROM is a 93C56.
    #[bits(access = RO)]
    pub is_93c56: bool,
    __: bool,
    /// The longest DMA burst, as in TCR.
    #[bits(3)]
    pub mxdma: u8,
    /// Size of the one receive buffer of those without descriptors: 8 KiB doubled so many times.
    #[bits(2)]
    pub rblen: u8,
    /// When the device begins to move a frame to memory; 7 is when all of it is there.
    #[bits(3)]
    pub rxfth: u8,
    #[bits(11)]
    __: u16,
    /// How many receive descriptors are fetched at a time, in the RTL8125.
    #[bits(4)]
    pub fetch: u8,
    #[bits(1)]
    __: u8,
}
