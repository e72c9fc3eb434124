//! How one family of controllers differs from the others.

use std::time::Duration;

use hw::{InterruptKind, Registers};
use nic::{DriverInfo, Fault, Features, MacAddress, Rss, RssLimits};

use crate::chip::Chip;
use crate::descriptors::{Receive, Transmit};
use crate::eeprom;
use crate::registers::{self as reg, Ctrl, Interrupts, Rah, RingRegisters, Status, Tipg};
use crate::rings;

/// What ITR counts, in nanoseconds.
const ITR_UNIT: u32 = 256;

/// How long nothing is asked of a PCI Express device after a reset began. One millisecond is what it needs before it can
/// be asked at all (82574, 10.2.2.1), and by then it may still be loading its EEPROM.
pub const RESET_TIME: Duration = Duration::from_millis(10);

/// Reads of STATUS while the device ends its accesses to memory: they are a few microseconds at most.
const MASTER_PATIENCE: u32 = 10_000;

/// A family of controllers: what is the same for all of its [`Chip`]s.
pub trait Family {
    /// What the driver needs: [`driver`] makes it.
    const DRIVER: DriverInfo;

    /// The devices.
    const CHIPS: &'static [Chip];

    /// What the devices do for the driver.
    const FEATURES: Features = FEATURES;

    /// How receive descriptors look.
    type Receive: Receive;

    /// How transmit descriptors look.
    type Transmit: Transmit;

    /// The registers of the receive ring.
    const RECEIVE_RING: RingRegisters = RingRegisters::RECEIVE;

    /// How far the devices spread received frames, those of them that have several queues.
    const RSS: Option<RssLimits> = None;

    /// The registers of receive queue `queue`.
    fn receive_ring(_queue: u16) -> RingRegisters {
        Self::RECEIVE_RING
    }

    /// The register that counts what receive queue `queue` drops because it has no buffer, where each does for itself.
    fn dropped(_queue: u16) -> Option<usize> {
        None
    }

    /// Has received frames spread over the queues.
    fn spread(_registers: &impl Registers, _rss: &Rss) {}

    /// The registers of the transmit ring.
    const TRANSMIT_RING: RingRegisters = RingRegisters::TRANSMIT;

    /// Registers of the `registers` node that the other families do not have. None of them changes by being read.
    const DUMP: &'static [(&'static str, usize)] = &[];

    /// Whether the device must be reset whenever it is stopped.
    const RESET_AT_STOP: bool = false;

    /// What is cleared in CTRL for a link whose speed and duplex are negotiated. More may be reserved.
    const CTRL_CLEAR: Ctrl = Ctrl::NEGOTIATED_CLEAR;

    /// What is set there.
    const CTRL_SET: Ctrl = Ctrl::SLU.union(Ctrl::ASDE);

    /// Lets the accesses to memory that are under way end, before a reset.
    fn quiesce(_registers: &impl Registers) {}

    /// Begins to look for a link partner after a reset, where the device does not by itself.
    fn negotiate(_registers: &impl Registers) {}

    /// The device's own address, after a reset.
    fn address(registers: &impl Registers) -> Option<MacAddress> {
        eeprom::address(registers).or_else(|| loaded_address(registers))
    }

    /// The longest interval between interrupts, in microseconds: what 16 bits of ITR hold.
    const MOST_INTERVAL: u32 = 0xffff * ITR_UNIT / 1000;

    /// Sets the least time between two interrupts, which are of this kind, to so many microseconds.
    fn moderate(registers: &impl Registers, _kind: InterruptKind, microseconds: u32) {
        registers.write32(reg::ITR, itr(microseconds));
    }

    /// Sets the device up, before its rings are: what is the family's own. Interrupts are of the `kind` given.
    fn set_up(registers: &impl Registers, kind: InterruptKind);

    /// Lets the device use a receive ring, which is set up and empty.
    fn enable_receive_ring(_registers: &impl Registers, _ring: RingRegisters) -> Result<(), Fault> {
        Ok(())
    }

    /// Lets the device use its transmit ring, which is set up and empty.
    fn enable_transmit_ring(_registers: &impl Registers) -> Result<(), Fault> {
        Ok(())
    }

    /// Takes the device the use of all rings.
    fn disable_rings(_registers: &impl Registers) {}

    /// Which frames the device shall take, of those that pass its filters: up to `longest` bytes, with header and tag.
    fn set_longest(_registers: &impl Registers, _longest: usize) {}

    /// What the driver wants to hear of.
    fn enabled(_kind: InterruptKind) -> Interrupts {
        Interrupts::TXDW | Interrupts::LSC | Interrupts::RXDMT0 | Interrupts::RXO | Interrupts::RXT0
    }

    /// Why the device has interrupted, which it is then rid of. All ones if it is gone.
    fn take_causes(registers: &impl Registers) -> u32 {
        registers.read32(reg::ICR)
    }

    /// Masks all interrupts.
    fn mask(registers: &impl Registers) {
        registers.write32(reg::IMC, u32::MAX);
    }

    /// Lets the device interrupt for these of the causes that are [`enabled`](Self::enabled). ICR keeps what happened
    /// meanwhile.
    fn unmask(registers: &impl Registers, _kind: InterruptKind, causes: Interrupts) {
        registers.write32(reg::IMS, causes.bits());
    }
}

