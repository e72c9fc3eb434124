//! The device: its life, its interrupts, its link and its filters.

mod reset;

use std::collections::VecDeque;
use std::marker::PhantomData;

use hw::{InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Features, Frame, Intervals, Link, MacAddress, Media, MediaLimits,
    Memory, Moderation, Nic, NicInfo, RssLimits, Settings, Statistics, Turns, vlan,
};

use crate::chip::Chip;
use crate::counters::{Counters, GIGABIT};
use crate::descriptors::Receive;
use crate::eeprom;
use crate::family::Family;
use crate::filter;
use crate::leds::Leds;
use crate::phy;
use crate::receive::Receiver;
use crate::registers::{self as reg, Ctrl, Interrupts, Rah, Rctl, Rxcsum, Status, Tctl};
use crate::rings;
use crate::transmit::Transmitter;
use crate::wake;
use reset::{quiet, reset};

/// A controller of the family `F`.
pub struct Device<R, F: Family> {
    registers: R,
    chip: Chip,
    info: NicInfo,
    /// One for each queue.
    receivers: Vec<Receiver<F::Receive>>,
    turns: Turns,
    transmitter: Transmitter<F::Transmit>,
    counters: Counters,
    /// How interrupts come.
    interrupts: InterruptKind,
    /// Interrupts tell of sent frames.
    tells_sent: bool,
    leds: Leds,
    /// What the PHY was told.
    media: Media,
    family: PhantomData<F>,
}

