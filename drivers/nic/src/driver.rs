//! What a driver gives: the [`Nic`] trait.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::ops::RangeInclusive;

use hw::InterruptKind;

use crate::coalesce::{Coalesce, Intervals};
use crate::facilities::Facilities;
use crate::features::Features;
use crate::frame::Frame;
use crate::mac::MacAddress;
use crate::media::Media;
use crate::memory::Memory;
use crate::rings::Rings;
use crate::rss::Rss;
use crate::statistics::Statistics;
use crate::wake::Wake;

/// What a driver needs before it can meet its device.
#[derive(Clone, Copy, Debug)]
pub struct DriverInfo {
    /// The driver's part of the scheme's name: `e1000` in `network.pci-0000-00-03.0_e1000`.
    pub name: &'static str,
    /// The daemon's name, for its log.
    pub daemon: &'static str,
    /// Entries of the rings that the driver is first given memory for.
    pub rings: Rings,
    /// Receive queues of the device that has most of them, each with a ring of its own.
    pub receive_queues: u8,
    /// Bytes of DMA memory that rings of these sizes take, beside the frames' buffers.
    pub ring_memory: fn(Rings) -> usize,
    /// Bytes of DMA memory for all else.
    pub other_memory: usize,
    /// How many address bits the device has for DMA.
    pub address_bits: u32,
    /// Buffers that the device holds while it runs, beside one for each entry of the receive rings.
    pub other_buffers: u16,
    /// The kinds of interrupt that the driver can use, best first.
    pub interrupts: &'static [InterruptKind],
}

/// What a device is and can do; it does not change while the driver runs.
#[derive(Clone, Debug)]
pub struct NicInfo {
    /// The chip, for people: `82540EM`.
    pub model: &'static str,
    /// Its own address.
    pub mac: MacAddress,
    /// The MTUs it can be set to.
    pub mtu: RangeInclusive<usize>,
    /// What it can do for the driver.
    pub features: Features,
    /// What it can do beside moving frames.
    pub facilities: Facilities,
}

/// Why a device cannot be driven any longer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It was unplugged, lost its power or its bus.
    #[error("the device is gone: its registers read all ones")]
    Gone,
    /// A wait for it ran out.
    #[error("the device hangs: {0} did not end in time")]
    Hung(&'static str),
    /// It has no usable address of its own.
    #[error("the device has no valid Ethernet address: neither its EEPROM nor its registers hold one")]
    NoAddress,
    /// It is none that the driver knows.
    #[error("the driver does not know the device {vendor:04x}:{device:04x}")]
    Unknown {
        /// PCI vendor id.
        vendor: u16,
        /// PCI device id.
        device: u16,
    },
    /// It lacks what the driver cannot do without.
    #[error("the device cannot be driven: {0}")]
    Unusable(&'static str),
    /// The system refused.
    #[error(transparent)]
    System(#[from] hw::Error),
    /// The interrupt's descriptor failed.
    #[error("cannot {action} the interrupt: {source}")]
    Interrupt {
        /// What was tried.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Which frames the device hands over, beside those for its own address and broadcasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// All frames.
    pub promiscuous: bool,
    /// All multicast frames.
    pub all_multicast: bool,
    /// Frames for these groups; the device may hand over more.
    pub multicast: BTreeSet<MacAddress>,
    /// Frames of these VLANs, where [`Features::VLAN_FILTER`] is on.
    pub vlans: BTreeSet<u16>,
}

/// How the device shall work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The station's address.
    pub mac: MacAddress,
    /// Largest payload of a frame in bytes, without header, tag and FCS.
    pub mtu: usize,
    /// What to receive.
    pub filter: Filter,
    /// What of the device's features is on.
    pub features: Features,
    /// How interrupts are moderated.
    pub coalesce: Coalesce,
    /// The sizes of the rings.
    pub rings: Rings,
    /// How the PHY comes by speed and duplex, where it can be told.
    pub media: Media,
    /// How received frames are spread, where the device has several queues.
    pub rss: Option<Rss>,
    /// What it wakes the machine for while it is stopped.
    pub wake: Wake,
}

impl Settings {
    /// The VLANs whose frames the device shall hand over, 0 for those with a priority and no VLAN among them; `None` for
    /// all.
    pub fn vlans(&self) -> Option<impl Iterator<Item = u16>> {
        let filters = self.features.contains(Features::VLAN_FILTER) && !self.filter.promiscuous;
        filters.then(|| std::iter::once(0).chain(self.filter.vlans.iter().copied()))
    }
}

/// The state of the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// No partner.
    #[default]
    Down,
    /// Frames can pass.
    Up {
        /// Mbit/s, where the device knows.
        speed: Option<u32>,
        /// Both ways at once.
        full_duplex: bool,
    },
}

impl Link {
    /// Frames can pass.
    pub fn is_up(self) -> bool {
        self != Link::Down
    }
}

bitflags::bitflags! {
    /// Why a device has raised its interrupt.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Causes: u8 {
        /// Frames have come, or were lost.
        const RECEIVE = 1;
        /// Frames have been sent.
        const TRANSMIT = 2;
        /// The link has changed.
        const LINK = 4;
    }
}

