//! How one family of controllers differs from the others.

use std::ops::RangeInclusive;

use hw::dma::Arena;
use hw::{Identity, InterruptKind, Registers};
use nic::{
    DriverInfo, Fault, Features, Intervals, Link, Media, Memory, Moderation, RingLimits, Statistics, Step,
};

use crate::registers::{self as reg, Cpcr, Dumped, Interrupts, Rcr};
use crate::rings::{self, Rings};
use crate::tasks::Tasks;
use crate::wake;

/// What a device turned out to be: its name for people, and the MTUs that it takes.
pub type Chip = (&'static str, RangeInclusive<usize>);

/// A family of controllers, and what is kept of one of them.
pub trait Family: Sized {
    /// What the driver needs: [`driver`] makes it.
    const DRIVER: DriverInfo;

    /// Registers of the `registers` node that the other families do not have. None of them changes by being read.
    const DUMP: &'static [Dumped];

    /// How frames go to and from the devices.
    type Rings: Rings;

    /// The most entries that a ring of descriptors can have.
    const MOST_ENTRIES: u16;

    /// The device has rings of descriptors.
    fn has_rings(&self) -> bool {
        true
    }

    /// The sizes of its rings, where it has any. The least hold a few frames of the longest kind, and one that is several
    /// segments.
    fn ring_limits(&self) -> Option<RingLimits> {
        self.has_rings().then(|| RingLimits {
            initial: Self::DRIVER.rings,
            least: nic::Rings { receive: 16, transmit: 32 },
            most: nic::Rings::both(Self::MOST_ENTRIES),
            step: Step::MultipleOf(1),
        })
    }

    /// Has the PHY negotiate, or not. The configuration registers are open.
    fn set_media(&self, registers: &impl Registers, media: Media);

    /// What it can do about the rate of its interrupts.
    fn moderation(&self) -> Moderation {
        Moderation::None
    }

    /// Has it keep these intervals between interrupts as long as the link is as it is, where it can.
    fn moderate(&self, _registers: &impl Registers, _intervals: Intervals, _link: Link) {}

    /// TCR.LBK that has the device receive what it sends, where it can.
    fn loopback(&self) -> Option<u8> {
        None
    }

    /// The registers by which it is armed to wake the machine for magic packets, where that is known.
    fn wake(&self) -> Option<wake::Places> {
        None
    }

    /// The one with these PCI ids, if it is of the family. What it needs of memory beside rings is in `arena`.
    fn new(identity: Identity, arena: &Arena) -> Result<Self, Fault>;

    /// The BAR that has the registers in memory.
    fn bar(&self) -> usize;

    /// Looks closer at the device, which has been reset.
    fn meet(&mut self, registers: &impl Registers) -> Result<Chip, Fault>;

    /// What the device does for the driver: [`features`] has what most do.
    fn features(&self) -> Features;

    /// How it is told what to do for the frames that it sends, where it can do anything.
    fn tasks(&self) -> Option<Tasks>;

    /// Has tags taken off what is received, or left in it, where that is one of the device's features. The
    /// configuration registers are open.
    fn take_tags_off(&self, registers: &impl Registers, wanted: bool) {
        if self.features().contains(Features::RX_VLAN) {
            let mut mode = Cpcr::from_bits_retain(registers.read16(reg::CPCR));
            mode.set(Cpcr::RX_VLAN, wanted);
            registers.write16(reg::CPCR, mode.bits());
        }
    }

    /// What the device is given to put frames into, in `memory`, with buffers from there.
    fn rings(&self, memory: Memory) -> Result<Self::Rings, hw::Error>;

    /// Causes of interrupts that the device tells.
    fn causes(&self, registers: &impl Registers) -> u32 {
        registers.read16(reg::ISR).into()
    }

    /// Rids it of these causes.
    fn acknowledge(&self, registers: &impl Registers, causes: u32) {
        registers.write16(reg::ISR, causes as u16);
    }

    /// Lets it interrupt for these causes.
    fn enable(&self, registers: &impl Registers, causes: Interrupts) {
        registers.write16(reg::IMR, causes.bits() as u16);
    }

    /// Tells the device that there are frames to send.
    fn ring(&self, registers: &impl Registers);

    /// Sets the device up before its rings are used: what is the family's own.
    fn set_up(&mut self, registers: &impl Registers);

    /// The device works.
    fn started(&mut self, _registers: &impl Registers) {}

    /// It is about to be stopped.
    fn stops(&mut self, _registers: &impl Registers) {}

    /// Which frames the device shall take, of those that pass its filters: up to `longest` bytes, with header and tag.
    /// The configuration registers are open.
    fn set_longest(&self, _registers: &impl Registers, _longest: usize) {}

    /// How frames are received, whichever they are.
    fn receive_control(&self) -> Rcr;

    /// The words of MAR0 and MAR4 for the groups' `hash`.
    fn hash_words(&self, hash: u64) -> [u32; 2] {
        [hash as u32, (hash >> 32) as u32]
    }

    /// The state of the link.
    fn link(&self, registers: &impl Registers) -> Link;

    /// Adds to `statistics` what the device has counted since the last call.
    fn collect(&mut self, registers: &impl Registers, statistics: &mut Statistics);
}

/// What most devices with rings of descriptors do for the driver, those that are told of `tasks` in this way.
pub fn features(tasks: Tasks) -> Features {
    Features::RX_CHECKSUM | Features::RX_VLAN | Features::TX_VLAN | tasks.features()
}

/// A driver's needs, by its name, its daemon's, the entries of its rings, and the interrupts that it can use. It has
/// `extra` bytes of memory beside rings and frames.
pub const fn driver(
    name: &'static str,
    daemon: &'static str,
    ring: u16,
    extra: usize,
    interrupts: &'static [InterruptKind],
) -> DriverInfo {
    DriverInfo {
        name,
        daemon,
        rings: nic::Rings::both(ring),
        receive_queues: 1,
        ring_memory: rings::memory,
        other_memory: extra,
        // More takes dual address cycles, which the older ones are better off without.
        address_bits: 32,
        other_buffers: 0,
        interrupts,
    }
}
