//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;

use hw::{InterruptKind, PciFunction, Registers};
use intel::advanced::{self, AdvancedTransmit, RingControl};
use intel::counters::Counters;
use intel::filter::{multicast_table, vlan_table};
use intel::receive::Receiver;
use intel::registers::{Rah, RingRegisters};
use intel::transmit::Transmitter;
use intel::{Chip, family, rings};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Features, Filter, Frame, Intervals, Link, MacAddress, Memory,
    Moderation, Nic, NicInfo, Settings, Statistics,
};

use crate::chips;
use crate::counters::COUNTERS;
use crate::descriptors::AdvancedReceive;
use crate::registers::{self as reg, Eitr, Fctrl, Interrupts, Links, RECEIVE, Rxctrl, TRANSMIT, Vlnctrl};
use crate::setup;

/// Bytes of a frame's FCS.
const FCS: usize = 4;

/// What EITR counts, in microseconds, and the longest interval.
const EITR_UNIT: u32 = 2;
const MOST_INTERVAL: u32 = 0x1ff * EITR_UNIT;

/// What the driver wants to hear of.
const ENABLED: Interrupts = Interrupts::RECEIVE.union(Interrupts::TRANSMIT).union(Interrupts::LSC);

/// An 82599, or one of its family.
pub struct Device<R> {
    registers: R,
    chip: Chip,
    info: NicInfo,
    receiver: Receiver<AdvancedReceive>,
    transmitter: Transmitter<AdvancedTransmit>,
    counters: Counters,
    /// How interrupts come.
    interrupts: InterruptKind,
    /// Interrupts tell of sent frames.
    tells_sent: bool,
}

impl<R: Registers> Device<R> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(function: &mut impl PciFunction<Registers = R>, memory: Memory) -> Result<Self, Fault> {
        let hw::Identity { vendor, device, .. } = function.identity();
        let serial = Chip::find(chips::SERIAL, vendor, device);
        let has_phy = serial.is_none();
        let chip = serial.or_else(|| Chip::find(chips::COPPER, vendor, device));
        let chip = chip.ok_or(Fault::Unknown { vendor, device })?;
        let registers = function.registers(0)?;
        if registers.size() < reg::WINDOW {
            return Err(hw::Error::NoBar { location: function.location(), bar: 0 }.into());
        }
        setup::reset(&registers, &chip)?;
        if !has_phy {
            setup::negotiate(&registers);
        }
        let info = NicInfo {
            model: chip.name,
            mac: address(&registers)?,
            mtu: chip.mtu.clone(),
            features: family::FEATURES,
            facilities: Facilities {
                moderation: Moderation::OneInterval(MOST_INTERVAL),
                rings: Some(rings::LIMITS),
                ..Facilities::default()
            },
        };
        let (receiver, transmitter) = (rings::receiver(&memory)?, rings::transmitter(&memory)?);
        Ok(Self {
            registers,
            chip,
            info,
            receiver,
            transmitter,
            counters: Counters::new(COUNTERS),
            interrupts: InterruptKind::Intx,
            tells_sent: false,
        })
    }

    /// The device finds an empty ring at `base`, of `len` bytes, and may use it.
    fn set_ring_up(&self, ring: RingRegisters, location: (u64, usize)) -> Result<(), Fault> {
        ring.set_up(&self.registers, location);
        advanced::enable(&self.registers, ring)
    }

    fn fill_receiver(&mut self) {
        if self.receiver.fill() {
            self.registers.write32(RECEIVE.tail(), self.receiver.tail() as u32);
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
        let mut ring = RingControl::from_bits_retain(self.registers.read32(RECEIVE.control()));
        ring.set(RingControl::VME, settings.features.contains(Features::RX_VLAN));
        self.registers.write32(RECEIVE.control(), ring.bits());
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
}

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = family::driver(
        "ixgbe",
        "ixgbed",
        &[InterruptKind::MsiX { vectors: 1 }, InterruptKind::Msi, InterruptKind::Intx],
    );

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.interrupts = interrupts;
        setup::set_up(&self.registers, interrupts);
        setup::allocate_causes(&self.registers, interrupts, self.tells_sent);
        self.set_ring_up(RECEIVE, self.receiver.location())?;
        self.fill_receiver();
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
        self.receiver.reset();
        self.transmitter.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        setup::reset(&self.registers, &self.chip)
    }

    /// Filters are changed while nothing is received (8.2.3.7.1).
    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        (self.receiver, self.transmitter) = (rings::receiver(&memory)?, rings::transmitter(&memory)?);
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        self.registers.write32(reg::RXCTRL, 0);
        let [a, b, c, d, e, f] = settings.mac.0;
        let high = Rah::new().with_high(u16::from_le_bytes([e, f])).with_av(true);
        self.registers.write32(reg::RAL0, u32::from_le_bytes([a, b, c, d]));
        self.registers.write32(reg::RAH0, high.into());
        self.write_filter(&settings.filter);
        self.handle_tags(settings);
        let longest = settings.mtu + HEADER + VLAN_TAG;
        self.registers.write32(reg::MAXFRS, ((longest + FCS) as u32) << 16);
        self.receiver.set_longest(longest);
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
        self.receiver.take(budget, frames);
        self.fill_receiver();
    }

    fn take_causes(&mut self) -> Result<Causes, Fault> {
        let raised = self.registers.read32(reg::EICR);
        if raised == u32::MAX {
            setup::present(&self.registers)?;
        }
        self.registers.write32(reg::EIMC, u32::MAX);
        self.registers.write32(reg::EICR, raised);
        let raised = Interrupts::from_bits_retain(raised) & ENABLED;
        // Nobody else sends a message, and vector 0 stands for both directions.
        let mut causes = Causes::empty();
        causes.set(Causes::RECEIVE, self.is_by_message() || raised.contains(Interrupts::RECEIVE));
        causes.set(Causes::TRANSMIT, self.is_by_message() || raised.contains(Interrupts::TRANSMIT));
        causes.set(Causes::LINK, raised.contains(Interrupts::LSC));
        Ok(causes)
    }

    /// EICR keeps what happened meanwhile.
    fn unmask(&mut self) -> bool {
        self.registers.write32(reg::EIMS, ENABLED.bits());
        false
    }

    fn tell_sent(&mut self, wanted: bool) {
        self.tells_sent = wanted;
        setup::allocate_causes(&self.registers, self.interrupts, wanted);
    }

    fn moderate(&mut self, intervals: Intervals) {
        let interval = Eitr::new().with_interval((intervals.receive / EITR_UNIT) as u16);
        self.registers.write32(reg::EITR0, interval.into());
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
        self.receiver.collect(statistics);
        self.counters.collect(&self.registers, statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        reg::DUMP.into_iter().map(|(name, offset)| (name, self.registers.read32(offset))).collect()
    }
}

/// The device's own address, which it has loaded from its EEPROM.
fn address(registers: &impl Registers) -> Result<MacAddress, Fault> {
    let [a, b, c, d] = registers.read32(reg::RAL0).to_le_bytes();
    let [e, f] = Rah::from(registers.read32(reg::RAH0)).high().to_le_bytes();
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station()).ok_or(Fault::NoAddress)
}
