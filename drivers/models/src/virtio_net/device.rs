//! A virtio network device, from the other side of its registers (virtio 1.2).

use std::collections::{HashSet, VecDeque};

use hw::fake::{Bus, Model};
use hw::{Identity, InterruptKind};
use nic::Intervals;
use virtio_net::registers::{Features, Isr, NO_VECTOR, Status, cfg_type, command, common, net, virtqueue};

use super::spread::Spread;
use super::virtqueue::{Chain, Virtqueue};
use crate::packets::{filled_in, verdict};
use crate::wire::{Layout, cut, without_lengths};

/// The device that the shared tests are about.
pub type Card = VirtioNet;

/// The BAR with everything in it, and what is where.
const BAR: usize = 4;
const COMMON: usize = 0x0000;
const ISR: usize = 0x1000;
const DEVICE: usize = 0x2000;
const NOTIFY: usize = 0x3000;
const END: usize = 0x4000;

/// Units of `queue_notify_off`.
const MULTIPLIER: usize = 4;

const HEADER: usize = 12;

/// Bytes of its configuration.
const CONFIG: usize = 0x18;

/// Pairs of virtqueues: more than the driver uses.
const PAIRS: u16 = 5;

/// What is wrong with the device.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Never interrupts.
    pub mute: bool,
    /// Its line is always up, whatever its causes are.
    pub stuck: bool,
    /// Takes frames and never sends them.
    pub hangs: bool,
    /// Never answers to commands.
    pub deaf: bool,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Does not agree to features that it offers.
    pub fickle: bool,
    /// Says that it has written so many bytes.
    pub length: Option<u32>,
    /// Says that it has used this chain.
    pub chain: Option<u32>,
    /// Begins the header of received frames with these, in place of its own: `flags`, `gso_type`.
    pub header: Option<[u8; 2]>,
    /// Names this many buffers in the header of received frames.
    pub num_buffers: Option<u16>,
    /// Has failed, and says so.
    pub failed: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

/// The device and the wire.
pub struct VirtioNet {
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
    vlans: std::collections::HashSet<u16>,
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

impl VirtioNet {
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
        let features = Features::all() - Features::MTU - Features::SPEED_DUPLEX;
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

    /// The least time between two interrupts.
    pub fn intervals(&self) -> Intervals {
        self.delays
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

    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        if self.is_quiet() || !self.link_up || !self.accepts(frame) {
            return;
        }
        let mergeable = self.has(Features::MRG_RXBUF);
        let number = virtqueue::receive(self.spread.pair(frame));
        let mut chains = self.queues[usize::from(number)].available(bus).into_iter();
        let mut bytes = [&[0; HEADER], frame].concat();
        let mut used: Vec<Chain> = Vec::new();
        while used.iter().map(Chain::room).sum::<usize>() < bytes.len() {
            match chains.next() {
                Some(chain) if mergeable || used.is_empty() => used.push(chain),
                _ => return,
            }
        }
        if self.has(Features::GUEST_CSUM) {
            // VIRTIO_NET_HDR_F_DATA_VALID.
            bytes[0] = if verdict(frame) == Some(true) { 2 } else { 0 };
        }
        if let Some(begin) = self.faults.header {
            bytes[..2].copy_from_slice(&begin);
        }
        bytes[6..HEADER - 2].copy_from_slice(&self.partial_at);
        let num_buffers = self.faults.num_buffers.unwrap_or(used.len() as u16);
        bytes[10..HEADER].copy_from_slice(&num_buffers.to_le_bytes());
        let mut rest = bytes.as_slice();
        let mut elements = Vec::new();
        for chain in used {
            let (piece, more) = rest.split_at(rest.len().min(chain.room()));
            self.strays += usize::from(!chain.write(bus, piece));
            elements.push((u32::from(chain.head), piece.len() as u32));
            rest = more;
        }
        self.finish(bus, number, elements);
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
        let queue = &self.queues[queue % self.queues.len()];
        let place = place % (6 / 2 + 4 * usize::from(queue.size));
        if queue.enabled {
            bus.write(queue.device + 2 * place as u64, &word.to_le_bytes());
        }
    }

    /// Interrupts for no reason.
    pub fn interrupt(&mut self, bus: &mut Bus) {
        bus.raise(0);
        self.drive_line(bus);
    }

