//! An RTL8168, from the other side of its registers.

use hw::InterruptKind;
use hw::fake::Bus;
use nic::Intervals;
use realtek::registers::{self as common, IMR, ISR};
use rtl8168::registers::{self as reg, Dtccr, GphyOcp, Mcu, Misc, PhyStatus, Phyar};

use super::chip::{Chip, Kind};

/// The device that the shared tests are about.
pub type Card = Chip<Rtl8168>;

/// What all of them but the PCI one can interrupt by.
pub const MESSAGES: &[InterruptKind] = &[InterruptKind::MsiX { vectors: 4 }, InterruptKind::Msi];

/// The PHY's control register: auto-negotiation, and power down.
const NEGOTIATES: u16 = 1 << 12;
const POWERED_DOWN: u16 = 1 << 11;

/// What it does where it does not negotiate.
const FORCED_100: u16 = 1 << 13;
const FORCED_FULL_DUPLEX: u16 = 1 << 8;

/// The longest frame without jumbo frames, with tag and FCS.
const ETHERNET: usize = 1522;

/// What only an RTL8168 has.
pub struct Rtl8168 {
    /// Behind PHYAR or GPHY_OCP.
    pub phy_control: u16,
    /// The PHY does not answer.
    pub mute_phy: bool,
    /// What it has counted.
    pub tally: [u8; 64],
    /// It never writes its counters.
    pub endless_dump: bool,
}

impl Rtl8168 {
    /// The device with this PCI id, and this version.
    pub fn of(device: u16, version: u32) -> Card {
        let own = Self {
            phy_control: NEGOTIATES | POWERED_DOWN,
            mute_phy: false,
            tally: [0; 64],
            endless_dump: false,
        };
        let mut card = Chip::of(own, device, version, if device == 0x8169 { &[] } else { MESSAGES });
        Self::reset(&mut card);
        card
    }

    /// Adds `count` to the counter of `size` bytes at `offset`, which wraps.
    pub fn count(&mut self, offset: usize, size: usize, count: u64) {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.tally[offset..offset + size]);
        let bytes = u64::from_le_bytes(bytes).wrapping_add(count).to_le_bytes();
        self.tally[offset..offset + size].copy_from_slice(&bytes[..size]);
    }
}

fn is_8125(card: &Card) -> bool {
    card.identity.device == 0x8125
}

/// The management processor has a say, and the PHY is behind GPHY_OCP.
fn is_8168g(card: &Card) -> bool {
    is_8125(card) || card.identity.device != 0x8169 && card.version >= 0x4c00_0000
}

/// What CONFIG3 and CONFIG4 must be for jumbo frames.
fn jumbo(card: &Card) -> (u32, u32) {
    match card.version {
        0x3c00_0000 | 0x3c80_0000 | 0x2800_0000 => (4, 2),
        0x2880_0000 => (4, 0),
        0x2c00_0000 => (4, 1),
        _ => (0, 0),
    }
}

impl Card {
    /// The intervals between interrupts that it keeps, rounded up.
    pub fn intervals(&self) -> Intervals {
        let least = match self.speed() {
            10 => 40_960,
            100 => 2_560,
            _ if self.identity.device == 0x8169 => 320,
            _ => 5_000,
        };
        let unit = least * [1, 8, 16, 32][self.get(common::CPCR, 2) as usize & 3];
        let units = self.get(reg::INTRMITIGATE, 2);
        assert_eq!(units & 0x0f0f, 0, "no number of frames ends the time");
        let interval = |units: u32| (units * unit).div_ceil(1000);
        Intervals { receive: interval(units >> 4 & 15), transmit: interval(units >> 12) }
    }

    /// Mbit/s that it has negotiated, or was told.
    fn speed(&self) -> u32 {
        match (self.own.phy_control & NEGOTIATES != 0, self.own.phy_control & FORCED_100 != 0) {
            (true, _) if is_8125(self) => 2500,
            (true, _) => 1000,
            (false, true) => 100,
            (false, false) => 10,
        }
    }
}

/// Starts to write the counters where DTCCR says.
fn dump(card: &mut Card, bus: &mut Bus, command: u32) {
    if card.own.endless_dump {
        return card.set(reg::DTCCR, 4, command);
    }
    let address = u64::from(card.get(reg::DTCCR_HIGH, 4)) << 32 | u64::from(command & !0x3f);
    let wrote = bus.write(address, &card.own.tally);
    card.strays += usize::from(!wrote);
    card.set(reg::DTCCR, 4, command & !Dtccr::CMD.bits());
}

/// The PHY's control register is read or written; what the driver is told, with the flag that was in `request` turned.
fn ask_phy(card: &mut Card, register: usize, request: u32) {
    let writes = request >> 31 != 0;
    if writes {
        card.own.phy_control = request as u16;
    }
    let answer = request & 0x7fff_0000 | u32::from(card.own.phy_control) | u32::from(!writes) << 31;
    card.set(register, 4, if card.own.mute_phy { request } else { answer });
}

impl Kind for Rtl8168 {
    type Family = ::rtl8168::Rtl8168;

