//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;

use hw::{Identity, InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Frame, Intervals, Link, Memory, Nic, NicInfo, Rings, Settings,
    Statistics, Turns,
};

use crate::control::{self, Control};
use crate::negotiation::{self, LEAST_ENTRIES, LEAST_MTU};
use crate::queue::{self, Format, MOST_ENTRIES};
use crate::receive::{MOST_JOINED, Receiver};
use crate::registers::{Features, Isr, NetStatus, Status, net, virtqueue};
use crate::spread::{self, MOST_PAIRS, Pairs};
use crate::transmit::Transmitter;
use crate::transport::{Doorbell, Transport};

/// The vendor id of virtio devices, and the device ids of network devices: transitional and modern (4.1.2, 5.1.1).
const VENDOR: u16 = 0x1af4;
const DEVICES: [u16; 2] = [0x1000, 0x1041];

/// Each receive virtqueue has a vector of its own, where there are as many.
const INTERRUPTS: &[InterruptKind] =
    &[InterruptKind::MsiX { vectors: MOST_PAIRS }, InterruptKind::MsiX { vectors: 1 }, InterruptKind::Intx];

/// What is not received is told by this MSI-X vector, if interrupts come as messages.
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
    pairs: Pairs,
    receivers: Vec<Receiver>,
    turns: Turns,
    /// The first sends all; the others are there because pairs are used as a whole (5.1.6.5.5).
    transmitters: Vec<Transmitter>,
    control: Control,
    /// How interrupts come.
    interrupts: InterruptKind,
    doorbells: Option<Doorbells>,
    /// The network status as last seen.
    net_status: NetStatus,
}

