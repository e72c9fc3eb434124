//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use hw::{InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Fault, Features, Filter, Frame, Link, MacAddress, Memory, Nic, NicInfo, Settings,
    Statistics,
};

use crate::descriptors;
use crate::filter;
use crate::media;
use crate::receive::Receiver;
use crate::registers::{self as reg, Accept, Cpcr, Cr, Interrupts, Poll, Rcr, Tcr};
use crate::transmit::Transmitter;

/// Realtek's PCI vendor id, and the device's.
const RTL8139: (u16, u16) = (0x10ec, 0x8139);

/// Entries of each ring: the most that the device takes.
const RING: u16 = 64;

/// Bytes of a ring. It begins at a multiple of 256.
const RING_BYTES: usize = RING as usize * descriptors::SIZE;
const RING_ALIGNMENT: usize = 256;

/// What fits a frame of 1518 bytes, the longest of Fast Ethernet, and the least that IPv4 allows (RFC 791).
const MTU: RangeInclusive<usize> = 68..=1500;

/// Reads of CR while a reset goes on: it takes at most 10 ms, a read at least half a microsecond.
const RESET_PATIENCE: u32 = 20_000;

/// DMA bursts of 1024 bytes.
const BURST: u8 = 6;

/// What the driver wants to hear of.
const ENABLED: Interrupts = Interrupts::ROK
    .union(Interrupts::RER)
    .union(Interrupts::TOK)
    .union(Interrupts::TER)
    .union(Interrupts::RDU)
    .union(Interrupts::LINK_CHG)
    .union(Interrupts::FOVW);

/// Of all that ethtool knows by these names, what the device could do.
const FEATURES: Features = Features::RX_CHECKSUM;

/// An RTL8139C+.
pub struct Device<R> {
    registers: R,
    info: NicInfo,
    receiver: Receiver,
    transmitter: Transmitter,
}