    const RING: usize = 256;
    const BURST: usize = 100;
    const LINK: &str = "state up\nspeed 1000\nduplex full\n";
    const LENGTH_BITS: u32 = 14;
    const ALIGNMENT: u64 = 8;
    const LOOPBACK: u8 = 1;
    const CONFIG: [usize; 2] = [reg::CONFIG3, reg::CONFIG5];

    /// An RTL8168H.
    fn new() -> Card {
        Self::of(0x8168, 0x5400_0000)
    }

    /// An RTL8168D.
    fn waking() -> Card {
        Self::of(0x8168, 0x2800_0000)
    }

    /// Those up to the RTL8168E do; the RTL8169 tells another version, as the RTL8125 does.
    fn knows_magic(card: &Card) -> bool {
        let early =
            [0x3000_0000, 0x3800_0000, 0x3c00_0000, 0x3c80_0000, 0x2800_0000, 0x2880_0000, 0x2c00_0000];
        card.identity.device == 0x8169 || !is_8125(card) && early.contains(&card.version)
    }

    fn bar(card: &Card) -> usize {
        if card.identity.device == 0x8169 { 1 } else { 2 }
    }

    fn mask(card: &Card) -> (usize, usize) {
        if is_8125(card) { (reg::IMR_8125, 4) } else { (IMR, 2) }
    }

    fn status(card: &Card) -> (usize, usize) {
        if is_8125(card) { (reg::ISR_8125, 4) } else { (ISR, 2) }
    }

    fn doorbell(card: &Card) -> (usize, usize, u32) {
        if is_8125(card) { (reg::TPPOLL_8125, 2, 1) } else { (reg::TPPOLL, 1, 0x40) }
    }

    fn is_of_the_second_kind(card: &Card) -> bool {
        card.identity.device != 0x8169 && ![0x3000_0000, 0x3800_0000].contains(&card.version)
    }

    fn receives(card: &Card) -> bool {
        let gated = card.get(reg::MISC, 4) & Misc::RXDV_GATED_EN.bits() != 0;
        let managed = card.get(reg::MCU, 1) & u32::from(Mcu::NOW_IS_OOB.bits()) != 0;
        !(is_8168g(card) && (gated || managed)) && card.own.phy_control & POWERED_DOWN == 0
    }

    fn longest(card: &Card) -> usize {
        let longest = card.get(reg::RMS, 2) as usize;
        let (config3, config4) = jumbo(card);
        let takes_jumbo =
            card.get(reg::CONFIG3, 1) & config3 == config3 && card.get(reg::CONFIG4, 1) & config4 == config4;
        if takes_jumbo { longest } else { longest.min(ETHERNET) }
    }

    /// In PCI Express devices the bytes of the hash are in reverse.
    fn is_in_hash(card: &Card, crc: u32) -> bool {
        let index = (crc >> 26) as usize;
        let byte = if card.identity.device == 0x8169 { index / 8 } else { 7 - index / 8 };
        card.bytes[common::MAR0 + byte] >> (index % 8) & 1 != 0
    }

    /// MissPkt, which is a part of RxEr.
    fn missed(card: &mut Card) {
        card.own.count(28, 2, 1);
        card.own.count(24, 4, 1);
    }

    fn reset(card: &mut Card) {
        card.set(reg::MCU, 1, Mcu::NOW_IS_OOB.bits().into());
        card.set(reg::MISC, 4, Misc::RXDV_GATED_EN.bits());
        card.set(reg::RMS, 2, 0);
    }

    fn read(card: &Card, offset: usize, size: usize) -> Option<u32> {
        let width = if is_8125(card) { 2 } else { 1 };
        if offset != reg::PHYSTATUS {
            return None;
        }
        assert_eq!(size, width, "how the PHY's state is read");
        let control = card.own.phy_control;
        let mode = match card.speed() {
            2500 => PhyStatus::SPEED_2500,
            1000 => PhyStatus::SPEED_1000,
            100 => PhyStatus::SPEED_100,
            _ => PhyStatus::SPEED_10,
        };
        let mut status = if card.link_up { PhyStatus::LINK_STS | mode } else { PhyStatus::empty() };
        status.set(PhyStatus::FULL_DUP, card.link_up && control & FORCED_FULL_DUPLEX != 0);
        Some(status.bits().into())
    }

    fn write(card: &mut Card, bus: &mut Bus, offset: usize, size: usize, value: u32) -> bool {
        match (offset, size) {
            (reg::DTCCR, 4) if value & Dtccr::CMD.bits() != 0 => dump(card, bus, value),
            (reg::PHYAR, 4) if !is_8168g(card) && Phyar::from(value).regaddr() == 0 => {
                ask_phy(card, reg::PHYAR, value);
            }
            (reg::GPHY_OCP, 4) if is_8168g(card) && GphyOcp::from(value).half_address() == 0x5200 => {
                ask_phy(card, reg::GPHY_OCP, value);
            }
            (reg::CONFIG4 | reg::CONFIG5, 1) if card.get(common::CR9346, 1) != 0xc0 => {}
            _ => return false,
        }
        true
    }
}
