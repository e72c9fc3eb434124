//! Registers, by the names and sections of Intel's 8254x Software Developer's Manual. They are the same in the later
//! devices, unless it is said otherwise.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use hw::Registers;

/// Device control (13.4.1).
pub const CTRL: usize = 0x0000;
/// Device status (13.4.2).
pub const STATUS: usize = 0x0008;
/// EEPROM read (13.4.4).
pub const EERD: usize = 0x0014;
/// MDI control: how the PHY is reached (13.4.10; 82576, 8.2.4).
pub const MDIC: usize = 0x0020;
/// The type that announces a VLAN's tag (13.4.12).
pub const VET: usize = 0x0038;
/// Interrupt cause read (13.4.17): reading clears it.
pub const ICR: usize = 0x00c0;
/// Interrupt throttling (13.4.18), in units of 256 ns.
pub const ITR: usize = 0x00c4;
/// Interrupt mask set/read (13.4.20).
pub const IMS: usize = 0x00d0;
/// Interrupt mask clear (13.4.21).
pub const IMC: usize = 0x00d8;
/// Receive control (13.4.22).
pub const RCTL: usize = 0x0100;
/// Transmit control (13.4.33).
pub const TCTL: usize = 0x0400;
/// LED control; not in the 82543 and the 82544.
pub const LEDCTL: usize = 0x0e00;
/// Transmit inter-packet gap (13.4.34).
pub const TIPG: usize = 0x0410;
/// Receive delay timer (13.4.30).
pub const RDTR: usize = 0x2820;
/// Receive checksum control.
pub const RXCSUM: usize = 0x5000;
/// Multicast table array (13.5.1), 128 words.
pub const MTA: usize = 0x5200;
/// Receive address, low half, of entry 0 (13.5.2).
pub const RAL0: usize = 0x5400;
/// Receive address, high half, of entry 0 (13.5.3).
pub const RAH0: usize = 0x5404;
/// Receive address, low half, of entry 1, which is not in use.
pub const RAL1: usize = 0x5408;
/// Wake up control (82574, 10.2.9.1).
pub const WUC: usize = 0x5800;
/// Wake up filter control (82574, 10.2.9.2).
pub const WUFC: usize = 0x5808;
/// Wake up status (82574, 10.2.9.3).
pub const WUS: usize = 0x5810;
/// VLAN filter table array (13.5.4), 128 words.
pub const VFTA: usize = 0x5600;

/// Statistics (13.7): each is cleared by reading it.
pub mod statistics {
    /// CRC errors.
    pub const CRCERRS: usize = 0x4000;
    /// Alignment errors.
    pub const ALGNERRC: usize = 0x4004;
    /// Errors signalled by the PHY.
    pub const RXERRC: usize = 0x400c;
    /// Frames missed for want of room in the device.
    pub const MPC: usize = 0x4010;
    /// Excessive collisions.
    pub const ECOL: usize = 0x4018;
    /// Late collisions.
    pub const LATECOL: usize = 0x4020;
    /// Collisions.
    pub const COLC: usize = 0x4028;
    /// Frames sent without carrier sense.
    pub const TNCRS: usize = 0x4034;
    /// Carrier extension errors.
    pub const CEXTERR: usize = 0x403c;
    /// Frames too short.
    pub const RUC: usize = 0x40a4;
    /// Frames too short, with a bad FCS.
    pub const RFC: usize = 0x40a8;
    /// Frames too long.
    pub const ROC: usize = 0x40ac;
    /// Frames too long, with a bad FCS.
    pub const RJC: usize = 0x40b0;
}

/// The registers of a descriptor ring, which stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingRegisters(usize);

impl RingRegisters {
    /// The receive ring's (13.4.25 to 13.4.29).
    pub const RECEIVE: Self = Self(0x2800);
    /// The transmit ring's (13.4.35 to 13.4.39).
    pub const TRANSMIT: Self = Self(0x3800);

    /// Those that begin at `base`.
    pub const fn at(base: usize) -> Self {
        Self(base)
    }

    /// Base address, low half.
    pub const fn bal(self) -> usize {
        self.0
    }

