//! What is the family's own.

use hw::dma::Arena;
use hw::{Identity, InterruptKind, Registers};
use nic::{DriverInfo, Fault, Features, Intervals, Link, Media, Memory, Moderation, Statistics};
use realtek::Family;
use realtek::descriptors::Gigabit;
use realtek::device::{BURST, ETHERNET};
use realtek::family;
use realtek::registers::{self as common, Cpcr, Dumped, Interrupts, Rcr};
use realtek::rings::DescriptorRings;
use realtek::tasks::Tasks;
use realtek::wake::Places;

use crate::chips::{self, Chip, Generation};
use crate::registers::{self as reg, Config3, Config4, Mcu, Misc, PhyStatus, Poll};
use crate::tally::{self, Tally};
use crate::{moderation, phy};

/// Realtek's PCI vendor id.
const REALTEK: u16 = 0x10ec;

/// Entries of each ring, which has 1024 at most.
const RING: u16 = 256;

/// TCR.LBK of the MAC's loopback.
const LOOPBACK: u8 = 1;

/// Bytes of a frame's FCS.
const FCS: usize = 4;

/// The least MTU that IPv4 allows (RFC 791).
const LEAST_MTU: usize = 68;

/// The RTL8169, RTL8168, RTL8111 and RTL8125.
pub struct Rtl8168 {
    chip: Chip,
    tally: Tally,
}

impl Rtl8168 {
    fn is_8125(&self) -> bool {
        self.chip.generation == Generation::Rtl8125
    }
}

impl Family for Rtl8168 {
    const DRIVER: DriverInfo = family::driver(
        "rtl8168",
        "rtl8168d",
        RING,
        2 * tally::SIZE,
        &[InterruptKind::MsiX { vectors: 1 }, InterruptKind::Msi, InterruptKind::Intx],
    );

    const DUMP: &'static [Dumped] = reg::DUMP;

    type Rings = DescriptorRings<Gigabit>;

    const MOST_ENTRIES: u16 = 1024;

    fn new(Identity { vendor, device, .. }: Identity, arena: &Arena) -> Result<Self, Fault> {
        let chip = match (vendor, device) {
            (REALTEK, 0x8167 | 0x8169) => chips::RTL8169,
            // Which of them it is, the device tells later.
            (REALTEK, 0x8161 | 0x8168) => chips::RTL8168[0],
            (REALTEK, 0x8125) => chips::RTL8125,
            _ => return Err(Fault::Unknown { vendor, device }),
        };
        Ok(Self { chip, tally: Tally::new(arena.allocate(tally::SIZE, tally::SIZE)?) })
    }

    /// BAR 0 has the same registers as I/O ports.
    fn bar(&self) -> usize {
        if self.chip.generation == Generation::Rtl8169 { 1 } else { 2 }
    }

    fn meet(&mut self, registers: &impl Registers) -> Result<family::Chip, Fault> {
        if self.chip.generation == Generation::Rtl8168 {
            let version = registers.read32(common::TCR) & chips::VERSION;
            let known = chips::RTL8168.iter().find(|chip| chip.version == version);
            self.chip = *known.ok_or(Fault::Unusable("it is an RTL8168 of a version that is not known"))?;
        }
        if phy::wake(registers, self.chip.generation).is_none() {
            log::warn!("the PHY does not answer; it is left to itself");
        }
        Ok((self.chip.name, LEAST_MTU..=self.chip.mtu))
    }

    fn features(&self) -> Features {
        family::features(self.chip.tasks) - self.chip.lacks
    }

    fn tasks(&self) -> Option<Tasks> {
        Some(self.chip.tasks)
    }

    fn set_media(&self, registers: &impl Registers, media: Media) {
        if phy::set(registers, self.chip.generation, media).is_none() {
            log::warn!("the PHY does not answer; its speed and duplex stay as they are");
        }
    }

    fn moderation(&self) -> Moderation {
        moderation::of(self.chip.generation)
    }

    fn moderate(&self, registers: &impl Registers, intervals: Intervals, link: Link) {
        if self.moderation() != Moderation::None {
            moderation::set(registers, self.chip.generation, intervals, link);
        }
    }

    fn loopback(&self) -> Option<u8> {
        Some(LOOPBACK)
    }

    fn wake(&self) -> Option<Places> {
        self.chip.wakes.then_some(Places { config3: reg::CONFIG3, config5: reg::CONFIG5 })
    }

