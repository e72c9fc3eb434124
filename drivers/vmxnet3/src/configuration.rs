//! What the device is told by shared memory: queues, filters, offloads.

use hw::dma::{Arena, Region};
use nic::{Fault, Features, Settings};
use zerocopy::{FromZeros, IntoBytes};

use crate::receive::{MOST_JOINED, MOST_PIECES, Receiver};
use crate::registers::{Events, REVISION_1, RxMode};
use crate::shared::{self, DriverShared, QUEUES, RssConfiguration, RxFilterConfiguration, RxQueue, TxQueue};
use crate::spread;
use crate::transmit::Transmitter;

/// Where the parts of the shared memory begin.
const ALIGNMENT: usize = 512;

/// Bytes of [`DriverShared`], and of what newer revisions have behind it.
const SHARED: usize = 1024;

/// Groups of the multicast list. For more of them, all groups are let through.
const GROUPS: usize = 32;

/// Bytes of all descriptions of queues.
const DESCRIPTIONS: usize = shared::receive_queue(QUEUES);

/// Bytes of memory for all of it.
pub const MEMORY: usize = SHARED + DESCRIPTIONS + 6 * GROUPS + size_of::<RssConfiguration>() + 4 * ALIGNMENT;

/// `UPT1_IML_ADAPTIVE`: the device moderates interrupts as it sees fit; `UPT1_IML_NONE`: not at all.
const ADAPTIVE: u8 = 8;
const UNMODERATED: u8 = 0;

/// A guest of 64 bits that is none of those with a number.
const GUEST: u32 = 2;

/// The shared memory.
pub struct Configuration {
    shared: Region,
    /// The descriptions of the transmit queue and of the receive queues.
    pub queues: Region,
    multicast_list: Region,
    rss: Region,
}

impl Configuration {
    /// In memory of `arena`.
    pub fn new(arena: &Arena) -> Result<Self, Fault> {
        Ok(Self {
            shared: arena.allocate(SHARED, ALIGNMENT)?,
            queues: arena.allocate(DESCRIPTIONS, ALIGNMENT)?,
            multicast_list: arena.allocate(6 * GROUPS, ALIGNMENT)?,
            rss: arena.allocate(size_of::<RssConfiguration>(), ALIGNMENT)?,
        })
    }

    /// Where the device finds it.
    pub fn bus_address(&self) -> u64 {
        self.shared.bus_address()
    }

    /// Writes all of it, with queues whose interrupts come by so many `vectors` of which the device sends events by the
    /// first, so that frames up to `longest` pass.
    pub fn describe(
        &self,
        settings: &Settings,
        (transmitter, receivers): (&Transmitter, &[Receiver]),
        vectors: u16,
        longest: usize,
    ) {
        self.queues.copy_from(0, transmit_queue(transmitter).as_bytes());
        for (number, receiver) in receivers.iter().enumerate() {
            let vector = number % usize::from(vectors);
            let queue = receive_queue(receiver, vector as u8);
            self.queues.copy_from(shared::receive_queue(number), queue.as_bytes());
        }
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
        shared.mtu.set(longest as u32);
        let joins = settings.features.contains(Features::RX_JOINED);
        shared.max_num_rx_sg.set(if joins { MOST_JOINED } else { MOST_PIECES } as u16);
        (shared.num_tx_queues, shared.num_rx_queues) = (1, receivers.len() as u8);
        shared.interrupts.num_intrs = vectors as u8;
        shared.interrupts.mod_levels = [if settings.coalesce.adaptive { ADAPTIVE } else { UNMODERATED }; 25];
        shared.filter = self.filter(settings);
        shared.rss.version.set(1);
        shared.rss.length.set(self.rss.size() as u32);
        shared.rss.place.set(self.rss.bus_address());
        self.write_rss(settings);
        self.shared.copy_from(0, shared.as_bytes());
    }

    /// Writes what can change while the device runs, which is then to be told of it.
    pub fn update(&self, settings: &Settings) {
        self.shared.copy_from(shared::FEATURES, &upt_features(settings).to_le_bytes());
        let filter = self.filter(settings);
        self.shared.copy_from(shared::FILTER, filter.as_bytes());
        self.write_rss(settings);
    }

    /// What has happened, as the device says.
    pub fn events(&self) -> Events {
        Events::from_bits_retain(self.shared.read_u32(shared::ECR).unwrap_or_default())
    }

    /// The device wants to be told of new buffers of receive queue `queue`.
    pub fn wants_to_be_told(&self, queue: usize) -> bool {
        self.queues.read_word(shared::receive_queue(queue)).is_some_and(|word| word & 0xff != 0)
    }

    fn write_rss(&self, settings: &Settings) {
        if let Some(rss) = &settings.rss {
            self.rss.copy_from(0, spread::configuration(rss).as_bytes());
        }
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
}

fn transmit_queue(transmitter: &Transmitter) -> TxQueue {
    let [(ring, entries), (completions, completion_entries)] = transmitter.locations();
    let mut queue = TxQueue::new_zeroed();
    queue.tx_ring.set(ring);
    queue.tx_ring_size.set(entries);
    queue.comp_ring.set(completions);
    queue.comp_ring_size.set(completion_entries);
    queue
}

fn receive_queue(receiver: &Receiver, vector: u8) -> RxQueue {
    let [(heads, head_entries), (bodies, body_entries), (completions, completion_entries)] =
        receiver.locations();
    let mut queue = RxQueue::new_zeroed();
    queue.intr_idx = vector;
    queue.rx_ring = [heads.into(), bodies.into()];
    queue.rx_ring_size = [head_entries.into(), body_entries.into()];
    queue.comp_ring.set(completions);
    queue.comp_ring_size.set(completion_entries);
    queue
}

/// What is offloaded of what is received.
fn upt_features(settings: &Settings) -> u64 {
    let takes_tags_off = settings.features.contains(Features::RX_VLAN);
    let joins = settings.features.contains(Features::RX_JOINED);
    shared::F_RXCSUM
        | shared::F_RSS
        | if takes_tags_off { shared::F_RXVLAN } else { 0 }
        | if joins { shared::F_LRO } else { 0 }
}
