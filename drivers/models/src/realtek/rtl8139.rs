//! An RTL8139C+, from the other side of its registers.

use hw::fake::Bus;
use realtek::registers::{self as common, Cpcr};
use rtl8139::registers::{self as reg, Bmcr, Msr};

use super::chip::{Chip, Kind};

/// The device that the shared tests are about.
pub type Card = Chip<Rtl8139>;

/// An RTL8139C+.
pub struct Rtl8139 {
    /// Frames that there was no descriptor for.
    pub missed: u32,
}

impl Rtl8139 {
    /// One whose TCR tells this version.
    pub fn with_version(version: u32) -> Card {
        let mut model = Chip::of(Self { missed: 0 }, 0x8139, version, &[]);
        model.set(reg::BMCR, 2, Bmcr::ANE.bits().into());
        model.set(reg::ANAR, 2, 0x01e1);
        model.set(reg::ANLPAR, 2, 0x01e1);
        model
    }
}

impl Kind for Rtl8139 {
    type Family = ::rtl8139::Rtl8139;

    const RING: usize = 64;
    const BURST: usize = 50;
    const LINK: &str = "state up\nspeed 100\nduplex full\n";
    const LENGTH_BITS: u32 = 13;
    const ALIGNMENT: u64 = 1;
    const LOOPBACK: u8 = 3;
    const CONFIG: [usize; 2] = [reg::CONFIG3, reg::CONFIG5];

    fn new() -> Card {
        Self::with_version(reg::HWVERID_C_PLUS)
    }

    fn bar(_card: &Card) -> usize {
        1
    }

    fn doorbell(_card: &Card) -> (usize, usize, u32) {
        (reg::TPPOLL, 1, reg::Poll::NPQ.bits().into())
    }

    fn receives(card: &Card) -> bool {
        Cpcr::from_bits_retain(card.get(common::CPCR, 2) as u16).contains(Cpcr::CP_RX)
    }

    /// It takes what is longer than Ethernet's frames, too.
    fn longest(_card: &Card) -> usize {
        4096
    }

    fn is_in_hash(card: &Card, crc: u32) -> bool {
        let index = (crc >> 26) as usize;
        card.bytes[common::MAR0 + index / 8] >> (index % 8) & 1 != 0
    }

    fn missed(card: &mut Card) {
        card.own.missed += 1;
    }

    fn read(card: &Card, offset: usize, size: usize) -> Option<u32> {
        let mut status = Msr::empty();
        status.set(Msr::LINKB, !card.link_up);
        match (offset, size) {
            (reg::MSR, 1) => Some(status.bits().into()),
            (reg::MPC, 4) => Some(card.own.missed & reg::MPC_MASK),
            _ => None,
        }
    }

    fn write(card: &mut Card, _bus: &mut Bus, offset: usize, size: usize, _value: u32) -> bool {
        let clears = (offset, size) == (reg::MPC, 4);
        if clears {
            card.own.missed = 0;
        }
        clears
    }
}
