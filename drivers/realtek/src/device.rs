//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;

use hw::{InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Features, Filter, Frame, Intervals, Link, MacAddress, Media,
    MediaLimits, Memory, Nic, NicInfo, Settings, Statistics,
};

use crate::eeprom;
use crate::family::Family;
use crate::filter;
use crate::registers::{self as reg, Accept, Cr, Interrupts, Tcr};
use crate::rings::Rings;
use crate::tasks::Tasks;

/// Reads of CR while a reset goes on: it takes at most 10 ms, a read at least half a microsecond.
const RESET_PATIENCE: u32 = 20_000;

/// The longest frame without jumbo frames: with header and tag, without FCS.
pub const ETHERNET: usize = 1500 + HEADER + VLAN_TAG;

/// DMA bursts of 1024 bytes.
pub const BURST: u8 = 6;

/// What says that frames have been sent.
const SENT: Interrupts = Interrupts::TOK.union(Interrupts::TER);

/// What says that frames have come, or were lost.
const RECEIVED: Interrupts =
    Interrupts::ROK.union(Interrupts::RER).union(Interrupts::RDU).union(Interrupts::FOVW);

/// What the driver wants to hear of.
const ENABLED: Interrupts = RECEIVED.union(SENT).union(Interrupts::LINK_CHG);

/// A controller of the family `F`.
pub struct Device<R, F: Family> {
    registers: R,
    info: NicInfo,
    family: F,
    rings: F::Rings,
    /// Interrupts tell of sent frames.
    tells_sent: bool,
    /// What the PHY was told.
    media: Media,
    /// Which intervals are to be between interrupts.
    intervals: Intervals,
}

impl<R: Registers, F: Family> Device<R, F> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(function: &mut impl PciFunction<Registers = R>, memory: Memory) -> Result<Self, Fault> {
        let mut family = F::new(function.identity(), &memory.arena)?;
        let registers = function.registers(family.bar())?;
        if registers.size() < reg::WINDOW {
            return Err(hw::Error::NoBar { location: function.location(), bar: family.bar() }.into());
        }
        reset(&registers, &family)?;
        let (model, mtu) = family.meet(&registers)?;
        disarm(&registers, &family);
        let info = NicInfo {
            model,
            mac: address(&registers)?,
            mtu,
            features: family.features(),
            facilities: Facilities {
                moderation: family.moderation(),
                rings: family.ring_limits(),
                media: Some(MediaLimits::COPPER),
                self_test: family.loopback().is_some(),
                eeprom: eeprom::is_there(&registers),
                wake: family.wake().is_some(),
                offloads: family.tasks().map(Tasks::limits).unwrap_or_default(),
                ..Facilities::default()
            },
        };
        let rings = family.rings(memory)?;
        Ok(Self {
            registers,
            info,
            family,
            rings,
            tells_sent: false,
            media: Media::default(),
            intervals: Intervals::default(),
        })
    }

    fn write_multicast_hash(&self, hash: u64) {
        let [first, second] = self.family.hash_words(hash);
        self.registers.write32(reg::MAR0, first);
        self.registers.write32(reg::MAR4, second);
    }

    fn write_station_address(&self, MacAddress([a, b, c, d, e, f]): MacAddress) {
        self.registers.write32(reg::IDR0, u32::from_le_bytes([a, b, c, d]));
        self.registers.write32(reg::IDR4, u32::from_le_bytes([e, f, 0, 0]));
    }

    /// What the driver wants to hear of now.
    fn enabled(&self) -> Interrupts {
        if self.tells_sent { ENABLED } else { ENABLED - SENT }
    }
}