impl<R: Registers, F: Family> Device<R, F> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(function: &mut impl PciFunction<Registers = R>, memory: Memory) -> Result<Self, Fault> {
        let hw::Identity { vendor, device, .. } = function.identity();
        let chip = Chip::find(F::CHIPS, vendor, device).ok_or(Fault::Unknown { vendor, device })?;
        let registers = function.registers(0)?;
        if registers.size() < reg::WINDOW {
            return Err(hw::Error::NoBar { location: function.location(), bar: 0 }.into());
        }
        reset::<F>(&registers, &chip)?;
        let mac = F::address(&registers).ok_or(Fault::NoAddress)?;
        let rss = F::RSS.filter(|_| chip.has_queues);
        let queues = rss.map_or(0, |limits| limits.queues);
        let has_phy = phy::meet(&registers);
        let facilities = Facilities {
            moderation: Moderation::OneInterval(F::MOST_INTERVAL),
            rings: Some(rings::LIMITS),
            queues,
            rss,
            media: has_phy.then_some(MediaLimits::COPPER),
            self_test: has_phy,
            eeprom: eeprom::is_readable(&registers, reg::EERD),
            identify: chip.led_control,
            wake: chip.wakes,
            ..Facilities::default()
        };
        let mut features = F::FEATURES - chip.lacks;
        features.set(Features::VLAN_FILTER, chip.filter_tables);
        let info = NicInfo { model: chip.name, mac, mtu: chip.mtu.clone(), features, facilities };
        Ok(Self {
            registers,
            chip,
            info,
            receivers: receivers(&memory, rss)?,
            turns: Turns::default(),
            transmitter: rings::transmitter(&memory)?,
            counters: Counters::new(GIGABIT, (0..queues.max(1).into()).filter_map(F::dropped)),
            interrupts: InterruptKind::Intx,
            tells_sent: false,
            leds: Leds::at(reg::LEDCTL),
            media: Media::default(),
            family: PhantomData,
        })
    }

    fn set_address(&self, address: MacAddress) {
        let [a, b, c, d, e, f] = address.0;
        let high = Rah::new().with_high(u16::from_le_bytes([e, f])).with_av(true);
        self.registers.write32(reg::RAL0, u32::from_le_bytes([a, b, c, d]));
        self.registers.write32(reg::RAH0, high.into());
    }

    fn set_link_up(&self) {
        let mut ctrl = Ctrl::from_bits_retain(self.registers.read32(reg::CTRL));
        // QEMU (7.2) keeps the latter over a reset.
        ctrl.remove(F::CTRL_CLEAR | Ctrl::GIO_MDIS);
        ctrl.insert(F::CTRL_SET);
        self.registers.write32(reg::CTRL, ctrl.bits());
    }

    /// Has the PHY negotiate, or not, and the device go along with it (8254x SDM, 8.6.1).
    fn set_media(&mut self, media: Media) {
        let before = std::mem::replace(&mut self.media, media);
        if media.negotiates {
            self.set_link_up();
        } else {
            let speed = if media.speed == 100 { Ctrl::SPEED_100 } else { Ctrl::empty() };
            self.force(speed | if media.full_duplex { Ctrl::FD } else { Ctrl::empty() });
        }
        if media.is_news_after(before) && phy::set(&self.registers, media).is_none() {
            log::warn!("the PHY does not answer; its speed and duplex stay as they are");
        }
    }

    /// Has the device work at this speed and duplex, whatever the PHY tells it.
    fn force(&self, mode: Ctrl) {
        let mut ctrl = Ctrl::from_bits_retain(self.registers.read32(reg::CTRL));
        ctrl.remove(Ctrl::ASDE | Ctrl::SPEED_100 | Ctrl::SPEED_1000 | Ctrl::FD);
        ctrl.insert(Ctrl::SLU | Ctrl::FRCSPD | Ctrl::FRCDPLX | mode);
        self.registers.write32(reg::CTRL, ctrl.bits());
    }

    /// 8254x SDM, 14.4.
    fn start_receiver(&mut self, settings: &Settings) -> Result<(), Fault> {
        let mut checksums = Rxcsum::IPOFLD | Rxcsum::TUOFLD;
        checksums.set(Rxcsum::PCSD, settings.rss.is_some());
        self.registers.write32(reg::RXCSUM, checksums.bits());
        for (ring, receiver) in (0..).map(F::receive_ring).zip(&self.receivers) {
            ring.set_up(&self.registers, receiver.location());
            F::enable_receive_ring(&self.registers, ring)?;
        }
        self.fill_receivers();
        // This enables the receiver, which may drop frames as long as it has no buffers.
        self.configure(settings);
        Ok(())
    }

    /// 8254x SDM, 14.5.
    fn start_transmitter(&mut self) -> Result<(), Fault> {
        F::TRANSMIT_RING.set_up(&self.registers, self.transmitter.location());
        F::enable_transmit_ring(&self.registers)?;
        let control = Tctl::from(self.registers.read32(reg::TCTL));
        let control = control.with_en(true).with_psp(true).with_ct(0x0f).with_cold(0x40);
        self.registers.write32(reg::TCTL, control.into());
        Ok(())
    }

    /// What the driver wants to hear of now.
    fn enabled(&self) -> Interrupts {
        let all = F::enabled(self.interrupts);
        if self.tells_sent { all } else { all - SENT }
    }

    fn fill_receivers(&mut self) {
        for (ring, receiver) in (0..).map(F::receive_ring).zip(&mut self.receivers) {
            if receiver.fill() {
                self.registers.write32(ring.tail(), receiver.tail() as u32);
            }
        }
    }

    fn write_filter(&self, settings: &Settings) {
        if !self.chip.filter_tables {
            return;
        }
        for (index, word) in filter::multicast_table(&settings.filter.multicast).into_iter().enumerate() {
            self.registers.write32(reg::MTA + 4 * index, word);
        }
        let vlans = settings.vlans().map(filter::vlan_table).into_iter().flatten();
        for (index, word) in vlans.enumerate() {
            self.registers.write32(reg::VFTA + 4 * index, word);
        }
    }

    /// One bit has tags taken off and inserted (13.4.1); the driver puts back what was not to be taken off.
    fn handle_tags(&self, features: Features) {
        let mut ctrl = Ctrl::from_bits_retain(self.registers.read32(reg::CTRL));
        ctrl.set(Ctrl::VME, features.intersects(Features::RX_VLAN | Features::TX_VLAN));
        self.registers.write32(reg::VET, vlan::ETHERTYPE.into());
        self.registers.write32(reg::CTRL, ctrl.bits());
    }

    fn receive_control(&self, settings: &Settings) -> Rctl {
        let filter = &settings.filter;
        let without_table = !self.chip.filter_tables && !filter.multicast.is_empty();
        let mut control = Rctl::EN | Rctl::BAM | Rctl::SECRC;
        control.set(Rctl::UPE, filter.promiscuous);
        control.set(Rctl::MPE, filter.promiscuous || filter.all_multicast || without_table);
        control.set(Rctl::LPE, settings.mtu > ETHERNET_MTU);
        control.set(Rctl::VFE, settings.vlans().is_some());
        control
    }
}

/// Without LPE the device takes no longer frames than this allows (8254x SDM, 13.4.22).
const ETHERNET_MTU: usize = 1500;

