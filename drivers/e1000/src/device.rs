//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;

use hw::{InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Fault, Filter, Frame, Link, MacAddress, Memory, Nic, NicInfo, Settings, Statistics,
};

use crate::chip::Chip;
use crate::counters::Counters;
use crate::descriptors;
use crate::eeprom;
use crate::filter;
use crate::receive::Receiver;
use crate::registers::{self as reg, Ctrl, Interrupts, Rah, Rctl, Rxcsum, Status, Tctl, Tipg};
use crate::transmit::Transmitter;

/// Entries of each ring.
const RING: u16 = 256;

/// Bytes of a ring, which begins at a multiple of 16 (8254x SDM, 13.4.25); a page keeps the rings apart.
const RING_BYTES: usize = RING as usize * descriptors::SIZE;

/// Reads of CTRL while a reset goes on: it takes a few microseconds, a read at least half of one.
const RESET_PATIENCE: u32 = 10_000;

/// At most 20,000 interrupts a second (ITR counts 256 ns).
const ITR_INTERVAL: u32 = 1_000_000_000 / 20_000 / 256;

/// What the driver wants to hear of.
const ENABLED: Interrupts = Interrupts::TXDW
    .union(Interrupts::LSC)
    .union(Interrupts::RXDMT0)
    .union(Interrupts::RXO)
    .union(Interrupts::RXT0);

/// An 8254x.
pub struct Device<R> {
    registers: R,
    chip: Chip,
    info: NicInfo,
    receiver: Receiver,
    transmitter: Transmitter,
    counters: Counters,
}

impl<R: Registers> Device<R> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(
        function: &mut impl PciFunction<Registers = R>,
        Memory { arena, pools }: Memory,
    ) -> Result<Self, Fault> {
        let hw::Identity { vendor, device, .. } = function.identity();
        let chip = Chip::find(vendor, device).ok_or(Fault::Unknown { vendor, device })?;
        let registers = function.registers(0)?;
        if registers.size() < reg::WINDOW {
            return Err(hw::Error::NoBar { location: function.location(), bar: 0 }.into());
        }
        reset(&registers)?;
        let mac = address(&registers)?;
        let info = NicInfo { model: chip.name, mac, mtu: chip.mtu.clone(), features: FEATURES };
        Ok(Self {
            registers,
            chip,
            info,
            receiver: Receiver::new(arena.allocate(RING_BYTES, RING_BYTES)?, pools.receive),
            transmitter: Transmitter::new(arena.allocate(RING_BYTES, RING_BYTES)?),
            counters: Counters::default(),
        })
    }

    fn set_link_up(&self) {
        let mut ctrl = Ctrl::from_bits_retain(self.registers.read32(reg::CTRL));
        ctrl.remove(
            Ctrl::LRST | Ctrl::ILOS | Ctrl::FRCSPD | Ctrl::FRCDPLX | Ctrl::VME | Ctrl::PHY_RST | Ctrl::RST,
        );
        ctrl.insert(Ctrl::SLU | Ctrl::ASDE);
        self.registers.write32(reg::CTRL, ctrl.bits());
    }

    /// 8254x SDM, 14.4.
    fn start_receiver(&mut self, settings: &Settings) {
        let (base, len) = self.receiver.location();
        self.write_address(reg::RDBAL, reg::RDBAH, base);
        self.registers.write32(reg::RDLEN, len as u32);
        self.registers.write32(reg::RDH, 0);
        self.registers.write32(reg::RDT, 0);
        self.registers.write32(reg::RDTR, 0);
        self.registers.write32(reg::RXCSUM, (Rxcsum::IPOFLD | Rxcsum::TUOFLD).bits());
        self.configure(settings);
        if self.receiver.fill() {
            self.registers.write32(reg::RDT, self.receiver.tail() as u32);
        }
    }

    /// 8254x SDM, 14.5.
    fn start_transmitter(&mut self) {
        let (base, len) = self.transmitter.location();
        self.write_address(reg::TDBAL, reg::TDBAH, base);
        self.registers.write32(reg::TDLEN, len as u32);
        self.registers.write32(reg::TDH, 0);
        self.registers.write32(reg::TDT, 0);
        let gaps = Tipg::new().with_ipgt(8).with_ipgr1(8).with_ipgr2(6);
        self.registers.write32(reg::TIPG, gaps.into());
        let control = Tctl::new().with_en(true).with_psp(true).with_ct(0x0f).with_cold(0x40);
        self.registers.write32(reg::TCTL, control.into());
    }

    fn write_address(&self, low: usize, high: usize, address: u64) {
        self.registers.write32(low, address as u32);
        self.registers.write32(high, (address >> 32) as u32);
    }

    fn write_filter(&self, filter: &Filter) {
        if self.chip.multicast_table {
            for (index, word) in filter::multicast_table(&filter.multicast).into_iter().enumerate() {
                self.registers.write32(reg::MTA + 4 * index, word);
            }
        }
    }

    fn receive_control(&self, settings: &Settings) -> Rctl {
        let filter = &settings.filter;
        let without_table = !self.chip.multicast_table && !filter.multicast.is_empty();
        let mut control = Rctl::EN | Rctl::BAM | Rctl::SECRC;
        control.set(Rctl::UPE, filter.promiscuous);
        control.set(Rctl::MPE, filter.promiscuous || filter.all_multicast || without_table);
        control.set(Rctl::LPE, settings.mtu > ETHERNET_MTU);
        control
    }
}

