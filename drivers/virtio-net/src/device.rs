//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use hw::{Identity, InterruptKind, PciFunction, Registers};
use nic::buffer::CAPACITY;
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Frame, Intervals, Link, Memory, Moderation, Nic, NicInfo,
    RingLimits, Rings, Settings, Statistics, Step,
};

use crate::control::{self, Control};
use crate::header;
use crate::queue::{self, MOST_ENTRIES};
use crate::receive::{MOST_PIECES, Receiver};
use crate::registers::{Features, Isr, NetStatus, Status, net, virtqueue};
use crate::transmit::Transmitter;
use crate::transport::{Doorbell, Transport};

/// The vendor id of virtio devices, and the device ids of network devices: transitional and modern (4.1.2, 5.1.1).
const VENDOR: u16 = 0x1af4;
const DEVICES: [u16; 2] = [0x1000, 0x1041];

/// The least MTU that IPv4 allows (RFC 791), and a device may name (5.1.4.1).
const LEAST_MTU: u16 = 68;

/// Fewer entries than this hold no frame of the longest kind.
const LEAST_ENTRIES: u16 = 16;

/// All interrupts come as this MSI-X vector, if they come as messages.
const VECTOR: u16 = 0;

/// Above this, the speed is not known (5.1.4).
const MOST_SPEED: u32 = 0x7fff_ffff;

/// A virtio network device.
pub struct Device<R> {
    transport: Transport<R>,
    features: Features,
    info: NicInfo,
    /// Entries that the virtqueues for frames get at most.
    rings: Rings,
    receiver: Receiver,
    transmitter: Transmitter,
    control: Control,
    /// How interrupts come.
    interrupts: InterruptKind,
    doorbells: Option<Doorbells>,
    /// The network status as last seen.
    net_status: NetStatus,
}

/// Where the device is notified, while it runs.
#[derive(Clone, Copy)]
struct Doorbells {
    receive: Doorbell,
    transmit: Doorbell,
    /// The device has a control virtqueue.
    control: Option<Doorbell>,
}

