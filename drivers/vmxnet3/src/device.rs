//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use hw::{InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Features, Frame, Link, MacAddress, Memory, Moderation, Nic,
    NicInfo, RingLimits, Rings, Settings, Statistics, Step, Turns,
};

use crate::configuration::{self, Configuration};
use crate::descriptors;
use crate::receive::Receiver;
use crate::registers::{Command, Events, LinkStatus, REVISION_1, REVISION_2, pt, vd};
use crate::shared::QUEUES;
use crate::spread;
use crate::statistics::Counters;
use crate::transmit::Transmitter;

/// VMware's PCI vendor id, and the device's.
const VMXNET3: (u16, u16) = (0x15ad, 0x07b0);

/// Rings have multiples of 32 entries (`VMXNET3_RING_SIZE_ALIGN`), and 4096 at most. Those of the receive ring are for the
/// buffers in which frames begin: with 256 of them at first the driver wants 4.5 MB in one piece, which Redox has not got.
const RINGS: RingLimits = RingLimits {
    initial: Rings { receive: 192, transmit: 256 },
    least: Rings::both(32),
    most: Rings::both(4096),
    step: Step::MultipleOf(32),
};

/// Each receive queue has a vector of its own, where there are as many.
const INTERRUPTS: &[InterruptKind] = &[
    InterruptKind::MsiX { vectors: QUEUES as u16 },
    InterruptKind::MsiX { vectors: 1 },
    InterruptKind::Msi,
    InterruptKind::Intx,
];

/// Entries of each queue's receive ring for buffers in which frames go on.
const BODY_RING: u16 = 128;

/// Where rings begin (`VMXNET3_RING_BA_ALIGN`).
const RING_ALIGNMENT: usize = 512;

/// `VMXNET3_MAX_MTU`, and the least that IPv4 allows (RFC 791).
const MTU: RangeInclusive<usize> = 68..=9000;

/// Of all that ethtool knows by these names, what the device could do.
const FEATURES: Features = Features::RX_CHECKSUM
    .union(Features::TX_CHECKSUM)
    .union(Features::TX_SEGMENTS)
    .union(Features::TX_SEGMENTS_V6)
    .union(Features::RX_VLAN)
    .union(Features::TX_VLAN)
    .union(Features::VLAN_FILTER);

/// A vmxnet3.
pub struct Device<R> {
    pt: R,
    vd: R,
    info: NicInfo,
    configuration: Configuration,
    /// One for each queue.
    receivers: Vec<Receiver>,
    turns: Turns,
    transmitter: Transmitter,
    counters: Counters,
    kind: InterruptKind,
    running: bool,
}

impl<R: Registers> Device<R> {
    /// Meets the device of `function`, and makes it quiet.
    pub fn attach(function: &mut impl PciFunction<Registers = R>, memory: Memory) -> Result<Self, Fault> {
        let hw::Identity { vendor, device, .. } = function.identity();
        if (vendor, device) != VMXNET3 {
            return Err(Fault::Unknown { vendor, device });
        }
        let (pt, vd) = (function.registers(0)?, function.registers(1)?);
        for (bar, size, needed) in [(0, pt.size(), pt::WINDOW), (1, vd.size(), vd::WINDOW)] {
            if size < needed {
                return Err(hw::Error::NoBar { location: function.location(), bar }.into());
            }
        }
        reset(&pt, &vd)?;
        let known = [REVISION_2, REVISION_1];
        let revision = speak(&vd, vd::VRRS, &known, "it knows neither revision 1 nor 2 of vmxnet3")?;
        speak(&vd, vd::UVRS, &[REVISION_1], "it does not know revision 1 of UPT queues")?;
        let facilities = Facilities {
            moderation: Moderation::OfItsOwn,
            rings: Some(RINGS),
            queues: QUEUES as u8,
            rss: Some(spread::LIMITS),
            ..Facilities::default()
        };
        let features = FEATURES | joining(revision);
        let info = NicInfo { model: "vmxnet3", mac: address(&vd)?, mtu: MTU, features, facilities };
        let arena = memory.arena.clone();
        let (receivers, transmitter) = rings(memory)?;
        Ok(Self {
            receivers,
            turns: Turns::default(),
            transmitter,
            configuration: Configuration::new(&arena)?,
            counters: Counters::default(),
            kind: InterruptKind::Intx,
            running: false,
            pt,
            vd,
            info,
        })
    }

