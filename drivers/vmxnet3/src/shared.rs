//! The memory by which driver and device tell each other of queues and settings (`Vmxnet3_DriverShared` and what it
//! points to).

use nic::rss::KEY;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What begins the shared memory.
pub const MAGIC: u32 = 0xbabe_fee1;

/// Where [`DriverShared::upt_features`] stands.
pub const FEATURES: usize = 24;

/// Where [`DriverShared::filter`] stands.
pub const FILTER: usize = 120;

/// Where [`DriverShared::ecr`] stands.
pub const ECR: usize = 696;

/// Receive queues; each is described behind the one transmit queue.
pub const QUEUES: usize = 4;

/// Bytes of a queue's description.
pub const QUEUE: usize = 256;

/// Where a receive queue's description stands among all.
pub const fn receive_queue(queue: usize) -> usize {
    QUEUE * (1 + queue)
}

/// Where a queue's statistics begin in its description.
pub const STATISTICS: usize = 88;

/// Bits of the VLAN filter, all set: tagged frames pass like others.
const EVERY_VLAN: [U32; 128] = [U32::MAX_VALUE; 128];

/// `UPT1_F_RXCSUM`: verify checksums of what is received.
pub const F_RXCSUM: u64 = 1;

/// `UPT1_F_RSS`: spread what is received over the queues.
pub const F_RSS: u64 = 2;

/// `UPT1_F_RXVLAN`: take tags off what is received.
pub const F_RXVLAN: u64 = 4;

/// `UPT1_F_LRO`: join segments that are received.
pub const F_LRO: u64 = 8;

/// The VLAN filter that lets frames of `vlans` pass, or all of them. Frames without a tag are of VLAN 0.
pub fn vlan_table(vlans: Option<impl Iterator<Item = u16>>) -> [U32; 128] {
    let Some(vlans) = vlans else { return EVERY_VLAN };
    let mut table = [U32::ZERO; 128];
    for vlan in vlans {
        if let Some(word) = table.get_mut(usize::from(vlan / 32)) {
            word.set(word.get() | 1 << (vlan % 32));
        }
    }
    table
}

/// `Vmxnet3_DriverShared`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DriverShared {
    /// [`MAGIC`].
    pub magic: U32,
    pad: U32,
    /// Who the driver is.
    pub driver: DriverInfo,
    /// What is offloaded.
    pub upt_features: U64,
    /// Memory of the driver's own that the device may remember.
    pub driver_data: U64,
    /// Descriptions of the transmit queues, and behind them of the receive queues.
    pub queue_desc: U64,
    /// Bytes of the driver's own memory.
    pub driver_data_len: U32,
    /// Bytes of the descriptions.
    pub queue_desc_len: U32,
    /// MTU.
    pub mtu: U32,
    /// Buffers of a received frame, at most.
    pub max_num_rx_sg: U16,
    /// Transmit queues.
    pub num_tx_queues: u8,
    /// Receive queues.
    pub num_rx_queues: u8,
    reserved: [U32; 4],
    /// Interrupts.
    pub interrupts: InterruptConfiguration,
    /// Filters.
    pub filter: RxFilterConfiguration,
    /// RSS.
    pub rss: ConfigurationPlace,
    /// Power management and plug-in configuration, of which there is none.
    unused: [ConfigurationPlace; 2],
    /// Event causes, the device's.
    pub ecr: U32,
    reserved_end: [U32; 5],
}

/// `Vmxnet3_DriverInfo`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DriverInfo {
    /// The driver's version.
    pub version: U32,
    /// The guest's kind: bits 0 and 1 are 2 for 64 bits, bits 2 to 5 its family.
    pub gos: U32,
    /// The revision that the driver speaks.
    pub vmxnet3_rev_spt: U32,
    /// The same for queues.
    pub upt_ver_spt: U32,
}

/// `Vmxnet3_IntrConf`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct InterruptConfiguration {
    /// An interrupt masks itself.
    pub auto_mask: u8,
    /// Vectors.
    pub num_intrs: u8,
    /// The vector for events.
    pub event_intr_idx: u8,
    /// How each vector is moderated; 8 is adaptive.
    pub mod_levels: [u8; 25],
    /// Bit 0 masks all vectors.
    pub intr_ctrl: U32,
    reserved: [U32; 2],
}