    /// Base address, high half.
    pub const fn bah(self) -> usize {
        self.0 + 0x04
    }

    /// Length in bytes.
    pub const fn length(self) -> usize {
        self.0 + 0x08
    }

    /// Head, the device's.
    pub const fn head(self) -> usize {
        self.0 + 0x10
    }

    /// Tail, the driver's.
    pub const fn tail(self) -> usize {
        self.0 + 0x18
    }

    /// Descriptor control (13.4.31 and 13.4.42).
    pub const fn control(self) -> usize {
        self.0 + 0x28
    }

    /// Tells the device that there is an empty ring at `base`, of `len` bytes.
    pub fn set_up(self, registers: &impl Registers, (base, len): (u64, usize)) {
        registers.write32(self.bal(), base as u32);
        registers.write32(self.bah(), (base >> 32) as u32);
        registers.write32(self.length(), len as u32);
        registers.write32(self.head(), 0);
        registers.write32(self.tail(), 0);
    }
}

/// Registers of the `registers` node, beside those of the rings and the family's own. None of them changes by being
/// read.
pub const DUMP: [(&str, usize); 14] = [
    ("CTRL", CTRL),
    ("STATUS", STATUS),
    ("IMS", IMS),
    ("RCTL", RCTL),
    ("TCTL", TCTL),
    ("TIPG", TIPG),
    ("LEDCTL", LEDCTL),
    ("RXCSUM", RXCSUM),
    ("MTA0", MTA),
    ("MTA1", MTA + 4),
    ("RAL0", RAL0),
    ("RAH0", RAH0),
    ("WUC", WUC),
    ("WUFC", WUFC),
];

/// Words of the multicast table.
pub const MTA_WORDS: usize = 128;

/// Words of the VLAN filter table.
pub const VFTA_WORDS: usize = 128;

/// Smallest BAR 0 with all the registers above.
pub const WINDOW: usize = 0x2_0000;

bitflags! {
    /// CTRL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Ctrl: u32 {
        /// Full duplex, where it is forced.
        const FD = 1 << 0;
        /// Ends accesses to memory, in PCI Express devices (82574, 10.2.2.1).
        const GIO_MDIS = 1 << 2;
        /// Link reset. Reserved, and 1, in PCI Express devices.
        const LRST = 1 << 3;
        /// Auto-speed detection.
        const ASDE = 1 << 5;
        /// Set link up.
        const SLU = 1 << 6;
        /// Invert loss of signal.
        const ILOS = 1 << 7;
        /// 100 Mbit/s, where it is forced; 10 without either.
        const SPEED_100 = 1 << 8;
        /// 1000 Mbit/s, where it is forced.
        const SPEED_1000 = 1 << 9;
        /// Force speed.
        const FRCSPD = 1 << 11;
        /// Force duplex.
        const FRCDPLX = 1 << 12;
        /// Tells that it wakes from D3cold, too.
        const ADVD3WUC = 1 << 20;
        /// Device reset; clears itself.
        const RST = 1 << 26;
        /// VLAN mode: tags are taken off, and inserted where a descriptor says so.
        const VME = 1 << 30;
        /// PHY reset.
        const PHY_RST = 1 << 31;
        const _ = !0;
    }

    /// Interrupt causes: ICR, IMS and IMC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Interrupts: u32 {
        /// Transmit descriptor written back.
        const TXDW = 1 << 0;
        /// Transmit queue empty.
        const TXQE = 1 << 1;
        /// Link status change.
        const LSC = 1 << 2;
        /// Receive descriptors run low.
        const RXDMT0 = 1 << 4;
        /// Receiver overrun.
        const RXO = 1 << 6;
        /// Receiver timer: frames have come.
        const RXT0 = 1 << 7;
        /// Frames have come to queue 0, where messages tell of queues (82574, 10.2.4.1).
        const RXQ0 = 1 << 20;
        /// The same of queue 1.
        const RXQ1 = 1 << 21;
        /// Frames of queue 0 have been sent, where messages tell of queues.
        const TXQ0 = 1 << 22;
        /// Another cause than a queue's, where messages tell of queues.
        const OTHER = 1 << 24;
        const _ = !0;
    }

    /// RCTL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Rctl: u32 {
        /// Receiver enable.
        const EN = 1 << 1;
        /// Unicast promiscuous.
        const UPE = 1 << 3;
        /// Multicast promiscuous.
        const MPE = 1 << 4;
        /// Long packets.
        const LPE = 1 << 5;
        /// Broadcasts.
        const BAM = 1 << 15;
        /// Of frames with tags, only those of the VLANs in the table.
        const VFE = 1 << 18;
        /// Strip the FCS. The buffer size fields (BSIZE, BSEX) stay 0: 2048 bytes.
        const SECRC = 1 << 26;
    }

    /// RXCSUM.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Rxcsum: u32 {
        /// Check IP headers.
        const IPOFLD = 1 << 8;
        /// Check TCP and UDP.
        const TUOFLD = 1 << 9;
        /// Tell the hash of a packet, not the checksum of all of it; without that nothing is spread.
        const PCSD = 1 << 13;
    }
}