impl<R: Registers> Device<R> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(function: &mut impl PciFunction<Registers = R>, memory: Memory) -> Result<Self, Fault> {
        let Identity { vendor, device, .. } = function.identity();
        if vendor != VENDOR || !DEVICES.contains(&device) {
            return Err(Fault::Unknown { vendor, device });
        }
        let transport = Transport::find(function)?;
        transport.reset()?;
        let mut features = usable(&transport, function.is_behind_iommu())?;
        // Read once: the device may say something else the next time.
        let own_mtu = transport.config16(net::MTU);
        if own_mtu < LEAST_MTU {
            // One that cannot be is not accepted (5.1.4.2).
            features.remove(Features::MTU);
        }
        log::debug!("negotiates {features:?}");
        let mac = transport.config_address(net::MAC);
        if !features.contains(Features::MAC) || !mac.is_station() {
            return Err(Fault::NoAddress);
        }
        let info = NicInfo {
            model: "virtio-net",
            mac,
            mtu: mtu(features, own_mtu),
            features: offloads(features),
            facilities: Facilities {
                moderation: moderation(features),
                rings: Some(ring_limits(&transport)),
                ..Facilities::default()
            },
        };
        let rings = memory.rings;
        let (receiver, transmitter, control) = queues(memory)?;
        Ok(Self {
            transport,
            features,
            info,
            rings,
            receiver,
            transmitter,
            control,
            interrupts: InterruptKind::Intx,
            doorbells: None,
            net_status: NetStatus::LINK_UP,
        })
    }

    /// Sets the virtqueues up (3.1.1, step 7).
    fn start_queues(&mut self, features: Features) -> Result<Doorbells, Fault> {
        let event_idx = self.features.contains(Features::EVENT_IDX);
        let vector = match self.interrupts {
            InterruptKind::MsiX { .. } => Some(VECTOR),
            InterruptKind::Intx | InterruptKind::Msi => None,
        };
        if let Some(vector) = vector {
            self.transport.set_config_vector(vector)?;
        }

        let entries = self.entries(virtqueue::RECEIVE, self.rings.receive)?;
        let areas = self.receiver.start(entries, self.features);
        let receive = self.transport.enable_queue(virtqueue::RECEIVE, entries, areas, vector)?;

        let entries = self.entries(virtqueue::TRANSMIT, self.rings.transmit)?;
        let areas = self.transmitter.start(entries, event_idx);
        let transmit = self.transport.enable_queue(virtqueue::TRANSMIT, entries, areas, vector)?;

        let mut control = None;
        if self.features.contains(Features::CTRL_VQ) {
            let entries = self.entries(virtqueue::CONTROL, MOST_ENTRIES)?;
            let areas = self.control.start(entries, features);
            control = Some(self.transport.enable_queue(virtqueue::CONTROL, entries, areas, vector)?);
        }
        Ok(Doorbells { receive, transmit, control })
    }

    /// How many entries virtqueue `queue` gets: as many as are wanted, or as the device allows.
    fn entries(&self, queue: u16, wanted: u16) -> Result<u16, Fault> {
        let most = most_entries(&self.transport, queue).min(wanted);
        if most < LEAST_ENTRIES {
            return Err(Fault::Unusable("a virtqueue is missing or too short"));
        }
        Ok(most)
    }

    fn notify(&self, choose: fn(Doorbells) -> Option<Doorbell>, wanted: bool) {
        if let Some(doorbell) = self.doorbells.and_then(choose).filter(|_| wanted) {
            self.transport.notify(doorbell);
        }
    }

    fn fill_receiver(&mut self) {
        let wanted = self.receiver.fill();
        self.notify(|doorbells| Some(doorbells.receive), wanted);
    }

    fn advance_control(&mut self) {
        let wanted = self.control.advance();
        self.notify(|doorbells| doorbells.control, wanted);
    }

    fn mask(&mut self) {
        self.receiver.mask();
        self.transmitter.mask();
        self.control.mask();
    }

    /// Why the device pulls its line, if it does.
    fn line_causes(&self) -> Result<Causes, Fault> {
        let isr = self.transport.take_isr()?;
        let mut causes = Causes::empty();
        causes.set(Causes::RECEIVE | Causes::TRANSMIT, isr.contains(Isr::QUEUE));
        causes.set(Causes::LINK, isr.contains(Isr::CONFIGURATION));
        Ok(causes)
    }

    /// Why the device may have sent a message. It had a cause, though that may have been dealt with by now; the ISR
    /// status does not tell (4.1.4.5.2).
    fn message_causes(&self) -> Result<Causes, Fault> {
        let mut causes = Causes::RECEIVE | Causes::TRANSMIT;
        causes.set(Causes::LINK, self.read_net_status()? != self.net_status);
        Ok(causes)
    }

    /// Without VIRTIO_NET_F_STATUS the link is always up (5.1.4.2).
    fn read_net_status(&self) -> Result<NetStatus, Fault> {
        if !self.features.contains(Features::STATUS) {
            return Ok(NetStatus::LINK_UP);
        }
        let status = NetStatus::from_bits_retain(self.transport.config16(net::STATUS));
        if status == NetStatus::all() {
            self.transport.status()?;
        }
        Ok(status)
    }

    fn speed(&self) -> Option<u32> {
        let has_speed = self.features.contains(Features::SPEED_DUPLEX);
        Some(self.transport.config32(net::SPEED)).filter(|&speed| has_speed && speed <= MOST_SPEED)
    }

    fn is_full_duplex(&self) -> bool {
        !self.features.contains(Features::SPEED_DUPLEX) || self.transport.config8(net::DUPLEX) != 0
    }
}

