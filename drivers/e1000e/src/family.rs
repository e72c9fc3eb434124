//! What is the family's own.

use std::time::Duration;

use hw::{InterruptKind, Registers};
use intel::descriptors::{ExtendedReceive, ExtendedTransmit};
use intel::registers::{self as reg, Interrupts, RingRegisters};
use intel::rss::Mrqc;
use intel::{Chip, Family, family, rings, rss};
use nic::{DriverInfo, Fault, Hashes, MacAddress, Rss, RssLimits};

use crate::registers::{IVAR, Ivar, RFCTL, Rfctl, Txdctl, eitr, receive_ring};

/// What fits a frame of 9018 bytes, with header and FCS.
const JUMBO: usize = 9000;

/// [`family::RESET_TIME`] of those in chipsets.
const CHIPSET_RESET_TIME: Duration = Duration::from_millis(20);

/// A controller of its own.
const fn discrete(device: u16, name: &'static str) -> Chip {
    Chip::jumbo(device, name, JUMBO).with_reset_time(family::RESET_TIME)
}

/// One whose data sheet has no jumbo frames.
const fn without_jumbo(device: u16, name: &'static str) -> Chip {
    Chip::new(device, name).with_reset_time(family::RESET_TIME)
}

/// One that is a chipset's. Its tables are shorter or missing, and jumbo frames need settings of its PHY.
const fn chipset(device: u16, name: &'static str) -> Chip {
    Chip::new(device, name).without_filter_tables().without_wake().with_reset_time(CHIPSET_RESET_TIME)
}

/// Receive queues of the 82574. Others of the family have two, too, but no vectors for them, and are given one.
const QUEUES: u8 = 2;

/// Each queue has a vector of its own, where there are as many.
const INTERRUPTS: &[InterruptKind] = &[
    InterruptKind::MsiX { vectors: QUEUES as u16 },
    InterruptKind::MsiX { vectors: 1 },
    InterruptKind::Msi,
    InterruptKind::Intx,
];

/// MRQC: queues are chosen by the redirection table (10.2.8.6), and what can be hashed.
const SPREAD: u32 = 1;
const HASHED: Mrqc = Mrqc::TCP_IPV4.union(Mrqc::IPV4).union(Mrqc::TCP_IPV6_EX).union(Mrqc::IPV6);

/// The 82571 to 82583, the 82579, and the I217 to I219.
pub struct E1000e;

impl Family for E1000e {
    const DRIVER: DriverInfo = DriverInfo {
        receive_queues: QUEUES,
        ring_memory: rings::memory::<{ QUEUES as usize }>,
        ..family::driver("e1000e", "e1000ed", INTERRUPTS)
    };

    /// A throttling timer of QEMU's (7.2) that runs on when MSI-X is switched off ends QEMU; a reset ends the timer.
    const RESET_AT_STOP: bool = true;

    /// The 82574L is tested in QEMU. The others are untested: they speak the same registers and descriptors.
    const CHIPS: &'static [Chip] = &[
        discrete(0x105e, "82571EB"),
        discrete(0x107d, "82572EI"),
        discrete(0x10b9, "82572EI"),
        without_jumbo(0x108b, "82573E"),
        without_jumbo(0x108c, "82573E"),
        without_jumbo(0x109a, "82573L"),
        discrete(0x10d3, "82574L").with_queues(),
        discrete(0x10f6, "82574LA").with_queues(),
        discrete(0x150c, "82583V"),
        chipset(0x1502, "82579LM"),
        chipset(0x1503, "82579V"),
        chipset(0x153a, "I217-LM"),
        chipset(0x153b, "I217-V"),
        chipset(0x155a, "I218-LM"),
        chipset(0x1559, "I218-V"),
        chipset(0x15a0, "I218-LM"),
        chipset(0x15a1, "I218-V"),
        chipset(0x15a2, "I218-LM"),
        chipset(0x15a3, "I218-V"),
        chipset(0x156f, "I219-LM"),
        chipset(0x1570, "I219-V"),
        chipset(0x15b7, "I219-LM"),
        chipset(0x15b8, "I219-V"),
    ];

    type Receive = ExtendedReceive;
    type Transmit = ExtendedTransmit;

    const RSS: Option<RssLimits> = Some(RssLimits {
        queues: QUEUES,
        entries: rss::ENTRIES,
        hashes: Hashes::IP4.union(Hashes::TCP4).union(Hashes::IP6).union(Hashes::TCP6),
    });

    fn receive_ring(queue: u16) -> RingRegisters {
        receive_ring(queue)
    }

    /// The upper bit of a table's entry is the queue (10.2.8.7).
    fn spread(registers: &impl Registers, rss: &Rss) {
        rss::write(registers, rss, SPREAD, HASHED, |queue| queue << 7);
    }

    const DUMP: &'static [(&'static str, usize)] =
        &[("ITR", reg::ITR), ("IVAR", IVAR), ("EITR0", eitr(0)), ("RFCTL", RFCTL), ("MRQC", rss::MRQC)];

    fn quiesce(registers: &impl Registers) {
        family::disable_master(registers);
    }

    fn address(registers: &impl Registers) -> Option<MacAddress> {
        family::loaded_address_first(registers)
    }

    fn set_up(registers: &impl Registers, kind: InterruptKind) {
        family::set_gaps_and_delays(registers);
        registers.write32(RFCTL, Rfctl::EXSTEN.bits());
        if has_vectors(kind) {
            // What is not received by queue 1 is told by vector 0.
            let vectors = Ivar::new()
                .with_rxq0_valid(true)
                .with_rxq1((1 % kind.vectors()) as u8)
                .with_rxq1_valid(true)
                .with_txq0_valid(true)
                .with_other_valid(true);
            registers.write32(IVAR, vectors.into());
        }
    }

    /// With vectors, each has an interval of its own.
    fn moderate(registers: &impl Registers, kind: InterruptKind, microseconds: u32) {
        for vector in 0..kind.vectors() {
            let register = if has_vectors(kind) { eitr(vector) } else { reg::ITR };
            registers.write32(register, family::itr(microseconds));
        }
    }

    fn enable_transmit_ring(registers: &impl Registers) -> Result<(), Fault> {
        let control = Txdctl::COUNT_DESC | Txdctl::GRAN;
        registers.write32(RingRegisters::TRANSMIT.control(), control.bits());
        Ok(())
    }

    /// With vectors, queues have causes of their own (7.4.1).
    fn enabled(kind: InterruptKind) -> Interrupts {
        let others = Interrupts::LSC | Interrupts::RXO;
        if has_vectors(kind) {
            others | Interrupts::RXQ0 | Interrupts::RXQ1 | Interrupts::TXQ0 | Interrupts::OTHER
        } else {
            others | Interrupts::TXDW | Interrupts::RXDMT0 | Interrupts::RXT0
        }
    }

    /// Reading ICR need not clear it, writing does (10.2.4.1).
    fn take_causes(registers: &impl Registers) -> u32 {
        let causes = registers.read32(reg::ICR);
        registers.write32(reg::ICR, causes);
        causes
    }
}

fn has_vectors(kind: InterruptKind) -> bool {
    matches!(kind, InterruptKind::MsiX { .. })
}