impl Ctrl {
    /// What must be clear for a link whose speed and duplex are negotiated.
    pub const NEGOTIATED_CLEAR: Self =
        Self::FRCSPD.union(Self::FRCDPLX).union(Self::VME).union(Self::PHY_RST).union(Self::RST);
}

/// STATUS.
#[bitfield(u32)]
pub struct Status {
    /// Full duplex.
    pub fd: bool,
    /// Link up.
    pub lu: bool,
    #[bits(4)]
    __: u8,
    /// 10, 100, 1000, 1000 Mbit/s.
    #[bits(2)]
    pub speed: u8,
    #[bits(11)]
    __: u16,
    /// Accesses memory, in PCI Express devices (82574, 10.2.2.2).
    pub gio_men: bool,
    #[bits(12)]
    __: u16,
}

impl Status {
    /// Mbit/s.
    pub fn megabits(self) -> u32 {
        match self.speed() {
            0 => 10,
            1 => 100,
            _ => 1000,
        }
    }
}

/// EERD. The 82541, 82547 and later devices have `done` in bit 1 and the address from bit 2 on; for word 0 the two
/// layouts are the same but for `done`.
#[bitfield(u32)]
pub struct Eerd {
    /// Start a read.
    pub start: bool,
    /// The read is done, in the later layout.
    pub done_late: bool,
    #[bits(2)]
    __: u8,
    /// The read is done.
    pub done: bool,
    #[bits(3)]
    __: u8,
    /// Which word.
    pub addr: u8,
    /// Its value.
    pub data: u16,
}

/// MDIC.
#[bitfield(u32)]
pub struct Mdic {
    /// What is written, or was read.
    pub data: u16,
    /// Which register.
    #[bits(5)]
    pub regadd: u8,
    /// Which PHY.
    #[bits(5)]
    pub phyadd: u8,
    /// Write (1) or read (2).
    #[bits(2)]
    pub op: u8,
    /// The PHY has answered.
    pub ready: bool,
    /// Interrupt then.
    pub interrupt: bool,
    /// There was no such register.
    pub error: bool,
    __: bool,
}

/// TCTL.
#[bitfield(u32)]
pub struct Tctl {
    __: bool,
    /// Transmitter enable.
    pub en: bool,
    __: bool,
    /// Pad short packets.
    pub psp: bool,
    /// Collision threshold: attempts before a frame is given up.
    #[bits(8)]
    pub ct: u8,
    /// Collision distance in byte times.
    #[bits(10)]
    pub cold: u16,
    #[bits(10)]
    __: u16,
}

/// TIPG: gaps in MAC clock units.
#[bitfield(u32)]
pub struct Tipg {
    /// Between frames.
    #[bits(10)]
    pub ipgt: u16,
    /// First part of the gap after another's frame (half duplex).
    #[bits(10)]
    pub ipgr1: u16,
    /// That gap as a whole.
    #[bits(10)]
    pub ipgr2: u16,
    #[bits(2)]
    __: u8,
}

/// RAH.
#[bitfield(u32)]
pub struct Rah {
    /// The address's last two bytes.
    pub high: u16,
    #[bits(15)]
    __: u16,
    /// Address valid.
    pub av: bool,
}
