//! The device: its life, its interrupts, its link and its filters.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use hw::dma::Region;
use hw::{InterruptKind, PciFunction, Registers};
use nic::frame::{HEADER, VLAN_TAG};
use nic::{
    Causes, DriverInfo, Facilities, Fault, Features, Frame, Link, MacAddress, Memory, Moderation, Nic,
    NicInfo, RingLimits, Rings, Settings, Statistics, Step,
};
use zerocopy::{FromZeros, IntoBytes};

use crate::descriptors;
use crate::receive::{MOST_PIECES, Receiver};
use crate::registers::{Command, Events, LinkStatus, REVISION_1, RxMode, pt, vd};
use crate::shared::{self, DriverShared, RxFilterConfiguration, RxQueue, TxQueue};
use crate::statistics::Counters;
use crate::transmit::Transmitter;

/// VMware's PCI vendor id, and the device's.
const VMXNET3: (u16, u16) = (0x15ad, 0x07b0);

/// Rings have multiples of 32 entries (`VMXNET3_RING_SIZE_ALIGN`), and 4096 at most. Those of the receive ring are for the
/// buffers in which frames begin.
const RINGS: RingLimits = RingLimits {
    initial: Rings::both(256),
    least: Rings::both(32),
    most: Rings::both(4096),
    step: Step::MultipleOf(32),
};

/// Entries of the receive ring for buffers in which frames go on.
const BODY_RING: u16 = 128;

/// Where rings begin (`VMXNET3_RING_BA_ALIGN`), and the descriptions of queues.
const RING_ALIGNMENT: usize = 512;

/// Groups of the multicast list. For more of them, all groups are let through.
const GROUPS: usize = 32;

const SHARED_MEMORY: usize = 1024 + 2 * shared::QUEUE + 6 * GROUPS;

/// `VMXNET3_MAX_MTU`, and the least that IPv4 allows (RFC 791).
const MTU: RangeInclusive<usize> = 68..=9000;

/// `UPT1_IML_ADAPTIVE`: the device moderates interrupts as it sees fit; `UPT1_IML_NONE`: not at all.
const ADAPTIVE: u8 = 8;
const UNMODERATED: u8 = 0;