impl<R: Registers, F: Family> Nic for Device<R, F> {
    const DRIVER: DriverInfo = F::DRIVER;

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.interrupts = interrupts;
        self.set_media(settings.media);
        F::set_up(&self.registers, interrupts);
        self.start_receiver(settings)?;
        self.start_transmitter()?;
        self.unmask();
        self.link().map(drop)
    }

    fn stop(&mut self) -> usize {
        quiet::<F>(&self.registers);
        if F::RESET_AT_STOP {
            self.counters.keep(&self.registers);
            if let Err(error) = self.reset() {
                log::warn!("the device is stopped, but not reset: {error}");
            }
        }
        self.receivers.iter_mut().for_each(Receiver::reset);
        self.transmitter.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        reset::<F>(&self.registers, &self.chip)?;
        self.leds.go_on(&self.registers);
        Ok(())
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        self.receivers = receivers(&memory, self.info.facilities.rss)?;
        self.transmitter = rings::transmitter(&memory)?;
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        self.set_address(settings.mac);
        if settings.media != self.media {
            self.set_media(settings.media);
        }
        self.handle_tags(settings.features);
        self.write_filter(settings);
        let longest = settings.mtu + HEADER + VLAN_TAG;
        F::set_longest(&self.registers, longest);
        self.receivers.iter_mut().for_each(|receiver| receiver.set_longest(longest));
        if let Some(rss) = &settings.rss {
            F::spread(&self.registers, rss);
        }
        self.registers.write32(reg::RCTL, self.receive_control(settings).bits());
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        if self.transmitter.give(frames) {
            self.registers.write32(F::TRANSMIT_RING.tail(), self.transmitter.tail() as u32);
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
        let raised = F::take_causes(&self.registers);
        if raised == u32::MAX {
            present(&self.registers)?;
        }
        F::mask(&self.registers);
        let raised = Interrupts::from_bits_retain(raised) & self.enabled();
        // A message had a cause, though that may have been dealt with by now. Nobody else sends it.
        let is_message = self.interrupts != InterruptKind::Intx;
        let mut causes = Causes::empty();
        causes.set(Causes::RECEIVE, is_message || raised.intersects(RECEIVE));
        causes.set(Causes::TRANSMIT, is_message || raised.intersects(SENT));
        causes.set(Causes::LINK, raised.contains(Interrupts::LSC));
        Ok(causes)
    }

    fn unmask(&mut self) -> bool {
        F::unmask(&self.registers, self.interrupts, self.enabled());
        false
    }

    fn tell_sent(&mut self, wanted: bool) {
        self.tells_sent = wanted;
    }

    fn moderate(&mut self, intervals: Intervals) {
        F::moderate(&self.registers, self.interrupts, intervals.receive);
    }

    /// By the PHY, as the data sheets of those with one of their own have it (82574, 10.2.5.1; 82576, 8.10.1).
    fn set_loopback(&mut self, on: bool) -> bool {
        if !on {
            self.set_link_up();
            return phy::negotiate(&self.registers).is_some();
        }
        self.force(Ctrl::SPEED_1000 | Ctrl::FD);
        phy::loop_back(&self.registers).is_some()
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
        self.set_link_up();
        wake::arm(&self.registers);
        Ok(())
    }

    fn link(&mut self) -> Result<Link, Fault> {
        let status = present(&self.registers)?;
        Ok(if status.lu() {
            Link::Up { speed: Some(status.megabits()), full_duplex: status.fd() }
        } else {
            Link::Down
        })
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
        let registers = reg::DUMP.iter().copied();
        let registers = registers.chain(ring_registers::<F>()).chain(F::DUMP.iter().copied());
        registers.map(|(name, offset)| (name, self.registers.read32(offset))).collect()
    }
}

/// What says that frames have been sent.
const SENT: Interrupts = Interrupts::TXDW.union(Interrupts::TXQ0);

/// What says that frames have come, or were lost.
const RECEIVE: Interrupts = Interrupts::RXT0
    .union(Interrupts::RXO)
    .union(Interrupts::RXDMT0)
    .union(Interrupts::RXQ0)
    .union(Interrupts::RXQ1);

/// The registers of both rings, for the `registers` node.
fn ring_registers<F: Family>() -> [(&'static str, usize); 10] {
    let (receive, transmit) = (F::RECEIVE_RING, F::TRANSMIT_RING);
    [
        ("RDBAL", receive.bal()),
        ("RDBAH", receive.bah()),
        ("RDLEN", receive.length()),
        ("RDH", receive.head()),
        ("RDT", receive.tail()),
        ("TDBAL", transmit.bal()),
        ("TDBAH", transmit.bah()),
        ("TDLEN", transmit.length()),
        ("TDH", transmit.head()),
        ("TDT", transmit.tail()),
    ]
}

/// A receive ring for each queue.
fn receivers<D: Receive>(memory: &Memory, rss: Option<RssLimits>) -> Result<Vec<Receiver<D>>, Fault> {
    (0..rss.map_or(1, |limits| limits.queues)).map(|_| rings::receiver(memory)).collect()
}

/// The device is there; its status.
fn present(registers: &impl Registers) -> Result<Status, Fault> {
    match registers.read32(reg::STATUS) {
        u32::MAX => Err(Fault::Gone),
        status => Ok(status.into()),
    }
}
