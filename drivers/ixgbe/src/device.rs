//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;

use hw::{InterruptKind, PciFunction, Registers};
use intel::advanced::{self, AdvancedTransmit, RingControl};
use intel::counters::Counters;
use intel::filter::{multicast_table, vlan_table};
use intel::leds::Leds;
use intel::receive::Receiver;
use intel::registers::{Rah, RingRegisters};
use intel::transmit::Transmitter;
use intel::{Chip, eeprom, family, rings};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Features, Filter, Frame, Intervals, Link, MacAddress, Media,
    Memory, Moderation, Nic, NicInfo, Settings, Statistics, Turns,
};

use crate::chips::{self, Generation};
use crate::counters::COUNTERS;
use crate::descriptors::AdvancedReceive;
use crate::loopback::Loopback;
use crate::media;
use crate::registers::{
    self as reg, Eitr, Fctrl, Interrupts, Links, Rxctrl, TRANSMIT, Vlnctrl, eitr, qprdc, receive_ring,
};
use crate::setup;
use crate::spread::{self, QUEUES};
use crate::wake;

/// Bytes of a frame's FCS.
const FCS: usize = 4;

/// What EITR counts, in microseconds, and the longest interval.
const EITR_UNIT: u32 = 2;
const MOST_INTERVAL: u32 = 0x1ff * EITR_UNIT;

/// Each queue has a vector of its own, where there are as many.
const INTERRUPTS: &[InterruptKind] = &[
    InterruptKind::MsiX { vectors: QUEUES as u16 },
    InterruptKind::MsiX { vectors: 1 },
    InterruptKind::Msi,
    InterruptKind::Intx,
];

/// An 82599, or one of its family.
pub struct Device<R> {
    registers: R,
    generation: Generation,
    chip: Chip,
    info: NicInfo,
    /// One for each queue.
    receivers: Vec<Receiver<AdvancedReceive>>,
    turns: Turns,
    transmitter: Transmitter<AdvancedTransmit>,
    counters: Counters,
    /// How interrupts come.
    interrupts: InterruptKind,
    /// Interrupts tell of sent frames.
    tells_sent: bool,
    leds: Leds,
    loopback: Loopback,
    /// What the device was told of its link.
    media: Media,
}