    fn rings(&self, memory: Memory) -> Result<Self::Rings, hw::Error> {
        DescriptorRings::new(memory, self.chip.tasks)
    }

    fn causes(&self, registers: &impl Registers) -> u32 {
        if self.is_8125() { registers.read32(reg::ISR_8125) } else { registers.read16(common::ISR).into() }
    }

    fn acknowledge(&self, registers: &impl Registers, causes: u32) {
        if self.is_8125() {
            registers.write32(reg::ISR_8125, causes);
        } else {
            registers.write16(common::ISR, causes as u16);
        }
    }

    fn enable(&self, registers: &impl Registers, causes: Interrupts) {
        if self.is_8125() {
            registers.write32(reg::IMR_8125, causes.bits());
        } else {
            registers.write16(common::IMR, causes.bits() as u16);
        }
    }

    fn ring(&self, registers: &impl Registers) {
        if self.is_8125() {
            registers.write16(reg::TPPOLL_8125, reg::FIRST_RING);
        } else {
            registers.write8(reg::TPPOLL, Poll::NPQ.bits());
        }
    }

    fn set_up(&mut self, registers: &impl Registers) {
        let bus = if self.chip.generation == Generation::Rtl8169 { Cpcr::MUL_RW } else { Cpcr::empty() };
        registers.write16(common::CPCR, (Cpcr::RX_CHK_SUM | bus).bits());
        registers.write8(reg::MTPS, reg::NO_LIMIT);
        if self.chip.generation >= Generation::Rtl8168G {
            take_over(registers);
        }
    }

    fn started(&mut self, registers: &impl Registers) {
        self.tally.start(registers);
    }

    fn stops(&mut self, registers: &impl Registers) {
        self.tally.stop(registers);
    }

    fn set_longest(&self, registers: &impl Registers, longest: usize) {
        let mut config3 = Config3::from_bits_retain(registers.read8(reg::CONFIG3));
        let mut config4 = Config4::from_bits_retain(registers.read8(reg::CONFIG4));
        config3.set(self.chip.jumbo.0, longest > ETHERNET);
        config4.set(self.chip.jumbo.1, longest > ETHERNET);
        registers.write8(reg::CONFIG3, config3.bits());
        registers.write8(reg::CONFIG4, config4.bits());
        registers.write16(reg::RMS, (longest + FCS) as u16);
    }

    fn receive_control(&self) -> Rcr {
        let control = Rcr::new().with_mxdma(BURST);
        if self.is_8125() { control.with_fetch(8) } else { control.with_rxfth(7) }
    }

    /// In PCI Express devices the bytes of the hash are in reverse.
    fn hash_words(&self, hash: u64) -> [u32; 2] {
        let hash = if self.chip.generation == Generation::Rtl8169 { hash } else { hash.swap_bytes() };
        [hash as u32, (hash >> 32) as u32]
    }

    fn link(&self, registers: &impl Registers) -> Link {
        let status = if self.is_8125() {
            registers.read16(reg::PHYSTATUS)
        } else {
            registers.read8(reg::PHYSTATUS).into()
        };
        link(PhyStatus::from_bits_retain(status))
    }

    fn collect(&mut self, registers: &impl Registers, statistics: &mut Statistics) {
        self.tally.collect(registers, statistics);
    }
}

/// Frames are the driver's from now on, not the management processor's.
fn take_over(registers: &impl Registers) {
    let mcu = Mcu::from_bits_retain(registers.read8(reg::MCU));
    registers.write8(reg::MCU, (mcu - Mcu::NOW_IS_OOB).bits());
    let misc = Misc::from_bits_retain(registers.read32(reg::MISC));
    registers.write32(reg::MISC, (misc - Misc::RXDV_GATED_EN).bits());
}

/// The link, as the PHY's state tells it.
fn link(status: PhyStatus) -> Link {
    if !status.contains(PhyStatus::LINK_STS) {
        return Link::Down;
    }
    let speeds = [
        (PhyStatus::SPEED_2500, 2500),
        (PhyStatus::SPEED_1000, 1000),
        (PhyStatus::SPEED_100, 100),
        (PhyStatus::SPEED_10, 10),
    ];
    let speed = speeds.into_iter().find(|(speed, _)| status.contains(*speed)).map(|(_, speed)| speed);
    let always_full = PhyStatus::SPEED_2500 | PhyStatus::SPEED_1000;
    Link::Up { speed, full_duplex: status.intersects(always_full | PhyStatus::FULL_DUP) }
}
