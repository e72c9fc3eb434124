//! The devices of a family.

use std::ops::RangeInclusive;
use std::time::Duration;

use nic::Features;

/// Intel's PCI vendor id.
const INTEL: u16 = 0x8086;

/// The least MTU that IPv4 allows (RFC 791).
const LEAST_MTU: usize = 68;

/// How one device of a family differs from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// PCI device id.
    pub device: u16,
    /// Its name.
    pub name: &'static str,
    /// MTUs.
    pub mtu: RangeInclusive<usize>,
    /// Groups and VLANs are filtered by tables of 4096 bits, as in the 8254x.
    pub filter_tables: bool,
    /// It has the family's receive queues, not one alone.
    pub has_queues: bool,
    /// LEDCTL says what its LEDs do.
    pub led_control: bool,
    /// It wakes the machine by registers of its own, and not of its PHY.
    pub wakes: bool,
    /// How long nothing may be asked of it after a reset began.
    pub reset_time: Duration,
    /// What its family does for the driver, and it does not.
    pub lacks: Features,
}

impl Chip {
    /// One that takes frames of Ethernet's own length, has the filters' tables, and answers during a reset.
    pub const fn new(device: u16, name: &'static str) -> Self {
        Self::jumbo(device, name, 1500)
    }

    /// The same, which takes frames of up to `mtu` bytes, without header, tag and FCS.
    pub const fn jumbo(device: u16, name: &'static str, mtu: usize) -> Self {
        Self {
            device,
            name,
            mtu: LEAST_MTU..=mtu,
            filter_tables: true,
            has_queues: false,
            led_control: true,
            wakes: true,
            reset_time: Duration::ZERO,
            lacks: Features::empty(),
        }
    }

    /// The same, which does not do this for the driver.
    #[must_use]
    pub const fn without(mut self, lacks: Features) -> Self {
        self.lacks = lacks;
        self
    }

    /// The same, without tables of the usual length.
    #[must_use]
    pub const fn without_filter_tables(mut self) -> Self {
        self.filter_tables = false;
        self
    }

    /// The same, with the family's receive queues.
    #[must_use]
    pub const fn with_queues(mut self) -> Self {
        self.has_queues = true;
        self
    }

    /// The same, whose LEDs do what they do.
    #[must_use]
    pub const fn without_led_control(mut self) -> Self {
        self.led_control = false;
        self
    }

    /// The same, which does not wake the machine, or by its PHY.
    #[must_use]
    pub const fn without_wake(mut self) -> Self {
        self.wakes = false;
        self
    }

    /// The same, which is not to be asked for this long after a reset began.
    #[must_use]
    pub const fn with_reset_time(mut self, reset_time: Duration) -> Self {
        self.reset_time = reset_time;
        self
    }

    /// The one of `chips` with these PCI ids.
    pub fn find(chips: &[Self], vendor: u16, device: u16) -> Option<Self> {
        chips.iter().find(|chip| vendor == INTEL && chip.device == device).cloned()
    }
}