/// Where the device is notified, while it runs.
struct Doorbells {
    receive: Vec<Doorbell>,
    transmit: Option<Doorbell>,
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
        let mut features = negotiation::usable(&transport, function.is_behind_iommu())?;
        // Read once: the device may say something else the next time.
        let own_mtu = transport.config16(net::MTU);
        if own_mtu < LEAST_MTU {
            // One that cannot be is not accepted (5.1.4.2).
            features.remove(Features::MTU);
        }
        let (pairs, rss) = spread::negotiate(&transport, &mut features);
        log::debug!("negotiates {features:?}");
        let mac = transport.config_address(net::MAC);
        if !features.contains(Features::MAC) || !mac.is_station() {
            return Err(Fault::NoAddress);
        }
        let info = NicInfo {
            model: "virtio-net",
            mac,
            mtu: negotiation::mtu(features, own_mtu),
            features: negotiation::offloads(features),
            facilities: Facilities {
                moderation: negotiation::moderation(features),
                rings: Some(negotiation::ring_limits(&transport)),
                queues: if pairs.used > 1 { pairs.used as u8 } else { 0 },
                rss,
                ..Facilities::default()
            },
        };
        let rings = memory.rings;
        let (receivers, transmitters, control) = queues(memory, features, pairs)?;
        Ok(Self {
            transport,
            features,
            info,
            rings,
            pairs,
            receivers,
            turns: Turns::default(),
            transmitters,
            control,
            interrupts: InterruptKind::Intx,
            doorbells: None,
            net_status: NetStatus::LINK_UP,
        })
    }

    /// Sets the virtqueues up (3.1.1, step 7).
    fn start_queues(&mut self, features: Features) -> Result<Doorbells, Fault> {
        let vectors = match self.interrupts {
            InterruptKind::MsiX { vectors } => Some(vectors),
            InterruptKind::Intx | InterruptKind::Msi => None,
        };
        let vector = vectors.map(|_| VECTOR);
        if let Some(vector) = vector {
            self.transport.set_config_vector(vector)?;
        }

        let mut receive = Vec::new();
        for (pair, receiver) in (0..).zip(&mut self.receivers) {
            let number = virtqueue::receive(pair);
            let entries = entries(&self.transport, number, self.rings.receive)?;
            let areas = receiver.start(entries, features);
            let vector = vectors.map(|vectors| pair % vectors);
            receive.push(self.transport.enable_queue(number, entries, areas, vector)?);
        }

        let mut transmit = None;
        for (pair, transmitter) in (0..).zip(&mut self.transmitters) {
            let number = virtqueue::transmit(pair);
            let entries = entries(&self.transport, number, self.rings.transmit)?;
            let areas = transmitter.start(entries);
            let doorbell = self.transport.enable_queue(number, entries, areas, vector)?;
            transmit.get_or_insert(doorbell);
        }

        let mut control = None;
        if self.features.contains(Features::CTRL_VQ) {
            let number = virtqueue::control(self.pairs.there);
            let entries = entries(&self.transport, number, MOST_ENTRIES)?;
            let areas = self.control.start(entries, features, self.pairs);
            control = Some(self.transport.enable_queue(number, entries, areas, vector)?);
        }
        Ok(Doorbells { receive, transmit, control })
    }

    fn notify(&self, choose: fn(&Doorbells) -> Option<Doorbell>, wanted: bool) {
        if let Some(doorbell) = self.doorbells.as_ref().and_then(choose).filter(|_| wanted) {
            self.transport.notify(doorbell);
        }
    }

    fn fill_receivers(&mut self) {
        let doorbells = self.doorbells.iter().flat_map(|doorbells| &doorbells.receive);
        for (receiver, doorbell) in self.receivers.iter_mut().zip(doorbells) {
            if receiver.fill() {
                self.transport.notify(*doorbell);
            }
        }
    }

    fn advance_control(&mut self) {
        let wanted = self.control.advance();
        self.notify(|doorbells| doorbells.control, wanted);
    }

    fn mask(&mut self) {
        self.receivers.iter_mut().for_each(Receiver::mask);
        self.transmitters.iter_mut().for_each(Transmitter::mask);
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

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        name: "virtio_net",
        daemon: "virtio-netd",
        // A virtqueue's memory is aligned to its size, which may cost as much again.
        rings: Rings::both(MOST_ENTRIES),
        receive_queues: MOST_PAIRS as u8,
        ring_memory: |_| (2 * usize::from(MOST_PAIRS) + 2) * queue::MEMORY,
        other_memory: control::MEMORY,
        address_bits: 64,
        // Of each receive virtqueue a frame may have begun.
        other_buffers: MOST_PAIRS * MOST_JOINED as u16,
        interrupts: INTERRUPTS,
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    /// Virtio 1.2, 3.1.1.
    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.interrupts = interrupts;
        self.transport.reset()?;
        let features = negotiation::wanted(self.features, settings.features);
        self.transport.negotiate(features)?;
        self.doorbells = Some(self.start_queues(features)?);
        self.transport.add_status(Status::DRIVER_OK)?;
        self.configure(settings);
        self.fill_receivers();
        self.unmask();
        self.link().map(drop)
    }

    fn stop(&mut self) -> usize {
        if let Err(fault) = self.transport.reset() {
            log::warn!("cannot make the device quiet by a reset: {fault}");
        }
        self.doorbells = None;
        self.receivers.iter_mut().for_each(Receiver::stop);
        self.control.stop();
        self.transmitters.iter_mut().map(Transmitter::stop).sum()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.transport.reset()
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        self.rings = memory.rings;
        (self.receivers, self.transmitters, self.control) = queues(memory, self.features, self.pairs)?;
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        let longest = settings.mtu + HEADER + VLAN_TAG;
        self.receivers.iter_mut().for_each(|receiver| receiver.set_longest(longest));
        let wanted = self.control.configure(settings);
        self.notify(|doorbells| doorbells.control, wanted);
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        let wanted = self.transmitters.first_mut().is_some_and(|transmitter| transmitter.give(frames));
        self.notify(|doorbells| doorbells.transmit, wanted);
    }

    fn unsent(&self) -> usize {
        self.transmitters.iter().map(Transmitter::unsent).sum()
    }

    fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        if let Some(transmitter) = self.transmitters.first_mut() {
            transmitter.reclaim(frames);
        }
    }

    fn receive(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        self.turns.receive(&mut self.receivers, budget, frames, Receiver::take);
        self.fill_receivers();
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
        // All are to be unmasked, whatever the first says.
        let mut happened = self.control.unmask();
        self.receivers.iter_mut().for_each(|receiver| happened |= receiver.unmask());
        self.transmitters.iter_mut().for_each(|transmitter| happened |= transmitter.unmask());
        happened
    }

    fn moderate(&mut self, intervals: Intervals) {
        let wanted = self.control.moderate(intervals);
        self.notify(|doorbells| doorbells.control, wanted);
    }

    /// Whether VLANs are filtered is negotiated, and whether segments are joined.
    fn needs_restart(&self, from: &Settings, to: &Settings) -> bool {
        negotiation::is_another(from.features, to.features)
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
        let is_broken = self.receivers.iter().any(Receiver::is_broken)
            || self.transmitters.iter().any(Transmitter::is_broken);
        asks || is_broken || self.control.is_broken()
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        self.receivers.iter_mut().for_each(|receiver| receiver.collect(statistics));
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

/// Virtqueues of so many pairs in `memory`, of no entries yet.
fn queues(
    memory: Memory,
    features: Features,
    pairs: Pairs,
) -> Result<(Vec<Receiver>, Vec<Transmitter>, Control), Fault> {
    let Memory { arena, pools, .. } = memory;
    let format = || Ok::<_, Fault>(Format::new(arena.allocate(queue::MEMORY, queue::MEMORY)?, features));
    let receiver = |_| Ok::<_, Fault>(Receiver::new(format()?, pools.receive.clone()));
    let receivers = (0..pairs.used).map(receiver).collect::<Result<_, _>>()?;
    let transmitter = |_| Ok::<_, Fault>(Transmitter::new(format()?));
    let transmitters = (0..pairs.used).map(transmitter).collect::<Result<_, _>>()?;
    let control = Control::new(format()?, arena.allocate(control::MEMORY, 64)?);
    Ok((receivers, transmitters, control))
}

/// How many entries virtqueue `queue` gets: as many as are wanted, or as the device allows.
fn entries<R: Registers>(transport: &Transport<R>, queue: u16, wanted: u16) -> Result<u16, Fault> {
    let most = negotiation::most_entries(transport, queue).min(wanted);
    if most < LEAST_ENTRIES {
        return Err(Fault::Unusable("a virtqueue is missing or too short"));
    }
    Ok(most)
}