    fn has(&self, feature: Features) -> bool {
        self.accepted & feature.bits() != 0
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let Some(&destination) = frame.first_chunk::<6>() else { return false };
        let vlan = nic::frame::is_tagged(frame).then(|| u16::from_be_bytes([frame[14], frame[15]]) & 0xfff);
        match destination {
            _ if self.promiscuous => true,
            _ if self.has(Features::CTRL_VLAN) && vlan.is_some_and(|vlan| !self.vlans.contains(&vlan)) => {
                false
            }
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => true,
            [first, ..] if first & 1 != 0 => self.all_multicast || self.groups.contains(&destination),
            own => own == self.mac,
        }
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
        queue.take(bus, elements.len());
        let wanted = queue.give_back(bus, &elements, event_idx);
        let vector = queue.vector;
        if wanted && !self.faults.mute {
            self.raise(bus, vector, Isr::QUEUE);
        }
    }

    fn config_changed(&mut self, bus: &mut Bus) {
        if !self.is_quiet() && !self.faults.mute {
            self.raise(bus, self.config_vector, Isr::CONFIGURATION);
        }
    }

    /// A message where there is a vector, the line otherwise (4.1.4.5).
    fn raise(&mut self, bus: &mut Bus, vector: u16, isr: Isr) {
        if vector != NO_VECTOR {
            return bus.raise(vector);
        }
        self.isr |= isr;
        self.drive_line(bus);
    }