/// `Vmxnet3_RxFilterConf`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RxFilterConfiguration {
    /// [`RxMode`](crate::registers::RxMode).
    pub rx_mode: U32,
    /// Bytes of the multicast list.
    pub mf_table_len: U16,
    pad: U16,
    /// Where the multicast list stands: addresses of 6 bytes.
    pub mf_table: U64,
    /// A bit for each VLAN id.
    pub vf_table: [U32; 128],
}

/// `Vmxnet3_VariableLenConfDesc`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ConfigurationPlace {
    /// Its version, which is 1.
    pub version: U32,
    /// Bytes.
    pub length: U32,
    /// Where it stands.
    pub place: U64,
}

/// Entries of the table of RSS (`UPT1_RSS_MAX_IND_TABLE_SIZE`).
pub const RSS_ENTRIES: usize = 128;

/// `UPT1_RSSConf`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RssConfiguration {
    /// What is hashed: [`HashTypes`](crate::registers::HashTypes).
    pub hash_type: U16,
    /// How: [`HASH_TOEPLITZ`].
    pub hash_func: U16,
    /// Bytes of the key.
    pub hash_key_size: U16,
    /// Entries of the table.
    pub ind_table_size: U16,
    /// The key.
    pub hash_key: [u8; KEY],
    /// The queue of a packet, by the lowest bits of its hash.
    pub ind_table: [u8; RSS_ENTRIES],
}

/// `UPT1_RSS_HASH_FUNC_TOEPLITZ`.
pub const HASH_TOEPLITZ: u16 = 1;

/// `Vmxnet3_TxQueueDesc` up to its statistics.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TxQueue {
    /// Frames given since the device was last told.
    pub num_deferred: U32,
    /// At how many it wants to be told.
    pub threshold: U32,
    reserved: U64,
    /// Where the ring stands.
    pub tx_ring: U64,
    /// A ring for headers; there is none.
    pub data_ring: U64,
    /// Where the completion ring stands.
    pub comp_ring: U64,
    /// The driver's own memory.
    driver_data: [U64; 2],
    /// Entries.
    pub tx_ring_size: U32,
    /// Entries.
    pub data_ring_size: U32,
    /// Entries.
    pub comp_ring_size: U32,
    driver_data_len: U32,
    /// The vector for this queue.
    pub intr_idx: u8,
    pad: [u8; 7],
    /// `stopped` and `error`.
    pub status: [U32; 2],
}

/// `Vmxnet3_RxQueueDesc` up to its statistics.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RxQueue {
    /// The device wants to be told of new buffers.
    pub update_rx_prod: u8,
    pad: [u8; 7],
    reserved: U64,
    /// Where the two rings stand.
    pub rx_ring: [U64; 2],
    /// Where the completion ring stands.
    pub comp_ring: U64,
    /// The driver's own memory.
    driver_data: [U64; 2],
    /// Entries.
    pub rx_ring_size: [U32; 2],
    /// Entries.
    pub comp_ring_size: U32,
    driver_data_len: U32,
    /// The vector for this queue.
    pub intr_idx: u8,
    pad_end: [u8; 7],
    /// `stopped` and `error`.
    pub status: [U32; 2],
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use super::*;

    #[test]
    fn the_layouts_are_those_of_the_header() {
        assert_eq!(offset_of!(DriverShared, interrupts), 80);
        assert_eq!(offset_of!(DriverShared, upt_features), FEATURES);
        assert_eq!(offset_of!(DriverShared, filter), FILTER);
        assert_eq!(offset_of!(DriverShared, ecr), ECR);
        assert_eq!(offset_of!(DriverShared, rss), 648);
        assert_eq!(size_of::<RssConfiguration>(), 176);
        assert_eq!(size_of::<DriverShared>(), 720);
        assert_eq!((size_of::<TxQueue>(), size_of::<RxQueue>()), (STATISTICS, STATISTICS));
    }
}
