//! A virtio network device, from the other side of its registers (virtio 1.2).

mod control;
mod faults;
mod interrupts;
pub mod madness;
mod receive;
mod registers;
mod spread;
mod transmit;
mod virtqueue;

use std::collections::HashSet;

use hw::fake::Bus;
use nic::Intervals;
use virtio_net::registers::{Features, Isr, NO_VECTOR, Status};

pub use self::faults::Faults;
use self::spread::Spread;
use self::virtqueue::Virtqueue;

/// The device with split virtqueues.
pub type VirtioNet = Device<false>;

/// The device with packed virtqueues.
pub type Packed = Device<true>;

/// The device that the shared tests are about.
pub type Card = VirtioNet;

/// Bytes of `struct virtio_net_hdr` (5.1.6).
const HEADER: usize = 12;

/// Pairs of virtqueues: more than the driver uses.
const PAIRS: u16 = 5;

/// The device and the wire; `PACKED` with packed virtqueues, where its offer is not chosen otherwise.
pub struct Device<const PACKED: bool> {
    device: u16,
    /// Features that it offers.
    pub offered: u64,
    /// Has MSI-X.
    pub messages: bool,
    /// Has no capabilities: the legacy interface only.
    pub legacy: bool,
    /// The largest MTU.
    pub mtu: u16,
    device_select: u32,
    driver_select: u32,
    /// Features that the driver accepts.
    pub accepted: u64,
    status: Status,
    isr: Isr,
    config_vector: u16,
    queue: u16,
    queues: Vec<Virtqueue>,
    /// Pairs of virtqueues that it says it has.
    pub pairs: u16,
    /// How it spreads frames.
    spread: Spread,
    /// The longest key and table of RSS that it says it can have.
    pub rss_limits: (u8, u16),
    link_up: bool,
    /// The address as the driver has set it.
    pub mac: [u8; 6],
    promiscuous: bool,
    all_multicast: bool,
    /// The groups that the driver has named.
    pub groups: HashSet<[u8; 6]>,
    /// The VLANs whose frames it lets through.
    vlans: HashSet<u16>,
    /// How long it delays notifications.
    delays: Intervals,
    /// Frames on the wire, oldest first.
    pub sent: Vec<Vec<u8>>,
    /// How many checksums it has filled in.
    pub filled_in: usize,
    /// Of how many frames it has made segments.
    pub cut: usize,
    /// `csum_start` and `csum_offset` of received frames.
    pub partial_at: [u8; 4],
    /// What is wrong with it.
    pub faults: Faults,
    /// Accesses outside the driver's memory.
    pub strays: usize,
    /// How often it was reset.
    pub resets: usize,
}

impl<const PACKED: bool> Device<PACKED> {
    /// Its address.
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 100;

    /// Receive queues over which the driver has frames spread.
    pub const QUEUES: u8 = 4;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nduplex full\n";

    /// What virtio devices usually offer, with message interrupts.
    pub fn new() -> Self {
        let mut features = Features::all() - Features::MTU - Features::SPEED_DUPLEX;
        features.set(Features::RING_PACKED, PACKED);
        Self::offering(features.bits(), true)
    }

    /// The same without message interrupts.
    pub fn with_line() -> Self {
        Self::offering(Self::new().offered, false)
    }

    /// A device with these features and interrupts.
    pub fn offering(offered: u64, messages: bool) -> Self {
        Self {
            device: 0x1041,
            offered,
            messages,
            legacy: false,
            mtu: 0,
            device_select: 0,
            driver_select: 0,
            accepted: 0,
            status: Status::empty(),
            isr: Isr::empty(),
            config_vector: NO_VECTOR,
            queue: 0,
            queues: (0..=2 * PAIRS).map(|_| Virtqueue::new(256)).collect(),
            pairs: PAIRS,
            spread: Spread::First,
            rss_limits: (40, 128),
            link_up: true,
            mac: Self::MAC,
            promiscuous: true,
            all_multicast: false,
            groups: HashSet::new(),
            vlans: Default::default(),
            delays: Intervals::default(),
            sent: Vec::new(),
            filled_in: 0,
            cut: 0,
            partial_at: [0; 4],
            faults: Faults::default(),
            strays: 0,
            resets: 0,
        }
    }

    /// One with this PCI device id.
    pub fn with_device(device: u16) -> Self {
        Self { device, ..Self::new() }
    }

    /// Plugs the cable in, or pulls it.
    pub fn set_link(&mut self, bus: &mut Bus, up: bool) {
        self.link_up = up;
        self.config_changed(bus);
    }

    /// Fails, and says so.
    pub fn fail(&mut self, bus: &mut Bus) {
        self.faults.failed = true;
        self.config_changed(bus);
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        !self.status.contains(Status::DRIVER_OK)
    }

    /// Says that it has used `by` more chains of virtqueue `queue`.
    pub fn jump(&mut self, bus: &mut Bus, queue: u16, by: u16) {
        let queue = &mut self.queues[usize::from(queue)];
        if queue.enabled {
            queue.jump(bus, by);
        }
    }

    /// Writes `word` over 16 bits of what the device writes of virtqueue `queue`.
    pub fn scribble(&mut self, bus: &mut Bus, queue: usize, place: usize, word: u16) {
        let number = queue % self.queues.len();
        let queue = &mut self.queues[number];
        if queue.enabled {
            queue.scribble(bus, place, word);
        }
    }

    fn has(&self, feature: Features) -> bool {
        self.accepted & feature.bits() != 0
    }

    /// Hands chains of virtqueue `number` back, and interrupts if the driver wants it.
    fn finish(&mut self, bus: &mut Bus, number: u16, mut elements: Vec<(u32, u32)>) {
        let event_idx = self.has(Features::EVENT_IDX);
        for (id, len) in &mut elements {
            *id = self.faults.chain.unwrap_or(*id);
            let is_frame = number.is_multiple_of(2) && number != self.control();
            *len = self.faults.length.filter(|_| is_frame).unwrap_or(*len);
        }
        let queue = &mut self.queues[usize::from(number)];
        queue.take(bus, elements.len(), event_idx);
        let wanted = queue.give_back(bus, &elements, event_idx);
        let vector = queue.vector;
        if wanted && !self.faults.mute {
            self.raise(bus, vector, Isr::QUEUE);
        }
    }

    fn notified(&mut self, bus: &mut Bus, number: u16) {
        if self.is_quiet() {
            return;
        }
        if number % 2 == 1 && !self.faults.hangs {
            self.transmit(bus, number);
        } else if number == self.control() && !self.faults.deaf {
            self.obey(bus);
        }
    }

    fn reset(&mut self, bus: &mut Bus) {
        let model = std::mem::replace(self, Self::offering(self.offered, self.messages));
        self.device = model.device;
        (self.legacy, self.mtu, self.link_up) = (model.legacy, model.mtu, model.link_up);
        (self.pairs, self.rss_limits) = (model.pairs, model.rss_limits);
        (self.faults, self.sent, self.strays) = (model.faults, model.sent, model.strays);
        (self.filled_in, self.partial_at) = (model.filled_in, model.partial_at);
        self.faults.failed = false;
        self.resets = model.resets + 1;
        self.drive_line(bus);
    }
}