impl<R: Registers> Device<R> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(
        function: &mut impl PciFunction<Registers = R>,
        Memory { arena, pools }: Memory,
    ) -> Result<Self, Fault> {
        let hw::Identity { vendor, device, .. } = function.identity();
        if (vendor, device) != RTL8139 {
            return Err(Fault::Unknown { vendor, device });
        }
        // BAR 0 has the same registers as I/O ports.
        let registers = function.registers(1)?;
        if registers.size() < reg::WINDOW {
            return Err(hw::Error::NoBar { location: function.location(), bar: 1 }.into());
        }
        reset(&registers)?;
        if registers.read32(reg::TCR) & reg::HWVERID != reg::HWVERID_C_PLUS {
            return Err(Fault::Unusable("it is an RTL8139 before the C+, which has no descriptor rings"));
        }
        let info = NicInfo { model: "RTL8139C+", mac: address(&registers)?, mtu: MTU, features: FEATURES };
        Ok(Self {
            registers,
            info,
            receiver: Receiver::new(arena.allocate(RING_BYTES, RING_ALIGNMENT)?, pools.receive),
            transmitter: Transmitter::new(arena.allocate(RING_BYTES, RING_ALIGNMENT)?),
        })
    }

    fn write_address(&self, low: usize, high: usize, address: u64) {
        self.registers.write32(low, address as u32);
        self.registers.write32(high, (address >> 32) as u32);
    }

    fn write_multicast_hash(&self, hash: u64) {
        self.registers.write32(reg::MAR0, hash as u32);
        self.registers.write32(reg::MAR4, (hash >> 32) as u32);
    }

    /// The address registers are locked like the configuration's.
    fn write_station_address(&self, MacAddress([a, b, c, d, e, f]): MacAddress) {
        self.registers.write8(reg::CR9346, reg::UNLOCK);
        self.registers.write32(reg::IDR0, u32::from_le_bytes([a, b, c, d]));
        self.registers.write32(reg::IDR4, u32::from_le_bytes([e, f, 0, 0]));
        self.registers.write8(reg::CR9346, reg::LOCK);
    }
}

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        name: "rtl8139",
        daemon: "rtl8139d",
        ring_memory: 2 * (RING_BYTES + RING_ALIGNMENT),
        address_bits: 32,
        receive_ring: RING,
        interrupts: &[InterruptKind::Intx],
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, _interrupts: InterruptKind) -> Result<(), Fault> {
        // A reset is what brings the device back to the beginning of its rings.
        reset(&self.registers)?;
        self.receiver.fill();
        let mode = Cpcr::CP_TX | Cpcr::CP_RX | Cpcr::MUL_RW | Cpcr::RX_CHK_SUM;
        self.registers.write16(reg::CPCR, mode.bits());
        self.write_address(reg::RDSAR, reg::RDSAR_HIGH, self.receiver.bus_address());
        self.write_address(reg::TNPDS, reg::TNPDS_HIGH, self.transmitter.bus_address());
        self.registers.write8(reg::CR, (Cr::RE | Cr::TE).bits());
        self.registers.write32(reg::TCR, Tcr::new().with_mxdma(BURST).with_ifg(3).into());
        self.registers.write32(reg::MPC, 0);
        self.configure(settings);
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
        self.write_station_address(settings.mac);
        let Filter { promiscuous, all_multicast, multicast } = &settings.filter;
        let all = *promiscuous || *all_multicast;
        self.write_multicast_hash(if all { filter::ALL } else { filter::multicast_hash(multicast) });
        let mut accept = Accept::APM | Accept::AB | Accept::AM;
        accept.set(Accept::AAP, *promiscuous);
        self.receiver.set_longest(settings.mtu + HEADER + VLAN_TAG);
        let control = Rcr::new().with_mxdma(BURST).with_rxfth(7);
        self.registers.write32(reg::RCR, u32::from(control) | accept.bits());
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        if self.transmitter.give(frames) {
            self.registers.write8(reg::TPPOLL, Poll::NPQ.bits());
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
        self.receiver.fill();
    }

    fn take_causes(&mut self) -> Result<Causes, Fault> {
        let raised = self.registers.read16(reg::ISR);
        if raised == u16::MAX {
            present(&self.registers)?;
        }
        self.registers.write16(reg::IMR, 0);
        self.registers.write16(reg::ISR, raised);
        let raised = Interrupts::from_bits_retain(raised) & ENABLED;
        let receive = Interrupts::ROK | Interrupts::RER | Interrupts::RDU | Interrupts::FOVW;
        let mut causes = Causes::empty();
        causes.set(Causes::RECEIVE, raised.intersects(receive));
        causes.set(Causes::TRANSMIT, raised.intersects(Interrupts::TOK | Interrupts::TER));
        causes.set(Causes::LINK, raised.contains(Interrupts::LINK_CHG));
        Ok(causes)
    }

    /// ISR keeps what happened meanwhile.
    fn unmask(&mut self) -> bool {
        self.registers.write16(reg::IMR, ENABLED.bits());
        false
    }

    fn link(&mut self) -> Result<Link, Fault> {
        present(&self.registers)?;
        Ok(media::link(&self.registers))
    }

    /// It has no way to say so.
    fn needs_reset(&mut self) -> bool {
        false
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        self.receiver.collect(statistics);
        self.transmitter.collect(statistics);
        let missed = self.registers.read32(reg::MPC);
        if missed != 0 && missed != u32::MAX {
            self.registers.write32(reg::MPC, 0);
            statistics.rx_missed_errors += u64::from(missed);
        }
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        let read = |offset, width| match width {
            1 => self.registers.read8(offset).into(),
            2 => self.registers.read16(offset).into(),
            _ => self.registers.read32(offset),
        };
        reg::DUMP.into_iter().map(|(name, offset, width)| (name, read(offset, width))).collect()
    }
}

/// The device is there.
fn present(registers: &impl Registers) -> Result<(), Fault> {
    if registers.read32(reg::TCR) == u32::MAX { Err(Fault::Gone) } else { Ok(()) }
}

/// Stops both directions and all interrupts. The read makes sure that the writes have arrived.
fn quiet(registers: &impl Registers) {
    registers.write16(reg::IMR, 0);
    registers.write8(reg::CR, 0);
    registers.write16(reg::CPCR, 0);
    registers.read16(reg::ISR);
}

/// Resets the device (CR.RST), after which it is quiet.
fn reset(registers: &impl Registers) -> Result<(), Fault> {
    present(registers)?;
    quiet(registers);
    registers.write8(reg::CR, Cr::RST.bits());
    for _ in 0..RESET_PATIENCE {
        let command = Cr::from_bits_retain(registers.read8(reg::CR));
        if !command.contains(Cr::RST) {
            quiet(registers);
            // Causes from before the reset are nobody's.
            registers.write16(reg::ISR, u16::MAX);
            return Ok(());
        }
    }
    present(registers)?;
    Err(Fault::Hung("its reset"))
}

/// The device's own address, which it has loaded from its EEPROM.
fn address(registers: &impl Registers) -> Result<MacAddress, Fault> {
    let [a, b, c, d] = registers.read32(reg::IDR0).to_le_bytes();
    let [e, f, ..] = registers.read32(reg::IDR4).to_le_bytes();
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station()).ok_or(Fault::NoAddress)
}