    fn command(&self, command: Command) -> u32 {
        self.vd.write32(vd::CMD, command as u32);
        self.vd.read32(vd::CMD)
    }

    fn set_masked(&self, masked: bool) {
        for vector in 0..self.kind.vectors() {
            self.pt.write32(pt::imr(vector), masked.into());
        }
    }
}

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        name: "vmxnet3",
        daemon: "vmxnet3d",
        rings: RINGS.initial,
        receive_queues: QUEUES as u8,
        ring_memory: |Rings { receive, transmit }| {
            let entries = 2 * usize::from(transmit) + 2 * QUEUES * usize::from(receive + BODY_RING);
            entries * descriptors::SIZE + (2 + 3 * QUEUES) * RING_ALIGNMENT
        },
        other_memory: configuration::MEMORY,
        address_bits: 64,
        other_buffers: QUEUES as u16 * BODY_RING,
        interrupts: INTERRUPTS,
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.kind = interrupts;
        self.counters.restart(&self.configuration.queues);
        let queues = (&self.transmitter, self.receivers.as_slice());
        self.configuration.describe(settings, queues, interrupts.vectors(), *MTU.end());
        let shared = self.configuration.bus_address();
        self.vd.write32(vd::DSAL, shared as u32);
        self.vd.write32(vd::DSAH, (shared >> 32) as u32);
        if self.command(Command::ActivateDev) != 0 {
            present(&self.vd)?;
            return Err(Fault::Unusable("it does not take its configuration (ACTIVATE_DEV)"));
        }
        self.running = true;
        self.configure(settings);
        self.unmask();
        self.link().map(drop)
    }

    fn stop(&mut self) -> usize {
        if std::mem::take(&mut self.running) {
            self.command(Command::GetStats);
        }
        quiet(&self.pt, &self.vd);
        self.receivers.iter_mut().for_each(Receiver::reset);
        self.transmitter.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        reset(&self.pt, &self.vd)
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        (self.receivers, self.transmitter) = rings(memory)?;
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        let [a, b, c, d, e, f] = settings.mac.0;
        self.vd.write32(vd::MACL, u32::from_le_bytes([a, b, c, d]));
        self.vd.write32(vd::MACH, u32::from_le_bytes([e, f, 0, 0]));
        let longest = settings.mtu + HEADER + VLAN_TAG;
        let joined = settings.features.contains(Features::RX_JOINED);
        self.receivers.iter_mut().for_each(|receiver| receiver.set_longest(longest, joined));
        self.configuration.update(settings);
        self.command(Command::UpdateFeature);
        self.command(Command::UpdateRssIdt);
        self.command(Command::UpdateMacFilters);
        self.command(Command::UpdateVlanFilters);
        self.command(Command::UpdateRxMode);
        self.fill();
    }

    fn transmit(&mut self, frames: &mut VecDeque<Frame>) {
        if self.transmitter.give(frames) {
            self.pt.write32(pt::TXPROD, self.transmitter.tail() as u32);
        }
    }

    fn unsent(&self) -> usize {
        self.transmitter.unsent()
    }

    fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        self.transmitter.reclaim(frames);
    }

    fn receive(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        self.turns.receive(&mut self.receivers, budget, frames, Receiver::take);
        self.fill();
    }

    /// Only the line has a cause that can be asked for; a message is always the device's.
    fn take_causes(&mut self) -> Result<Causes, Fault> {
        if self.kind == InterruptKind::Intx {
            match self.vd.read32(vd::ICR) {
                0 => return Ok(Causes::empty()),
                u32::MAX => present(&self.vd)?,
                _ => {}
            }
        }
        self.set_masked(true);
        let events = self.configuration.events();
        self.vd.write32(vd::ECR, events.bits());
        let mut causes = Causes::RECEIVE | Causes::TRANSMIT;
        causes.set(Causes::LINK, events.contains(Events::LINK));
        Ok(causes)
    }

    fn unmask(&mut self) -> bool {
        self.set_masked(false);
        self.receivers.iter().any(Receiver::has_news) || self.transmitter.has_news()
    }

    /// The device learns its level of moderation when it is started, of how many buffers a frame can be, and of RSS all but the
    /// table.
    fn needs_restart(&self, from: &Settings, to: &Settings) -> bool {
        let joined = |settings: &Settings| settings.features.contains(Features::RX_JOINED);
        let hashed = |settings: &Settings| settings.rss.as_ref().map(|rss| (rss.key, rss.hashes));
        from.coalesce != to.coalesce || joined(from) != joined(to) || hashed(from) != hashed(to)
    }

    fn link(&mut self) -> Result<Link, Fault> {
        present(&self.vd)?;
        let status = LinkStatus::from(self.command(Command::GetLink));
        Ok(if status.up() {
            Link::Up { speed: Some(status.speed().into()), full_duplex: true }
        } else {
            Link::Down
        })
    }

    fn needs_reset(&mut self) -> bool {
        self.receivers.iter().any(Receiver::is_broken)
            || self.transmitter.is_broken()
            || self.configuration.events().intersects(Events::RQERR | Events::TQERR)
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        if self.running {
            self.command(Command::GetStats);
        }
        self.receivers.iter_mut().for_each(|receiver| receiver.collect(statistics));
        self.counters.collect(&self.configuration.queues, statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        let vd = [("VRRS", vd::VRRS), ("UVRS", vd::UVRS), ("MACL", vd::MACL), ("MACH", vd::MACH)];
        let shared = [("ECR", self.configuration.events().bits())];
        vd.into_iter().map(|(name, offset)| (name, self.vd.read32(offset))).chain(shared).collect()
    }
}