impl<R: Registers> Device<R> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(function: &mut impl PciFunction<Registers = R>, memory: Memory) -> Result<Self, Fault> {
        let hw::Identity { vendor, device, .. } = function.identity();
        let (generation, chip) = chips::find(vendor, device).ok_or(Fault::Unknown { vendor, device })?;
        let registers = function.registers(0)?;
        if registers.size() < reg::WINDOW {
            return Err(hw::Error::NoBar { location: function.location(), bar: 0 }.into());
        }
        setup::reset(&registers, generation, &chip)?;
        // The X550's belongs to its firmware.
        let eeprom = generation != Generation::X550 && eeprom::is_readable(&registers, reg::EERD);
        let info = NicInfo {
            model: chip.name,
            mac: address(&registers)?,
            mtu: chip.mtu.clone(),
            features: family::FEATURES,
            facilities: Facilities {
                moderation: Moderation::OneInterval(MOST_INTERVAL),
                rings: Some(rings::LIMITS),
                queues: QUEUES,
                media: media::limits(&registers, generation),
                rss: Some(spread::LIMITS),
                self_test: true,
                eeprom,
                identify: true,
                wake: eeprom && wake::is_wired(&registers, function.location().function()),
                ..Facilities::default()
            },
        };
        Ok(Self {
            registers,
            generation,
            chip,
            info,
            receivers: receivers(&memory)?,
            turns: Turns::default(),
            transmitter: rings::transmitter(&memory)?,
            counters: Counters::new(COUNTERS, (0..QUEUES.into()).map(qprdc)),
            interrupts: InterruptKind::Intx,
            tells_sent: false,
            leds: Leds::at(reg::LEDCTL),
            loopback: Loopback::of(generation),
            media: Media::default(),
        })
    }

    fn set_address(&self, address: MacAddress) {
        let [a, b, c, d, e, f] = address.0;
        let high = Rah::new().with_high(u16::from_le_bytes([e, f])).with_av(true);
        self.registers.write32(reg::RAL0, u32::from_le_bytes([a, b, c, d]));
        self.registers.write32(reg::RAH0, high.into());
    }

    /// The device finds an empty ring at `base`, of `len` bytes, and may use it.
    fn set_ring_up(&self, ring: RingRegisters, location: (u64, usize)) -> Result<(), Fault> {
        ring.set_up(&self.registers, location);
        advanced::enable(&self.registers, ring)
    }

    fn fill_receivers(&mut self) {
        for (ring, receiver) in (0..).map(receive_ring).zip(&mut self.receivers) {
            if receiver.fill() {
                self.registers.write32(ring.tail(), receiver.tail() as u32);
            }
        }
    }

    /// Has the link be what is asked for; what is negotiated already goes on.
    fn set_media(&mut self, media: Media) {
        let before = std::mem::replace(&mut self.media, media);
        if media != before && media.is_news_after(before) {
            media::set(&self.registers, media);
        }
    }

    fn write_filter(&self, filter: &Filter) {
        for (index, word) in multicast_table(&filter.multicast).into_iter().enumerate() {
            self.registers.write32(reg::MTA + 4 * index, word);
        }
        let mut control = Fctrl::BAM;
        control.set(Fctrl::UPE, filter.promiscuous);
        control.set(Fctrl::MPE, filter.promiscuous || filter.all_multicast);
        self.registers.write32(reg::FCTRL, control.bits());
    }

    fn handle_tags(&self, settings: &Settings) {
        for queue in 0..u16::from(QUEUES) {
            let register = receive_ring(queue).control();
            let mut ring = RingControl::from_bits_retain(self.registers.read32(register));
            ring.set(RingControl::VME, settings.features.contains(Features::RX_VLAN));
            self.registers.write32(register, ring.bits());
        }
        let mut control = Vlnctrl::VET;
        control.set(Vlnctrl::VFE, settings.vlans().is_some());
        let vlans = settings.vlans().map(vlan_table).into_iter().flatten();
        for (index, word) in vlans.enumerate() {
            self.registers.write32(reg::VFTA + 4 * index, word);
        }
        self.registers.write32(reg::VLNCTRL, control.bits());
    }

    fn is_by_message(&self) -> bool {
        self.interrupts != InterruptKind::Intx
    }

    /// What the driver wants to hear of.
    fn enabled(&self) -> Interrupts {
        let of_queues = match self.interrupts {
            InterruptKind::MsiX { vectors } => Interrupts::from_bits_retain((1 << vectors) - 1),
            InterruptKind::Msi | InterruptKind::Intx => Interrupts::RECEIVE | Interrupts::TRANSMIT,
        };
        of_queues | Interrupts::LSC
    }
}

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        receive_queues: QUEUES,
        ring_memory: rings::memory::<{ QUEUES as usize }>,
        ..family::driver("ixgbe", "ixgbed", INTERRUPTS)
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.interrupts = interrupts;
        setup::set_up(&self.registers, interrupts);
        setup::allocate_causes(&self.registers, interrupts, self.tells_sent);
        for (ring, receiver) in (0..).map(receive_ring).zip(&self.receivers) {
            self.set_ring_up(ring, receiver.location())?;
        }
        self.fill_receivers();
        self.set_ring_up(TRANSMIT, self.transmitter.location())?;
        self.configure(settings);
        self.unmask();
        self.link().map(drop)
    }

    /// A reset is what brings the device back to the beginning of its rings.
    fn stop(&mut self) -> usize {
        setup::quiet(&self.registers);
        self.counters.keep(&self.registers);
        if let Err(error) = self.reset() {
            log::warn!("the device is stopped, but not reset: {error}");
        }
        self.receivers.iter_mut().for_each(Receiver::reset);
        self.transmitter.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        setup::reset(&self.registers, self.generation, &self.chip)?;
        self.media = Media::default();
        self.leds.go_on(&self.registers);
        Ok(())
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        (self.receivers, self.transmitter) = (receivers(&memory)?, rings::transmitter(&memory)?);
        Ok(())
    }

    /// Filters are changed while nothing is received (8.2.3.7.1).
    fn configure(&mut self, settings: &Settings) {
        self.registers.write32(reg::RXCTRL, 0);
        self.set_address(settings.mac);
        self.set_media(settings.media);
        self.write_filter(&settings.filter);
        self.handle_tags(settings);
        let longest = settings.mtu + HEADER + VLAN_TAG;
        self.registers.write32(reg::MAXFRS, ((longest + FCS) as u32) << 16);
        self.receivers.iter_mut().for_each(|receiver| receiver.set_longest(longest));
        if let Some(rss) = &settings.rss {
            spread::write(&self.registers, self.generation, rss);
        }
        self.registers.write32(reg::RXCTRL, Rxctrl::RXEN.bits());
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        if self.transmitter.give(frames) {
            self.registers.write32(TRANSMIT.tail(), self.transmitter.tail() as u32);
        }
    }

    fn unsent(&self) -> usize {
        self.transmitter.unsent()
    }

    fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        self.transmitter.reclaim(frames);
    }

    fn receive(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        self.turns.receive(&mut self.receivers, budget, frames, Receiver::take);
        self.fill_receivers();
    }

    fn take_causes(&mut self) -> Result<Causes, Fault> {
        let raised = self.registers.read32(reg::EICR);
        if raised == u32::MAX {
            setup::present(&self.registers)?;
        }
        self.registers.write32(reg::EIMC, u32::MAX);
        self.registers.write32(reg::EICR, raised);
        let raised = Interrupts::from_bits_retain(raised) & self.enabled();
        // Nobody else sends a message, and vectors stand for both directions.
        let mut causes = Causes::empty();
        causes.set(Causes::RECEIVE, self.is_by_message() || raised.contains(Interrupts::RECEIVE));
        causes.set(Causes::TRANSMIT, self.is_by_message() || raised.contains(Interrupts::TRANSMIT));
        causes.set(Causes::LINK, raised.contains(Interrupts::LSC));
        Ok(causes)
    }

    /// EICR keeps what happened meanwhile.
    fn unmask(&mut self) -> bool {
        self.registers.write32(reg::EIMS, self.enabled().bits());
        false
    }

    fn tell_sent(&mut self, wanted: bool) {
        self.tells_sent = wanted;
        setup::allocate_causes(&self.registers, self.interrupts, wanted);
    }

    fn moderate(&mut self, intervals: Intervals) {
        let interval = Eitr::new().with_interval((intervals.receive / EITR_UNIT) as u16);
        for vector in 0..self.interrupts.vectors() {
            self.registers.write32(eitr(vector), interval.into());
        }
    }

    fn set_loopback(&mut self, on: bool) -> bool {
        self.loopback.set(&self.registers, on);
        true
    }

    fn keeps_registers(&mut self) -> bool {
        self.registers.keep32(reg::RAL1)
    }

    fn eeprom(&mut self) -> Vec<u8> {
        eeprom::dump(&self.registers, reg::EERD).unwrap_or_default()
    }

    fn identify(&mut self, on: bool) {
        self.leds.identify(&self.registers, on);
    }

    fn arm(&mut self, address: MacAddress) -> Result<(), Fault> {
        self.reset()?;
        self.set_address(address);
        wake::arm(&self.registers);
        Ok(())
    }

    fn link(&mut self) -> Result<Link, Fault> {
        setup::present(&self.registers)?;
        let links = Links::from(self.registers.read32(reg::LINKS));
        Ok(if links.up() { Link::Up { speed: links.megabits(), full_duplex: true } } else { Link::Down })
    }

    /// It has no way to say so.
    fn needs_reset(&mut self) -> bool {
        false
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        self.receivers.iter_mut().for_each(|receiver| receiver.collect(statistics));
        self.counters.collect(&self.registers, statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        reg::DUMP.into_iter().map(|(name, offset)| (name, self.registers.read32(offset))).collect()
    }
}

/// A receive ring for each queue.
fn receivers(memory: &Memory) -> Result<Vec<Receiver<AdvancedReceive>>, Fault> {
    (0..QUEUES).map(|_| rings::receiver(memory)).collect()
}

/// The device's own address, which it has loaded from its EEPROM.
fn address(registers: &impl Registers) -> Result<MacAddress, Fault> {
    let [a, b, c, d] = registers.read32(reg::RAL0).to_le_bytes();
    let [e, f] = Rah::from(registers.read32(reg::RAH0)).high().to_le_bytes();
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station()).ok_or(Fault::NoAddress)
}