    fn drive_line(&self, bus: &mut Bus) {
        if !self.isr.is_empty() || self.faults.stuck { bus.raise(0) } else { bus.lower() }
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

    /// The control virtqueue (5.1.2).
    pub fn control(&self) -> u16 {
        let several = self.has(Features::MQ) || self.has(Features::RSS);
        virtqueue::control(if several { self.pairs } else { 1 })
    }

    fn transmit(&mut self, bus: &mut Bus, number: u16) {
        let mut elements = Vec::new();
        for chain in self.queues[usize::from(number)].available(bus) {
            match chain.read(bus) {
                Some(bytes) => {
                    let frames = self.finished(&bytes);
                    self.sent.extend(frames);
                }
                None => self.strays += 1,
            }
            elements.push((chain.head.into(), 0));
        }
        self.finish(bus, number, elements);
    }

    /// A frame, or its segments, as they leave (5.1.6.2).
    fn finished(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let (header, frame) = bytes.split_at(HEADER);
        if header == [0; HEADER] {
            return vec![frame.to_vec()];
        }
        assert!(self.has(Features::CSUM), "no offload was negotiated");
        assert_eq!((header[0], &header[10..]), (1, &[0; 2][..]));
        let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let segments = match header[1] {
            0 => {
                assert_eq!(header[2..6], [0; 4]);
                self.filled_in += 1;
                return vec![filled_in(frame, number(6), number(8))];
            }
            1 => Features::HOST_TSO4,
            4 => Features::HOST_TSO6,
            other => panic!("no such segments were negotiated: {other}"),
        };
        assert!(self.has(segments), "no segments were negotiated");
        self.cut += 1;
        let layout = Layout::of(frame, number(2), number(4));
        assert_eq!((layout.tcp, 16), (number(6), number(8)));
        cut(&without_lengths(frame, layout), layout)
    }

    fn obey(&mut self, bus: &mut Bus) {
        let mut elements = Vec::new();
        for chain in self.queues[usize::from(self.control())].available(bus) {
            let bytes = chain.read(bus).unwrap_or_default();
            let ack = if self.carry_out(&bytes) { 0 } else { 1 };
            self.strays += usize::from(!chain.write(bus, &[ack]));
            elements.push((chain.head.into(), 1));
        }
        self.finish(bus, self.control(), elements);
    }

    /// 5.1.6.5.
    fn carry_out(&mut self, bytes: &[u8]) -> bool {
        let Some((&command, arguments)) = bytes.split_first_chunk::<2>() else { return false };
        match (command, arguments) {
            (command::RX_PROMISC, [on]) => self.promiscuous = *on != 0,
            (command::RX_ALLMULTI, [on]) => self.all_multicast = *on != 0,
            (command::MAC_ADDR_SET, &[a, b, c, d, e, f]) => self.mac = [a, b, c, d, e, f],
            (command::MAC_TABLE_SET, [0, 0, 0, 0, low, high, 0, 0, groups @ ..]) => {
                let count = usize::from(u16::from_le_bytes([*low, *high]));
                self.groups = groups.as_chunks().0.iter().copied().collect();
                return groups.len() == 6 * count;
            }
            (command::VLAN_ADD, &[low, high]) if self.has(Features::CTRL_VLAN) => {
                self.vlans.insert(u16::from_le_bytes([low, high]));
            }
            (command::VLAN_DEL, &[low, high]) if self.has(Features::CTRL_VLAN) => {
                self.vlans.remove(&u16::from_le_bytes([low, high]));
            }
            (command::MQ_VQ_PAIRS_SET, &[low, high]) if self.has(Features::MQ) => {
                self.spread = Spread::AsItLikes(u16::from_le_bytes([low, high]));
            }
            (command::MQ_RSS_CONFIG, configuration) if self.has(Features::RSS) => {
                self.spread = Spread::rss(configuration);
            }
            (command::COAL_RX_SET, [_, _, _, _, delay @ ..]) if self.has(Features::NOTF_COAL) => {
                self.delays.receive = u32::from_le_bytes(delay.try_into().unwrap_or_default());
            }
            (command::COAL_TX_SET, [_, _, _, _, delay @ ..]) if self.has(Features::NOTF_COAL) => {
                self.delays.transmit = u32::from_le_bytes(delay.try_into().unwrap_or_default());
            }
            _ => return false,
        }
        true
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

    fn read_common(&self, offset: usize) -> u32 {
        let half = |features: u64, select| if select < 2 { (features >> (32 * select)) as u32 } else { 0 };
        let queue = self.queues.get(usize::from(self.queue));
        match offset {
            common::DEVICE_FEATURE => half(self.offered, self.device_select),
            common::CONFIG_MSIX_VECTOR => self.config_vector.into(),
            common::NUM_QUEUES => self.queues.len() as u32,
            common::DEVICE_STATUS => {
                let failed = if self.faults.failed { Status::DEVICE_NEEDS_RESET } else { Status::empty() };
                (self.status | failed).bits().into()
            }
            common::QUEUE_SIZE => queue.map_or(0, |queue| queue.size.into()),
            common::QUEUE_MSIX_VECTOR => queue.map_or(NO_VECTOR, |queue| queue.vector).into(),
            common::QUEUE_ENABLE => queue.is_some_and(|queue| queue.enabled).into(),
            common::QUEUE_NOTIFY_OFF => self.queue.into(),
            _ => 0,
        }
    }

    fn write_common(&mut self, bus: &mut Bus, offset: usize, value: u32) {
        let vector = if self.messages { value as u16 } else { NO_VECTOR };
        let (low, high) = (u64::from(value), u64::from(value) << 32);
        match offset {
            common::DEVICE_FEATURE_SELECT => return self.device_select = value,
            common::DRIVER_FEATURE_SELECT => return self.driver_select = value,
            common::DRIVER_FEATURE if self.driver_select == 0 => return self.accepted = low,
            common::DRIVER_FEATURE => return self.accepted |= high,
            common::CONFIG_MSIX_VECTOR => return self.config_vector = vector,
            common::DEVICE_STATUS if value == 0 && self.faults.endless_reset => return,
            common::DEVICE_STATUS if value == 0 => return self.reset(bus),
            common::DEVICE_STATUS => return self.set_status(Status::from_bits_retain(value as u8)),
            common::QUEUE_SELECT => return self.queue = value as u16,
            _ => {}
        }
        let Some(queue) = self.queues.get_mut(usize::from(self.queue)) else { return };
        match offset {
            common::QUEUE_SIZE => queue.size = value as u16,
            common::QUEUE_MSIX_VECTOR => queue.vector = vector,
            common::QUEUE_ENABLE => queue.enabled = value == 1,
            common::QUEUE_DESC => queue.descriptors = low,
            common::QUEUE_DRIVER => queue.driver = low,
            common::QUEUE_DEVICE => queue.device = low,
            _ if offset == common::QUEUE_DESC + 4 => queue.descriptors |= high,
            _ if offset == common::QUEUE_DRIVER + 4 => queue.driver |= high,
            _ if offset == common::QUEUE_DEVICE + 4 => queue.device |= high,
            _ => {}
        }
    }

    fn set_status(&mut self, status: Status) {
        let disagree = self.faults.fickle || self.accepted & !self.offered != 0;
        self.status = if disagree { status - Status::FEATURES_OK } else { status };
    }

    fn read_config(&self, offset: usize, size: usize) -> u32 {
        let mut config = [0; CONFIG];
        config[net::MAC..][..6].copy_from_slice(&Self::MAC);
        config[net::STATUS] = self.link_up.into();
        config[net::MTU..][..2].copy_from_slice(&self.mtu.to_le_bytes());
        config[net::SPEED..][..4].copy_from_slice(&10_000u32.to_le_bytes());
        config[net::DUPLEX] = 1;
        config[net::MAX_VIRTQUEUE_PAIRS..][..2].copy_from_slice(&self.pairs.to_le_bytes());
        config[net::RSS_MAX_KEY_SIZE] = self.rss_limits.0;
        config[net::RSS_MAX_INDIRECTION_TABLE_LENGTH..][..2]
            .copy_from_slice(&self.rss_limits.1.to_le_bytes());
        config[net::SUPPORTED_HASH_TYPES] = 0x3f;
        let mut word = [0; 4];
        word[..size].copy_from_slice(&config[offset..offset + size]);
        u32::from_le_bytes(word)
    }
}

/// Bytes of the access that a field of the common structure wants (4.1.3.1).
fn width(offset: usize) -> usize {
    match offset {
        common::DEVICE_STATUS | common::CONFIG_GENERATION => 1,
        common::CONFIG_MSIX_VECTOR | common::NUM_QUEUES => 2,
        common::QUEUE_SELECT..common::QUEUE_DESC => 2,
        _ => 4,
    }
}

impl Model for VirtioNet {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x1af4, device: self.device, class: [2, 0, 0], revision: 1 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == BAR { END } else { 0 }
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        let messages = self.messages.then_some(InterruptKind::MsiX { vectors: 10 });
        [InterruptKind::Intx].into_iter().chain(messages).collect()
    }

    /// A capability of each kind, behind one that nobody knows and one in a reserved BAR.
    fn capabilities(&self) -> Vec<u8> {
        let structures = [
            (0x77, BAR, 0, 0x10),
            (cfg_type::COMMON, 7, COMMON, 0x38),
            (cfg_type::COMMON, BAR, COMMON, 0x38),
            (cfg_type::ISR, BAR, ISR, 1),
            (cfg_type::DEVICE, BAR, DEVICE, CONFIG),
            (cfg_type::NOTIFY, BAR, NOTIFY, self.queues.len() * MULTIPLIER),
        ];
        let mut bytes = Vec::new();
        for (index, (kind, bar, offset, length)) in structures.into_iter().enumerate() {
            let next = if index + 1 < structures.len() { 0x40 + 20 * (index + 1) } else { 0 };
            bytes.extend([9, next as u8, 20, kind, bar as u8, 0, 0, 0]);
            for word in [offset, length, MULTIPLIER] {
                bytes.extend((word as u32).to_le_bytes());
            }
        }
        if self.legacy { Vec::new() } else { bytes }
    }

    fn read(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize) -> u32 {
        assert_eq!(bar, BAR);
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match offset {
            ISR => {
                let isr = std::mem::replace(&mut self.isr, Isr::empty());
                self.drive_line(bus);
                isr.bits().into()
            }
            DEVICE..NOTIFY => self.read_config(offset - DEVICE, size),
            _ => {
                assert_eq!(size, width(offset), "the width of the field at {offset:#x}");
                self.read_common(offset)
            }
        }
    }

    fn write(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize, value: u32) {
        assert_eq!(bar, BAR);
        if offset >= NOTIFY {
            assert_eq!((offset - NOTIFY, size), (MULTIPLIER * value as usize, 2));
            return self.notified(bus, value as u16);
        }
        assert_eq!(size, width(offset), "the width of the field at {offset:#x}");
        self.write_common(bus, offset, value);
    }
}