impl<R: Registers> Device<R> {
    /// Gives empty buffers to the device, which only some devices want to be told of.
    fn fill(&mut self) {
        for (queue, receiver) in self.receivers.iter_mut().enumerate() {
            receiver.fill();
            if self.configuration.wants_to_be_told(queue) {
                let [heads, bodies] = receiver.tails();
                self.pt.write32(pt::rxprod(queue), heads as u32);
                self.pt.write32(pt::rxprod2(queue), bodies as u32);
            }
        }
    }
}

/// Empty rings in `memory`.
fn rings(Memory { arena, pools, rings }: Memory) -> Result<(Vec<Receiver>, Transmitter), Fault> {
    let ring = |entries: u16| arena.allocate(usize::from(entries) * descriptors::SIZE, RING_ALIGNMENT);
    let receiver = |queue| {
        let receive = [ring(rings.receive)?, ring(BODY_RING)?];
        let completions = ring(rings.receive + BODY_RING)?;
        Ok::<_, Fault>(Receiver::new(queue, receive, completions, pools.receive.clone()))
    };
    let receivers = (0..QUEUES as u16).map(receiver).collect::<Result<_, _>>()?;
    Ok((receivers, Transmitter::new(ring(rings.transmit)?, ring(rings.transmit)?)))
}

/// The device is there.
fn present(vd: &impl Registers) -> Result<(), Fault> {
    if vd.read32(vd::VRRS) == u32::MAX { Err(Fault::Gone) } else { Ok(()) }
}

/// Stops both directions and all interrupts.
fn quiet(pt: &impl Registers, vd: &impl Registers) {
    for vector in 0..QUEUES as u16 {
        pt.write32(pt::imr(vector), 1);
    }
    vd.write32(vd::CMD, Command::QuiesceDev as u32);
    vd.write32(vd::CMD, Command::ResetDev as u32);
}

/// Resets the device, which is done when the command is written; it is quiet then.
fn reset(pt: &impl Registers, vd: &impl Registers) -> Result<(), Fault> {
    present(vd)?;
    quiet(pt, vd);
    present(vd)
}

/// Chooses the first of `revisions` that the device has of what the register `offset` stands for.
fn speak(
    vd: &impl Registers,
    offset: usize,
    revisions: &[u32],
    otherwise: &'static str,
) -> Result<u32, Fault> {
    let known = vd.read32(offset);
    let chosen = revisions.iter().find(|revision| known & **revision != 0);
    let chosen = *chosen.ok_or(Fault::Unusable(otherwise))?;
    vd.write32(offset, chosen);
    Ok(chosen)
}

/// Whether the device joins segments. It could by its first revision, too, but what segments a frame was would be lost.
fn joining(revision: u32) -> Features {
    if revision == REVISION_2 { Features::RX_JOINED } else { Features::empty() }
}

/// The address that the device was made with.
fn address(vd: &impl Registers) -> Result<MacAddress, Fault> {
    let ask = |command: Command| {
        vd.write32(vd::CMD, command as u32);
        vd.read32(vd::CMD).to_le_bytes()
    };
    let ([a, b, c, d], [e, f, ..]) = (ask(Command::GetPermMacLo), ask(Command::GetPermMacHi));
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station()).ok_or(Fault::NoAddress)
}