/// A guest of 64 bits that is none of those with a number.
const GUEST: u32 = 2;

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
    shared: Region,
    /// The descriptions of the transmit queue and of the receive queue.
    queues: Region,
    multicast_list: Region,
    receiver: Receiver,
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
        speak(&vd, vd::VRRS, "it does not know revision 1 of vmxnet3")?;
        speak(&vd, vd::UVRS, "it does not know revision 1 of UPT queues")?;
        let facilities =
            Facilities { moderation: Moderation::OfItsOwn, rings: Some(RINGS), ..Facilities::default() };
        let info = NicInfo { model: "vmxnet3", mac: address(&vd)?, mtu: MTU, features: FEATURES, facilities };
        let arena = memory.arena.clone();
        let (receiver, transmitter) = rings(memory)?;
        Ok(Self {
            receiver,
            transmitter,
            shared: arena.allocate(1024, RING_ALIGNMENT)?,
            queues: arena.allocate(2 * shared::QUEUE, RING_ALIGNMENT)?,
            multicast_list: arena.allocate(6 * GROUPS, RING_ALIGNMENT)?,
            counters: Counters::default(),
            kind: InterruptKind::Intx,
            running: false,
            pt,
            vd,
            info,
        })
    }

    /// Writes the shared memory, from which the device learns all but its doorbells.
    fn describe(&self, settings: &Settings) {
        let (transmit, receive) = (self.transmit_queue(), self.receive_queue());
        self.queues.copy_from(0, transmit.as_bytes());
        self.queues.copy_from(shared::QUEUE, receive.as_bytes());
        let mut shared = DriverShared::new_zeroed();
        shared.magic.set(shared::MAGIC);
        shared.driver.version.set(1);
        shared.driver.gos.set(GUEST);
        shared.driver.vmxnet3_rev_spt.set(REVISION_1);
        shared.driver.upt_ver_spt.set(REVISION_1);
        shared.upt_features.set(upt_features(settings));
        shared.driver_data.set(self.shared.bus_address());
        shared.driver_data_len.set(self.shared.size() as u32);
        shared.queue_desc.set(self.queues.bus_address());
        shared.queue_desc_len.set(self.queues.size() as u32);
        // What is longer than the interface's own MTU is dropped here, so that it can change while the device runs.
        shared.mtu.set(*MTU.end() as u32);
        shared.max_num_rx_sg.set(MOST_PIECES as u16);
        (shared.num_tx_queues, shared.num_rx_queues) = (1, 1);
        shared.interrupts.num_intrs = 1;
        shared.interrupts.mod_levels = [if settings.coalesce.adaptive { ADAPTIVE } else { UNMODERATED }; 25];
        shared.filter = self.filter(settings);
        self.shared.copy_from(0, shared.as_bytes());
    }

    fn transmit_queue(&self) -> TxQueue {
        let [(ring, entries), (completions, completion_entries)] = self.transmitter.locations();
        let mut queue = TxQueue::new_zeroed();
        queue.tx_ring.set(ring);
        queue.tx_ring_size.set(entries);
        queue.comp_ring.set(completions);
        queue.comp_ring_size.set(completion_entries);
        queue
    }

    fn receive_queue(&self) -> RxQueue {
        let [(heads, head_entries), (bodies, body_entries), (completions, completion_entries)] =
            self.receiver.locations();
        let mut queue = RxQueue::new_zeroed();
        queue.rx_ring = [heads.into(), bodies.into()];
        queue.rx_ring_size = [head_entries.into(), body_entries.into()];
        queue.comp_ring.set(completions);
        queue.comp_ring_size.set(completion_entries);
        queue
    }

    /// The description of what to receive. The groups are written to the multicast list.
    fn filter(&self, settings: &Settings) -> RxFilterConfiguration {
        let filter = &settings.filter;
        let mut description = RxFilterConfiguration::new_zeroed();
        description.vf_table = shared::vlan_table(settings.vlans());
        let mut mode = RxMode::UCAST | RxMode::BCAST;
        mode.set(RxMode::PROMISC, filter.promiscuous);
        let groups: Vec<u8> = filter.multicast.iter().flat_map(|group| group.0).collect();
        // With PROMISC alone, multicast frames that are on no list do not pass everywhere.
        if filter.promiscuous || filter.all_multicast || !self.multicast_list.copy_from(0, &groups) {
            mode |= RxMode::ALL_MULTI;
        } else if !groups.is_empty() {
            mode |= RxMode::MCAST;
            description.mf_table_len.set(groups.len() as u16);
            description.mf_table.set(self.multicast_list.bus_address());
        }
        description.rx_mode.set(mode.bits());
        description
    }

    fn command(&self, command: Command) -> u32 {
        self.vd.write32(vd::CMD, command as u32);
        self.vd.read32(vd::CMD)
    }

    fn set_masked(&self, masked: bool) {
        self.pt.write32(pt::IMR, masked.into());
    }

    fn events(&self) -> Events {
        Events::from_bits_retain(self.shared.read_u32(shared::ECR).unwrap_or_default())
    }
}

impl<R: Registers> Nic for Device<R> {
    const DRIVER: DriverInfo = DriverInfo {
        name: "vmxnet3",
        daemon: "vmxnet3d",
        rings: RINGS.initial,
        receive_queues: 1,
        ring_memory: |Rings { receive, transmit }| {
            let entries = 2 * usize::from(transmit) + 2 * usize::from(receive + BODY_RING);
            entries * descriptors::SIZE + 5 * RING_ALIGNMENT
        },
        other_memory: SHARED_MEMORY + 3 * RING_ALIGNMENT,
        address_bits: 64,
        other_buffers: BODY_RING,
        interrupts: &[InterruptKind::MsiX { vectors: 1 }, InterruptKind::Msi, InterruptKind::Intx],
    };

    fn info(&self) -> &NicInfo {
        &self.info
    }

    fn start(&mut self, settings: &Settings, interrupts: InterruptKind) -> Result<(), Fault> {
        self.kind = interrupts;
        self.counters.restart(&self.queues);
        self.describe(settings);
        let shared = self.shared.bus_address();
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
        self.receiver.reset();
        self.transmitter.reset()
    }

    fn reset(&mut self) -> Result<(), Fault> {
        reset(&self.pt, &self.vd)
    }

