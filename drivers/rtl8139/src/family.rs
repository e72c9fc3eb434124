//! What is the family's own.

use hw::dma::Arena;
use hw::{Identity, InterruptKind, Registers};
use nic::{DriverInfo, Fault, Features, Link, Media, Memory, Statistics};
use realtek::Family;
use realtek::device::BURST;
use realtek::family::{self, Chip};
use realtek::registers::{self as common, Cpcr, Dumped, Rcr};
use realtek::rings::DescriptorRings;
use realtek::tasks::Tasks;
use realtek::wake::Places;

use crate::classic::{self, Classic};
use crate::media;
use crate::registers::{self as reg, Poll};
use crate::rings::Ways;

/// Realtek's PCI vendor id, and the device's.
const RTL8139: (u16, u16) = (0x10ec, 0x8139);

/// Entries of each ring: the most that the device takes.
const RING: u16 = 64;

/// TCR.LBK of the loopback mode.
const LOOPBACK: u8 = 3;

/// How the C+ is told what to do for frames.
const TASKS: Tasks = Tasks::First;

/// The RTL8139C+, or one of its predecessors.
pub struct Rtl8139 {
    is_plus: bool,
    /// Where MPC stood when it was last read.
    missed: u32,
}

impl Family for Rtl8139 {
    const DRIVER: DriverInfo =
        family::driver("rtl8139", "rtl8139d", RING, classic::MEMORY, &[InterruptKind::Intx]);

    const DUMP: &'static [Dumped] = reg::DUMP;

    type Rings = Ways;

    const MOST_ENTRIES: u16 = RING;

    fn has_rings(&self) -> bool {
        self.is_plus
    }

    fn set_media(&self, registers: &impl Registers, media: Media) {
        registers.write16(reg::BMCR, media.control());
    }

    fn loopback(&self) -> Option<u8> {
        self.is_plus.then_some(LOOPBACK)
    }

    fn wake(&self) -> Option<Places> {
        self.is_plus.then_some(Places { config3: reg::CONFIG3, config5: reg::CONFIG5 })
    }

    fn new(Identity { vendor, device, .. }: Identity, _arena: &Arena) -> Result<Self, Fault> {
        if (vendor, device) == RTL8139 {
            Ok(Self { is_plus: false, missed: 0 })
        } else {
            Err(Fault::Unknown { vendor, device })
        }
    }

    /// BAR 0 has the same registers as I/O ports.
    fn bar(&self) -> usize {
        1
    }

    fn meet(&mut self, registers: &impl Registers) -> Result<Chip, Fault> {
        self.is_plus = registers.read32(common::TCR) & common::HWVERID == reg::HWVERID_C_PLUS;
        self.missed = registers.read32(reg::MPC);
        // What fits a frame of 1518 bytes, the longest of Fast Ethernet, and the least that IPv4 allows (RFC 791).
        Ok((if self.is_plus { "RTL8139C+" } else { "RTL8139" }, 68..=1500))
    }

    fn features(&self) -> Features {
        self.tasks().map_or(Features::empty(), family::features)
    }

    fn tasks(&self) -> Option<Tasks> {
        self.is_plus.then_some(TASKS)
    }

    fn rings(&self, memory: Memory) -> Result<Self::Rings, hw::Error> {
        Ok(if self.is_plus {
            Ways::Plus(DescriptorRings::new(memory, TASKS)?)
        } else {
            Ways::Classic(Classic::new(&memory.arena, memory.pools.receive)?)
        })
    }

    fn ring(&self, registers: &impl Registers) {
        registers.write8(reg::TPPOLL, Poll::NPQ.bits());
    }

    fn set_up(&mut self, registers: &impl Registers) {
        if self.is_plus {
            let mode = Cpcr::CP_TX | Cpcr::CP_RX | Cpcr::MUL_RW | Cpcr::RX_CHK_SUM;
            registers.write16(common::CPCR, mode.bits());
        }
        self.missed = registers.read32(reg::MPC);
    }

    fn receive_control(&self) -> Rcr {
        let control = Rcr::new().with_mxdma(BURST).with_rxfth(7);
        if self.is_plus { control } else { control.with_rblen(classic::RBLEN) }
    }

    fn link(&self, registers: &impl Registers) -> Link {
        media::link(registers)
    }

    fn collect(&mut self, registers: &impl Registers, statistics: &mut Statistics) {
        let missed = registers.read32(reg::MPC);
        if missed != u32::MAX {
            statistics.rx_missed_errors += u64::from(missed.wrapping_sub(self.missed) & reg::MPC_MASK);
            self.missed = missed;
        }
    }
}