/// What the device does for the driver, of what was negotiated.
fn offloads(features: Features) -> nic::Features {
    let mut facilities = nic::Features::empty();
    facilities.set(nic::Features::RX_CHECKSUM, features.contains(Features::GUEST_CSUM));
    facilities.set(nic::Features::TX_CHECKSUM, features.contains(Features::CSUM));
    facilities.set(nic::Features::TX_SEGMENTS, features.contains(Features::HOST_TSO4));
    facilities.set(nic::Features::TX_SEGMENTS_V6, features.contains(Features::HOST_TSO6));
    facilities.set(nic::Features::VLAN_FILTER, features.contains(Features::CTRL_VLAN));
    facilities
}

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        name: "virtio_net",
        daemon: "virtio-netd",
        // A virtqueue's memory is aligned to its size, which may cost as much again.
        rings: Rings::both(MOST_ENTRIES),
        receive_queues: 1,
        ring_memory: |_| 4 * queue::MEMORY,
        other_memory: control::MEMORY,
        address_bits: 64,
        other_buffers: 0,
        interrupts: &[InterruptKind::MsiX { vectors: 1 }, InterruptKind::Intx],
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    /// Virtio 1.2, 3.1.1.
    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.interrupts = interrupts;
        self.transport.reset()?;
        let mut features = self.features;
        if !settings.features.contains(nic::Features::VLAN_FILTER) {
            features.remove(Features::CTRL_VLAN);
        }
        self.transport.negotiate(features)?;
        self.doorbells = Some(self.start_queues(features)?);
        self.transport.add_status(Status::DRIVER_OK)?;
        self.configure(settings);
        self.fill_receiver();
        self.unmask();
        self.link().map(drop)
    }

    fn stop(&mut self) -> usize {
        if let Err(fault) = self.transport.reset() {
            log::warn!("cannot make the device quiet by a reset: {fault}");
        }
        self.doorbells = None;
        self.receiver.stop();
        self.control.stop();
        self.transmitter.stop()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.transport.reset()
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        self.rings = memory.rings;
        (self.receiver, self.transmitter, self.control) = queues(memory)?;
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        self.receiver.set_longest(settings.mtu + HEADER + VLAN_TAG);
        let wanted = self.control.configure(settings);
        self.notify(|doorbells| doorbells.control, wanted);
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        let wanted = self.transmitter.give(frames);
        self.notify(|doorbells| Some(doorbells.transmit), wanted);
    }

    fn unsent(&self) -> usize {
        self.transmitter.unsent()
    }

    fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        self.transmitter.reclaim(frames);
    }

    fn receive(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        self.receiver.take(budget, frames);
        self.fill_receiver();
    }

    fn take_causes(&mut self) -> Result<Causes, Fault> {
        let causes = match self.interrupts {
            InterruptKind::Intx => self.line_causes()?,
            InterruptKind::Msi | InterruptKind::MsiX { .. } => self.message_causes()?,
        };
        self.mask();
        self.advance_control();
        Ok(causes)
    }

    fn unmask(&mut self) -> bool {
        // All three are to be unmasked, whatever the first says.
        let happened = [self.receiver.unmask(), self.transmitter.unmask(), self.control.unmask()];
        happened.contains(&true)
    }

    fn moderate(&mut self, intervals: Intervals) {
        let wanted = self.control.moderate(intervals);
        self.notify(|doorbells| doorbells.control, wanted);
    }

    /// Whether VLANs are filtered is negotiated.
    fn needs_restart(&self, from: &Settings, to: &Settings) -> bool {
        (from.features ^ to.features).contains(nic::Features::VLAN_FILTER)
    }

    fn link(&mut self) -> Result<Link, Fault> {
        self.transport.status()?;
        self.net_status = self.read_net_status()?;
        Ok(if self.net_status.contains(NetStatus::LINK_UP) {
            Link::Up { speed: self.speed(), full_duplex: self.is_full_duplex() }
        } else {
            Link::Down
        })
    }

    fn needs_reset(&mut self) -> bool {
        self.advance_control();
        let asks = self.transport.status().is_ok_and(|status| status.contains(Status::DEVICE_NEEDS_RESET));
        asks || self.receiver.is_broken() || self.transmitter.is_broken() || self.control.is_broken()
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        self.receiver.collect(statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        let features = self.features.bits();
        let mut registers = self.transport.registers().to_vec();
        registers.push(("driver_feature_0", features as u32));
        registers.push(("driver_feature_1", (features >> 32) as u32));
        registers.push(("status", self.transport.config16(net::STATUS).into()));
        registers
    }
}

