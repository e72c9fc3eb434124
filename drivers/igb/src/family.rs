//! What is the family's own.

use hw::{InterruptKind, Registers};
use intel::advanced::{self, ADVANCED_ONE_BUFFER, AdvancedTransmit, Srrctl};
use intel::descriptors::ExtendedReceive;
use intel::registers::{self as reg, Ctrl, Interrupts, RingRegisters};
use intel::{Chip, Family, family, phy};
use nic::buffer::CAPACITY;
use nic::{DriverInfo, Fault, MacAddress};

use crate::registers::{
    EICR, EIMC, EIMS, EITR0, Eitr, GPIE, Gpie, IVAR_MISC, IVAR0, Ivar, IvarMisc, RECEIVE, RLPML, SRRCTL0,
    TRANSMIT, Vectors,
};

/// What fits a frame of 9728 bytes, with header, tag and FCS.
const JUMBO: usize = 9706;

/// Bytes of a frame's FCS.
const FCS: usize = 4;

const fn chip(device: u16, name: &'static str) -> Chip {
    Chip::jumbo(device, name, JUMBO).with_reset_time(family::RESET_TIME)
}

/// The 82576, I350, I210 and I211.
pub struct Igb;

impl Family for Igb {
    const DRIVER: DriverInfo = family::driver(
        "igb",
        "igbd",
        &[InterruptKind::MsiX { vectors: 1 }, InterruptKind::Msi, InterruptKind::Intx],
    );

    /// The 82576 is tested in QEMU. The others are untested: they have the same registers and descriptors.
    const CHIPS: &'static [Chip] = &[
        chip(0x10c9, "82576"),
        chip(0x10e6, "82576 fiber"),
        chip(0x10e7, "82576 serdes"),
        chip(0x10e8, "82576 quad copper"),
        chip(0x150a, "82576NS"),
        chip(0x1526, "82576 quad copper"),
        chip(0x1521, "I350"),
        chip(0x1533, "I210"),
        chip(0x157b, "I210"),
        chip(0x1539, "I211"),
    ];

    type Receive = ExtendedReceive;
    type Transmit = AdvancedTransmit;

    const RECEIVE_RING: RingRegisters = RECEIVE;
    const TRANSMIT_RING: RingRegisters = TRANSMIT;

    const DUMP: &'static [(&'static str, usize)] = &[
        ("GPIE", GPIE),
        ("EIMS", EIMS),
        ("EITR0", EITR0),
        ("IVAR0", IVAR0),
        ("IVAR_MISC", IVAR_MISC),
        ("RLPML", RLPML),
        ("SRRCTL0", SRRCTL0),
        ("RXDCTL0", RECEIVE.control()),
        ("TXDCTL0", TRANSMIT.control()),
    ];

    const CTRL_SET: Ctrl = Ctrl::SLU;

    fn quiesce(registers: &impl Registers) {
        family::disable_master(registers);
    }

    /// A reset of the device is one of its PHY, too (4.2.1.6).
    fn negotiate(registers: &impl Registers) {
        if phy::negotiate(registers).is_none() {
            log::warn!("the PHY does not answer; it is left to itself");
        }
    }

    fn address(registers: &impl Registers) -> Option<MacAddress> {
        family::loaded_address_first(registers)
    }

    fn set_up(registers: &impl Registers, kind: InterruptKind) {
        let buffers =
            Srrctl::new().with_bsizepacket((CAPACITY / 1024) as u8).with_desctype(ADVANCED_ONE_BUFFER);
        registers.write32(SRRCTL0, buffers.into());
        let has_vectors = matches!(kind, InterruptKind::MsiX { .. });
        let gpie = if has_vectors { Gpie::NSICR | Gpie::MULTIPLE_MSIX } else { Gpie::NSICR };
        registers.write32(GPIE, gpie.bits());
        // All by vector 0.
        let queue = Ivar::new().with_receive_valid(has_vectors).with_transmit_valid(has_vectors);
        registers.write32(IVAR0, queue.into());
        registers.write32(IVAR_MISC, IvarMisc::new().with_other_valid(has_vectors).into());
    }

    const MOST_INTERVAL: u32 = 0x1fff;

    fn moderate(registers: &impl Registers, _kind: InterruptKind, microseconds: u32) {
        registers.write32(EITR0, Eitr::new().with_interval(microseconds as u16).into());
    }

    fn enable_receive_ring(registers: &impl Registers) -> Result<(), Fault> {
        advanced::enable(registers, RECEIVE)
    }

    fn enable_transmit_ring(registers: &impl Registers) -> Result<(), Fault> {
        advanced::enable(registers, TRANSMIT)
    }

    fn disable_rings(registers: &impl Registers) {
        registers.write32(RECEIVE.control(), 0);
        registers.write32(TRANSMIT.control(), 0);
    }

    fn set_longest(registers: &impl Registers, longest: usize) {
        registers.write32(RLPML, (longest + FCS) as u32);
    }

    /// A cause that has a vector need not be in ICR, and is told by EICR (7.3.2).
    fn take_causes(registers: &impl Registers) -> u32 {
        registers.write32(EICR, u32::MAX);
        registers.read32(reg::ICR)
    }

    fn mask(registers: &impl Registers) {
        registers.write32(EIMC, u32::MAX);
        registers.write32(reg::IMC, u32::MAX);
    }

    /// With vectors, ICR is for what is no queue's, and has a vector as a whole. Both queues have the same one.
    fn unmask(registers: &impl Registers, kind: InterruptKind, causes: Interrupts) {
        if matches!(kind, InterruptKind::MsiX { .. }) {
            registers.write32(reg::IMS, (Interrupts::LSC | Interrupts::RXO).bits());
            registers.write32(EIMS, Vectors::VECTOR_0.bits());
        } else {
            registers.write32(reg::IMS, causes.bits());
        }
    }
}