/// What all of them do for the driver.
pub const FEATURES: Features = Features::RX_CHECKSUM
    .union(Features::TX_CHECKSUM)
    .union(Features::TX_SEGMENTS)
    .union(Features::TX_SEGMENTS_V6)
    .union(Features::RX_VLAN)
    .union(Features::TX_VLAN)
    .union(Features::VLAN_FILTER);

/// A driver's needs, by its name, its daemon's, and the interrupts that it can use.
pub const fn driver(
    name: &'static str,
    daemon: &'static str,
    interrupts: &'static [InterruptKind],
) -> DriverInfo {
    DriverInfo {
        name,
        daemon,
        rings: rings::LIMITS.initial,
        receive_queues: 1,
        ring_memory: rings::memory::<1>,
        other_memory: 0,
        address_bits: 64,
        other_buffers: 0,
        interrupts,
    }
}

/// The address that the device has loaded from its EEPROM.
pub fn loaded_address(registers: &impl Registers) -> Option<MacAddress> {
    let [a, b, c, d] = registers.read32(reg::RAL0).to_le_bytes();
    let [e, f] = Rah::from(registers.read32(reg::RAH0)).high().to_le_bytes();
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station())
}

/// The same, or what the EEPROM says of the first port if the device has loaded none: devices with two ports load each
/// its own.
pub fn loaded_address_first(registers: &impl Registers) -> Option<MacAddress> {
    loaded_address(registers).or_else(|| eeprom::address(registers))
}

/// So many microseconds as ITR and the 82574's EITR count them.
pub const fn itr(microseconds: u32) -> u32 {
    microseconds * 1000 / ITR_UNIT
}

/// Gaps between frames, and interrupts without a delay of their own, of the 8254x and the 82574's family.
pub fn set_gaps_and_delays(registers: &impl Registers) {
    let gaps = Tipg::new().with_ipgt(8).with_ipgr1(8).with_ipgr2(6);
    registers.write32(reg::TIPG, gaps.into());
    registers.write32(reg::RDTR, 0);
}

/// Ends a PCI Express device's accesses to memory (82574, 5.2.5; 82576, 5.2.3.3), or gives up.
pub fn disable_master(registers: &impl Registers) {
    let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
    registers.write32(reg::CTRL, (ctrl | Ctrl::GIO_MDIS).bits());
    for _ in 0..MASTER_PATIENCE {
        if !Status::from(registers.read32(reg::STATUS)).gio_men() {
            break;
        }
    }
}