    fn set_rings(&mut self, memory: Memory) -> Result<(), Fault> {
        (self.receiver, self.transmitter) = rings(memory)?;
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) {
        let [a, b, c, d, e, f] = settings.mac.0;
        self.vd.write32(vd::MACL, u32::from_le_bytes([a, b, c, d]));
        self.vd.write32(vd::MACH, u32::from_le_bytes([e, f, 0, 0]));
        self.receiver.set_longest(settings.mtu + HEADER + VLAN_TAG);
        self.shared.copy_from(shared::FEATURES, &upt_features(settings).to_le_bytes());
        self.command(Command::UpdateFeature);
        let filter = self.filter(settings);
        self.shared.copy_from(shared::FILTER, filter.as_bytes());
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
        self.receiver.take(budget, frames);
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
        let events = self.events();
        self.vd.write32(vd::ECR, events.bits());
        let mut causes = Causes::RECEIVE | Causes::TRANSMIT;
        causes.set(Causes::LINK, events.contains(Events::LINK));
        Ok(causes)
    }

    fn unmask(&mut self) -> bool {
        self.set_masked(false);
        self.receiver.has_news() || self.transmitter.has_news()
    }

    /// The device learns its level of moderation when it is started.
    fn needs_restart(&self, from: &Settings, to: &Settings) -> bool {
        from.coalesce != to.coalesce
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
        self.receiver.is_broken()
            || self.transmitter.is_broken()
            || self.events().intersects(Events::RQERR | Events::TQERR)
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        if self.running {
            self.command(Command::GetStats);
        }
        self.receiver.collect(statistics);
        self.counters.collect(&self.queues, statistics);
    }

    fn registers(&self) -> Vec<(&'static str, u32)> {
        let vd = [("VRRS", vd::VRRS), ("UVRS", vd::UVRS), ("MACL", vd::MACL), ("MACH", vd::MACH)];
        let shared = [("ECR", self.events().bits())];
        vd.into_iter().map(|(name, offset)| (name, self.vd.read32(offset))).chain(shared).collect()
    }
}

impl<R: Registers> Device<R> {
    /// Gives empty buffers to the device, which only some devices want to be told of.
    fn fill(&mut self) {
        self.receiver.fill();
        let wanted = self.queues.read_word(shared::QUEUE).is_some_and(|word| word & 0xff != 0);
        if wanted {
            let [heads, bodies] = self.receiver.tails();
            self.pt.write32(pt::RXPROD, heads as u32);
            self.pt.write32(pt::RXPROD2, bodies as u32);
        }
    }
}

/// What is offloaded of what is received.
fn upt_features(settings: &Settings) -> u64 {
    let takes_tags_off = settings.features.contains(Features::RX_VLAN);
    shared::F_RXCSUM | if takes_tags_off { shared::F_RXVLAN } else { 0 }
}

/// Empty rings in `memory`.
fn rings(Memory { arena, pools, rings }: Memory) -> Result<(Receiver, Transmitter), Fault> {
    let ring = |entries: u16| arena.allocate(usize::from(entries) * descriptors::SIZE, RING_ALIGNMENT);
    let receive = [ring(rings.receive)?, ring(BODY_RING)?];
    let receiver = Receiver::new(receive, ring(rings.receive + BODY_RING)?, pools.receive);
    Ok((receiver, Transmitter::new(ring(rings.transmit)?, ring(rings.transmit)?)))
}

/// The device is there.
fn present(vd: &impl Registers) -> Result<(), Fault> {
    if vd.read32(vd::VRRS) == u32::MAX { Err(Fault::Gone) } else { Ok(()) }
}

/// Stops both directions and all interrupts.
fn quiet(pt: &impl Registers, vd: &impl Registers) {
    pt.write32(pt::IMR, 1);
    vd.write32(vd::CMD, Command::QuiesceDev as u32);
    vd.write32(vd::CMD, Command::ResetDev as u32);
}

/// Resets the device, which is done when the command is written; it is quiet then.
fn reset(pt: &impl Registers, vd: &impl Registers) -> Result<(), Fault> {
    present(vd)?;
    quiet(pt, vd);
    present(vd)
}

/// Chooses revision 1 of what the register `offset` stands for.
fn speak(vd: &impl Registers, offset: usize, otherwise: &'static str) -> Result<(), Fault> {
    if vd.read32(offset) & REVISION_1 == 0 {
        return Err(Fault::Unusable(otherwise));
    }
    vd.write32(offset, REVISION_1);
    Ok(())
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