/// A network device. It is quiet (no DMA, no interrupts) when made, and until it is started.
///
/// No method waits longer than a few milliseconds, or trusts what the device says.
pub trait Nic: Sized {
    /// What the driver needs.
    const DRIVER: DriverInfo;

    /// What the device is.
    fn info(&self) -> &NicInfo;

    /// Lets frames pass, with all interrupts enabled, which are of this kind.
    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault>;

    /// Makes the device quiet. Frames that it has not sent are dropped; how many those were.
    fn stop(&mut self) -> usize;

    /// Brings the stopped device to its initial state, from whatever state it is in.
    fn reset(&mut self) -> Result<(), Fault>;

    /// Gives the stopped device other rings, in `memory` that was made for them. Called where the device has
    /// [`limits`](Facilities::rings) for their sizes.
    fn set_rings(&mut self, _memory: Memory) -> Result<(), Fault> {
        Ok(())
    }

    /// Changes how the running device works.
    fn configure(&mut self, settings: &Settings);

    /// Gives frames to the device, from the front of `frames`, as many as its ring takes.
    fn transmit(&mut self, frames: &mut VecDeque<Frame>);

    /// How many frames the device has yet to send.
    fn unsent(&self) -> usize;

    /// Appends to `frames` those that the device has sent.
    fn reclaim(&mut self, frames: &mut Vec<Frame>);

    /// Appends to `frames` at most `budget` that the device has received, and gives it empty buffers.
    fn receive(&mut self, budget: usize, frames: &mut Vec<Frame>);

    /// Why the interrupt was raised; none if it was not this device's. All interrupts are then masked.
    fn take_causes(&mut self) -> Result<Causes, Fault>;

    /// Enables all interrupts. What happened while they were masked raises one, or is told by `true`.
    fn unmask(&mut self) -> bool;

    /// Whether interrupts shall tell of frames that were sent, from the next [`unmask`](Self::unmask) on; not before it
    /// is asked for. A device that cannot choose tells always.
    fn tell_sent(&mut self, _wanted: bool) {}

    /// Has the running device keep these intervals between interrupts, as it can by its
    /// [`Moderation`](crate::coalesce::Moderation). Called after every start, too.
    fn moderate(&mut self, _intervals: Intervals) {}

    /// Whether the running device must be stopped and started to change how it works.
    fn needs_restart(&self, _from: &Settings, _to: &Settings) -> bool {
        false
    }

    /// Has the running device receive what it sends, and not send it, or no longer; `false` if it does not answer. Called
    /// where the device has a [`self_test`](Facilities::self_test).
    fn set_loopback(&mut self, _on: bool) -> bool {
        false
    }

    /// Whether registers of the running device keep what is written to them; they have what they had afterwards. Called
    /// where the device has a [`self_test`](Facilities::self_test).
    fn keeps_registers(&mut self) -> bool {
        false
    }

    /// What its [EEPROM](Facilities::eeprom) holds, in the order of its words, the lower byte of each first; nothing if
    /// it does not answer.
    fn eeprom(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Has its [LED](Facilities::identify) show which device it is, or no longer.
    fn identify(&mut self, _on: bool) {}

    /// Has the stopped device wake the machine for a magic packet to `address`, until it is reset. It moves no frames all the
    /// same. Called where the device [can](Facilities::wake).
    fn arm(&mut self, _address: MacAddress) -> Result<(), Fault> {
        Ok(())
    }

    /// The state of the link.
    fn link(&mut self) -> Result<Link, Fault>;

    /// Whether the running device has failed, so that only a reset helps; asked now and then.
    fn needs_reset(&mut self) -> bool;

    /// Adds to `statistics` what the device and its driver counted since the last call.
    fn collect(&mut self, statistics: &mut Statistics);

    /// The registers that tell a person of the device's state; reading them changes nothing.
    fn registers(&self) -> Vec<(&'static str, u32)>;
}