impl<R: Registers, F: Family> Nic for Device<R, F> {
    const DRIVER: DriverInfo = F::DRIVER;

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, _interrupts: InterruptKind) -> Result<(), Fault> {
        // A reset is what brings the device back to the beginning of its rings.
        reset(&self.registers, &self.family)?;
        self.family.set_up(&self.registers);
        self.rings.start(&self.registers);
        self.registers.write8(reg::CR, (Cr::RE | Cr::TE).bits());
        self.registers.write32(reg::TCR, transmit_control().into());
        self.configure(settings);
        self.family.started(&self.registers);
        self.unmask();
        self.link().map(drop)
    }

    fn stop(&mut self) -> usize {
        self.family.stops(&self.registers);
        quiet(&self.registers, &self.family);
        self.rings.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        reset(&self.registers, &self.family)?;
        disarm(&self.registers, &self.family);
        Ok(())
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        self.rings = self.family.rings(memory)?;
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        let longest = settings.mtu + HEADER + VLAN_TAG;
        self.rings.set_longest(longest);
        // The address registers are locked like the configuration's.
        self.registers.write8(reg::CR9346, reg::UNLOCK);
        self.write_station_address(settings.mac);
        self.family.set_longest(&self.registers, longest);
        self.family.take_tags_off(&self.registers, settings.features.contains(Features::RX_VLAN));
        let before = std::mem::replace(&mut self.media, settings.media);
        if self.media.is_news_after(before) {
            self.family.set_media(&self.registers, self.media);
        }
        self.registers.write8(reg::CR9346, reg::LOCK);
        let Filter { promiscuous, all_multicast, multicast, .. } = &settings.filter;
        let all = *promiscuous || *all_multicast;
        self.write_multicast_hash(if all { filter::ALL } else { filter::multicast_hash(multicast) });
        let mut accept = Accept::APM | Accept::AB | Accept::AM;
        accept.set(Accept::AAP, *promiscuous);
        let control = u32::from(self.family.receive_control());
        self.registers.write32(reg::RCR, control | accept.bits());
        self.rings.filtered(&self.registers);
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        if self.rings.give(&self.registers, frames) {
            self.family.ring(&self.registers);
        }
    }

    fn unsent(&self) -> usize {
        self.rings.unsent()
    }

    fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        self.rings.reclaim(&self.registers, frames);
    }

    fn receive(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        self.rings.receive(&self.registers, budget, frames);
    }

    fn take_causes(&mut self) -> Result<Causes, Fault> {
        let raised = self.family.causes(&self.registers);
        if raised as u16 == u16::MAX {
            present(&self.registers)?;
        }
        self.family.enable(&self.registers, Interrupts::empty());
        self.family.acknowledge(&self.registers, raised);
        let raised = Interrupts::from_bits_retain(raised) & self.enabled();
        let mut causes = Causes::empty();
        causes.set(Causes::RECEIVE, raised.intersects(RECEIVED));
        causes.set(Causes::TRANSMIT, raised.intersects(SENT));
        causes.set(Causes::LINK, raised.contains(Interrupts::LINK_CHG));
        Ok(causes)
    }

    /// ISR keeps what happened meanwhile.
    fn unmask(&mut self) -> bool {
        self.family.enable(&self.registers, self.enabled());
        false
    }

    fn tell_sent(&mut self, wanted: bool) {
        self.tells_sent = wanted;
    }

    fn moderate(&mut self, intervals: Intervals) {
        self.intervals = intervals;
        self.family.moderate(&self.registers, intervals, self.family.link(&self.registers));
    }

    fn set_loopback(&mut self, on: bool) -> bool {
        let mode = self.family.loopback().filter(|_| on).unwrap_or(0);
        self.registers.write32(reg::TCR, transmit_control().with_lbk(mode).into());
        true
    }

    fn keeps_registers(&mut self) -> bool {
        self.registers.keep32(reg::MAR0)
    }

    fn eeprom(&mut self) -> Vec<u8> {
        eeprom::dump(&self.registers)
    }

    /// A magic packet is seen where its frame is one that would be received. The receiver has no buffers then, and the
    /// device does not master the bus.
    fn arm(&mut self, address: MacAddress) -> Result<(), Fault> {
        self.reset()?;
        self.registers.write8(reg::CR9346, reg::UNLOCK);
        self.write_station_address(address);
        self.family.set_longest(&self.registers, ETHERNET);
        if let Some(places) = self.family.wake() {
            places.set(&self.registers, true);
        }
        self.registers.write8(reg::CR9346, reg::LOCK);
        self.registers.write8(reg::CR, Cr::RE.bits());
        let control = u32::from(self.family.receive_control());
        self.registers.write32(reg::RCR, control | (Accept::APM | Accept::AB).bits());
        Ok(())
    }

    fn link(&mut self) -> Result<Link, Fault> {
        present(&self.registers)?;
        let link = self.family.link(&self.registers);
        // The intervals are counted in what the speed makes of them.
        self.family.moderate(&self.registers, self.intervals, link);
        Ok(link)
    }

    fn needs_reset(&mut self) -> bool {
        self.rings.is_lost()
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        self.rings.collect(statistics);
        self.family.collect(&self.registers, statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        let read = |offset, width| match width {
            1 => self.registers.read8(offset).into(),
            2 => self.registers.read16(offset).into(),
            _ => self.registers.read32(offset),
        };
        let registers = reg::DUMP.iter().chain(F::DUMP);
        registers.map(|&(name, offset, width)| (name, read(offset, width))).collect()
    }
}

/// How frames are sent.
fn transmit_control() -> Tcr {
    Tcr::new().with_mxdma(BURST).with_ifg(3)
}

/// The device is there.
fn present(registers: &impl Registers) -> Result<(), Fault> {
    if registers.read32(reg::TCR) == u32::MAX { Err(Fault::Gone) } else { Ok(()) }
}

/// Stops both directions and all interrupts. The read makes sure that the writes have arrived.
fn quiet(registers: &impl Registers, family: &impl Family) {
    family.enable(registers, Interrupts::empty());
    registers.write8(reg::CR, 0);
    family.causes(registers);
}

/// Resets the device (CR.RST), after which it is quiet.
fn reset(registers: &impl Registers, family: &impl Family) -> Result<(), Fault> {
    present(registers)?;
    quiet(registers, family);
    registers.write8(reg::CR, Cr::RST.bits());
    for _ in 0..RESET_PATIENCE {
        let command = Cr::from_bits_retain(registers.read8(reg::CR));
        if !command.contains(Cr::RST) {
            quiet(registers, family);
            // Causes from before the reset are nobody's.
            family.acknowledge(registers, u32::MAX);
            return Ok(());
        }
    }
    present(registers)?;
    Err(Fault::Hung("its reset"))
}

/// Has the device wake nobody. A reset alone leaves it as it was.
fn disarm(registers: &impl Registers, family: &impl Family) {
    if let Some(places) = family.wake() {
        registers.write8(reg::CR9346, reg::UNLOCK);
        places.set(registers, false);
        registers.write8(reg::CR9346, reg::LOCK);
    }
}

/// The device's own address, which it has loaded from its EEPROM.
fn address(registers: &impl Registers) -> Result<MacAddress, Fault> {
    let [a, b, c, d] = registers.read32(reg::IDR0).to_le_bytes();
    let [e, f, ..] = registers.read32(reg::IDR4).to_le_bytes();
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station()).ok_or(Fault::NoAddress)
}