/// Without LPE the device takes no longer frames than this allows (8254x SDM, 13.4.22).
const ETHERNET_MTU: usize = 1500;

/// Of all that ethtool knows by these names, what the device could do.
const FEATURES: &[(&str, bool)] = &[
    ("rx-checksum", true),
    ("tx-checksum-ipv4", false),
    ("tx-scatter-gather", true),
    ("tx-tcp-segmentation", false),
    ("rx-vlan-hw-parse", false),
    ("tx-vlan-hw-insert", false),
];

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        name: "e1000",
        daemon: "e1000d",
        ring_memory: 4 * RING_BYTES,
        address_bits: 64,
        receive_ring: RING,
        interrupts: &[InterruptKind::Intx],
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, _interrupts: InterruptKind) -> Result<(), Fault> {
        self.set_link_up();
        self.start_receiver(settings);
        self.start_transmitter();
        self.registers.write32(reg::ITR, ITR_INTERVAL);
        self.unmask();
        self.link().map(drop)
    }

    fn stop(&mut self) -> usize {
        quiet(&self.registers);
        self.receiver.reset();
        self.transmitter.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        reset(&self.registers)
    }

    fn configure(&mut self, settings: &Settings) {
        let [a, b, c, d, e, f] = settings.mac.0;
        let high = Rah::new().with_high(u16::from_le_bytes([e, f])).with_av(true);
        self.registers.write32(reg::RAL0, u32::from_le_bytes([a, b, c, d]));
        self.registers.write32(reg::RAH0, high.into());
        self.write_filter(&settings.filter);
        self.receiver.set_longest(settings.mtu + HEADER + VLAN_TAG);
        self.registers.write32(reg::RCTL, self.receive_control(settings).bits());
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        if self.transmitter.give(frames) {
            self.registers.write32(reg::TDT, self.transmitter.tail() as u32);
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
        if self.receiver.fill() {
            self.registers.write32(reg::RDT, self.receiver.tail() as u32);
        }
    }

    fn take_causes(&mut self) -> Result<Causes, Fault> {
        let raised = self.registers.read32(reg::ICR);
        if raised == u32::MAX {
            present(&self.registers)?;
        }
        self.registers.write32(reg::IMC, u32::MAX);
        let raised = Interrupts::from_bits_retain(raised) & ENABLED;
        let mut causes = Causes::empty();
        causes
            .set(Causes::RECEIVE, raised.intersects(Interrupts::RXT0 | Interrupts::RXO | Interrupts::RXDMT0));
        causes.set(Causes::TRANSMIT, raised.contains(Interrupts::TXDW));
        causes.set(Causes::LINK, raised.contains(Interrupts::LSC));
        Ok(causes)
    }

    /// ICR keeps what happened meanwhile.
    fn unmask(&mut self) -> bool {
        self.registers.write32(reg::IMS, ENABLED.bits());
        false
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
        self.receiver.collect(statistics);
        self.counters.collect(&self.registers, statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        reg::DUMP.into_iter().map(|(name, offset)| (name, self.registers.read32(offset))).collect()
    }
}

/// The device is there; its status.
fn present(registers: &impl Registers) -> Result<Status, Fault> {
    match registers.read32(reg::STATUS) {
        u32::MAX => Err(Fault::Gone),
        status => Ok(status.into()),
    }
}

/// Stops both directions and all interrupts. The read makes sure that the writes have arrived.
fn quiet(registers: &impl Registers) {
    registers.write32(reg::IMC, u32::MAX);
    registers.write32(reg::RCTL, 0);
    registers.write32(reg::TCTL, 0);
    registers.read32(reg::STATUS);
}

/// Resets the device (CTRL.RST; 8254x SDM, 14.1), after which it is quiet.
fn reset(registers: &impl Registers) -> Result<(), Fault> {
    present(registers)?;
    quiet(registers);
    let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
    registers.write32(reg::CTRL, (ctrl | Ctrl::RST).bits());
    for _ in 0..RESET_PATIENCE {
        let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
        if !ctrl.contains(Ctrl::RST) {
            quiet(registers);
            // Causes from before the reset are nobody's.
            registers.read32(reg::ICR);
            return Ok(());
        }
    }
    present(registers)?;
    Err(Fault::Hung("its reset"))
}

/// The device's own address: from the EEPROM, or what it has loaded from there.
fn address(registers: &impl Registers) -> Result<MacAddress, Fault> {
    let loaded = || {
        let [a, b, c, d] = registers.read32(reg::RAL0).to_le_bytes();
        let [e, f] = Rah::from(registers.read32(reg::RAH0)).high().to_le_bytes();
        Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station())
    };
    eeprom::address(registers).or_else(loaded).ok_or(Fault::NoAddress)
}