/// What the driver and the device both know, without what needs something that is missing.
fn usable<R: Registers>(transport: &Transport<R>, behind_iommu: bool) -> Result<Features, Fault> {
    let mut features = Features::from_bits_truncate(transport.offered());
    if !features.contains(Features::VERSION_1) {
        return Err(Fault::Unusable("it has no modern interface (virtio 1.0 and later)"));
    }
    if behind_iommu && !features.contains(Features::ACCESS_PLATFORM) {
        return Err(Fault::Unusable(
            "it goes round the IOMMU (it does not offer VIRTIO_F_ACCESS_PLATFORM; QEMU: iommu_platform=on)",
        ));
    }
    let fields = [
        (Features::MAC, net::MAC + 6),
        (Features::STATUS, net::STATUS + 2),
        (Features::MTU, net::MTU + 2),
        (Features::SPEED_DUPLEX, net::DUPLEX + 1),
    ];
    for (feature, _) in fields.into_iter().filter(|(_, end)| *end > transport.config_size()) {
        features.remove(feature);
    }
    if !features.contains(Features::CSUM) {
        // They need it (5.1.3.1).
        features.remove(Features::HOST_TSO4 | Features::HOST_TSO6);
    }
    if !features.contains(Features::CTRL_VQ) {
        features.remove(Features::CTRL_RX | Features::CTRL_MAC_ADDR);
        features.remove(Features::CTRL_VLAN | Features::NOTF_COAL);
    }
    Ok(features)
}

/// Virtqueues in `memory`, of no entries yet.
fn queues(Memory { arena, pools, .. }: Memory) -> Result<(Receiver, Transmitter, Control), Fault> {
    let queue = || arena.allocate(queue::MEMORY, queue::MEMORY);
    let (receive, transmit, control) = (queue()?, queue()?, queue()?);
    let commands = arena.allocate(control::MEMORY, 64)?;
    Ok((Receiver::new(receive, pools.receive), Transmitter::new(transmit), Control::new(control, commands)))
}

/// The most entries that virtqueue `queue` can have: what the device allows, in a power of two (2.7); 0 for none.
fn most_entries<R: Registers>(transport: &Transport<R>, queue: u16) -> u16 {
    let most = transport.queue_size(queue).min(MOST_ENTRIES);
    most.checked_ilog2().map_or(0, |power| 1 << power)
}

/// The sizes of the virtqueues for frames.
fn ring_limits<R: Registers>(transport: &Transport<R>) -> RingLimits {
    let most = |queue| most_entries(transport, queue).max(LEAST_ENTRIES);
    let most = Rings { receive: most(virtqueue::RECEIVE), transmit: most(virtqueue::TRANSMIT) };
    RingLimits { initial: most, least: Rings::both(LEAST_ENTRIES), most, step: Step::PowerOfTwo }
}

/// The longest delay of a notification that is asked for, in microseconds; the device has no limit of its own.
const MOST_DELAY: u32 = 10_000;

/// Without VIRTIO_NET_F_NOTF_COAL the device decides when to notify.
fn moderation(features: Features) -> Moderation {
    if features.contains(Features::NOTF_COAL) {
        Moderation::TwoIntervals(MOST_DELAY)
    } else {
        Moderation::None
    }
}

/// The MTUs of a device: up to its own where it has one, and to what a frame's buffers hold.
fn mtu(features: Features, own: u16) -> RangeInclusive<usize> {
    let pieces = if features.contains(Features::MRG_RXBUF) { MOST_PIECES } else { 1 };
    let room = pieces * CAPACITY - header::SIZE - HEADER - VLAN_TAG;
    let own = if features.contains(Features::MTU) { own } else { u16::MAX };
    LEAST_MTU.into()..=room.min(own.into())
}
