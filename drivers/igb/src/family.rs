//! What is the family's own.

use hw::{InterruptKind, Registers};
use intel::advanced::{self, ADVANCED_ONE_BUFFER, AdvancedTransmit, Srrctl};
use intel::descriptors::ExtendedReceive;
use intel::registers::{self as reg, Ctrl, Interrupts, RingRegisters};
use intel::rss::Mrqc;
use intel::{Chip, Family, family, phy, rings, rss};
use nic::buffer::CAPACITY;
use nic::{DriverInfo, Fault, Hashes, MacAddress, Rss, RssLimits};

use crate::registers::{
    EICR, EIMC, EIMS, Eitr, GPIE, Gpie, IVAR_MISC, Ivar, IvarMisc, RECEIVE, RLPML, TRANSMIT, eitr, ivar,
    receive_ring, rqdpc, srrctl,
};

/// What fits a frame of 9728 bytes, with header, tag and FCS.
const JUMBO: usize = 9706;

/// Receive queues that are used, of the 82576's 16: one driver serves them all.
const QUEUES: u8 = 4;

/// Each queue has a vector of its own, where there are as many.
const INTERRUPTS: &[InterruptKind] = &[
    InterruptKind::MsiX { vectors: QUEUES as u16 },
    InterruptKind::MsiX { vectors: 1 },
    InterruptKind::Msi,
    InterruptKind::Intx,
];

/// MRQC: queues are chosen by the redirection table (8.10.14).
const SPREAD: u32 = 2;

/// Bytes of a frame's FCS.
const FCS: usize = 4;

const fn chip(device: u16, name: &'static str) -> Chip {
    Chip::jumbo(device, name, JUMBO).with_reset_time(family::RESET_TIME)
}

/// The 82576, I350, I210 and I211.
pub struct Igb;

impl Family for Igb {
    const DRIVER: DriverInfo = DriverInfo {
        receive_queues: QUEUES,
        ring_memory: rings::memory::<{ QUEUES as usize }>,
        ..family::driver("igb", "igbd", INTERRUPTS)
    };

    /// The 82576 is tested in QEMU. The others are untested: they have the same registers and descriptors, but for the
    /// vectors of all queues but the first, so that they are given one.
    const CHIPS: &'static [Chip] = &[
        chip(0x10c9, "82576").with_queues(),
        chip(0x10e6, "82576 fiber").with_queues(),
        chip(0x10e7, "82576 serdes").with_queues(),
        chip(0x10e8, "82576 quad copper").with_queues(),
        chip(0x150a, "82576NS").with_queues(),
        chip(0x1526, "82576 quad copper").with_queues(),
        chip(0x1521, "I350"),
        chip(0x1533, "I210"),
        chip(0x157b, "I210"),
        chip(0x1539, "I211"),
    ];

    type Receive = ExtendedReceive;
    type Transmit = AdvancedTransmit;

    const RECEIVE_RING: RingRegisters = RECEIVE;

    const RSS: Option<RssLimits> =
        Some(RssLimits { queues: QUEUES, entries: rss::ENTRIES, hashes: Hashes::all() });

    fn receive_ring(queue: u16) -> RingRegisters {
        receive_ring(queue)
    }

    fn dropped(queue: u16) -> Option<usize> {
        Some(rqdpc(receive_ring(queue)))
    }

    fn spread(registers: &impl Registers, rss: &Rss) {
        rss::write(registers, rss, SPREAD, Mrqc::all(), |queue| queue);
    }

    const TRANSMIT_RING: RingRegisters = TRANSMIT;

    const DUMP: &'static [(&'static str, usize)] = &[
        ("GPIE", GPIE),
        ("EIMS", EIMS),
        ("EITR0", eitr(0)),
        ("IVAR0", ivar(0)),
        ("IVAR1", ivar(1)),
        ("MRQC", rss::MRQC),
        ("IVAR_MISC", IVAR_MISC),
        ("RLPML", RLPML),
        ("SRRCTL0", srrctl(RECEIVE)),
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
        let has_vectors = matches!(kind, InterruptKind::MsiX { .. });
        let gpie = if has_vectors { Gpie::NSICR | Gpie::MULTIPLE_MSIX } else { Gpie::NSICR };
        registers.write32(GPIE, gpie.bits());
        // What is not received is told by vector 0.
        for queue in 0..u16::from(QUEUES) {
            let vectors = Ivar::new()
                .with_receive((queue % kind.vectors()) as u8)
                .with_receive_valid(has_vectors)
                .with_transmit_valid(has_vectors);
            registers.write32(ivar(queue), vectors.into());
        }
        registers.write32(IVAR_MISC, IvarMisc::new().with_other_valid(has_vectors).into());
    }

    const MOST_INTERVAL: u32 = 0x1fff;

    fn moderate(registers: &impl Registers, kind: InterruptKind, microseconds: u32) {
        for vector in 0..kind.vectors() {
            registers.write32(eitr(vector), Eitr::new().with_interval(microseconds as u16).into());
        }
    }

    fn enable_receive_ring(registers: &impl Registers, ring: RingRegisters) -> Result<(), Fault> {
        let buffers = Srrctl::new()
            .with_bsizepacket((CAPACITY / 1024) as u8)
            .with_desctype(ADVANCED_ONE_BUFFER)
            .with_drop_en(true);
        registers.write32(srrctl(ring), buffers.into());
        advanced::enable(registers, ring)
    }

    fn enable_transmit_ring(registers: &impl Registers) -> Result<(), Fault> {
        advanced::enable(registers, TRANSMIT)
    }

    fn disable_rings(registers: &impl Registers) {
        for queue in 0..u16::from(QUEUES) {
            registers.write32(receive_ring(queue).control(), 0);
        }
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

    /// With vectors, ICR is for what is no queue's, and has a vector as a whole.
    fn unmask(registers: &impl Registers, kind: InterruptKind, causes: Interrupts) {
        if matches!(kind, InterruptKind::MsiX { .. }) {
            registers.write32(reg::IMS, (Interrupts::LSC | Interrupts::RXO).bits());
            registers.write32(EIMS, (1 << kind.vectors()) - 1);
        } else {
            registers.write32(reg::IMS, causes.bits());
        }
    }
}
