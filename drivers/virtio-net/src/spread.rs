//! How received frames are spread over several receive virtqueues (virtio 1.2, 5.1.6.5.5 and 5.1.6.5.7).

use hw::Registers;
use nic::rss::KEY;
use nic::{Hashes, Rss, RssLimits};

use crate::registers::{Features, command, hash_types, net};
use crate::transport::Transport;

/// Pairs of virtqueues that are used, of those that a device has.
pub const MOST_PAIRS: u16 = 4;

/// Entries of the table, which every device with RSS can have (5.1.4.1).
const ENTRIES: u8 = 128;

/// The device's name for each kind of packet.
const TYPES: [(Hashes, u32); 6] = [
    (Hashes::IP4, hash_types::IP4),
    (Hashes::TCP4, hash_types::TCP4),
    (Hashes::UDP4, hash_types::UDP4),
    (Hashes::IP6, hash_types::IP6),
    (Hashes::TCP6, hash_types::TCP6),
    (Hashes::UDP6, hash_types::UDP6),
];

/// The pairs that a device has, of which there are several where VIRTIO_NET_F_MQ or VIRTIO_NET_F_RSS is negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// How many the device has.
    pub there: u16,
    /// How many of them are used.
    pub used: u16,
}

impl Pairs {
    /// One, as every device has.
    pub const ONE: Self = Self { there: 1, used: 1 };
}

/// The pairs of the device, and how it can spread frames over them, by what of `features` holds. What cannot be used is
/// taken out of those.
pub fn negotiate<R: Registers>(
    transport: &Transport<R>,
    features: &mut Features,
) -> (Pairs, Option<RssLimits>) {
    // Read once: the device may say something else the next time.
    let there = transport.config16(net::MAX_VIRTQUEUE_PAIRS);
    let has_field = transport.config_size() >= net::MAX_VIRTQUEUE_PAIRS + 2;
    // Numbers of virtqueues have 16 bits.
    let is_possible = has_field && (2..=u16::MAX / 2).contains(&there);
    if !features.intersects(Features::MQ | Features::RSS) || !is_possible {
        features.remove(Features::MQ | Features::RSS);
        return (Pairs::ONE, None);
    }
    let pairs = Pairs { there, used: there.min(MOST_PAIRS) };
    let limits = limits(transport, pairs).filter(|_| features.contains(Features::RSS));
    if limits.is_none() {
        features.remove(Features::RSS);
    }
    if features.contains(Features::MQ) || limits.is_some() { (pairs, limits) } else { (Pairs::ONE, None) }
}

/// How far a device with RSS can spread frames; `None` if it can do less than every such device.
fn limits<R: Registers>(transport: &Transport<R>, pairs: Pairs) -> Option<RssLimits> {
    if transport.config_size() < net::SUPPORTED_HASH_TYPES + 4 {
        return None;
    }
    let is_enough = usize::from(transport.config8(net::RSS_MAX_KEY_SIZE)) >= KEY
        && transport.config16(net::RSS_MAX_INDIRECTION_TABLE_LENGTH) >= ENTRIES.into();
    let known = transport.config32(net::SUPPORTED_HASH_TYPES);
    let hashes = TYPES.into_iter().filter(|(_, kind)| known & kind != 0).map(|(hash, _)| hash).collect();
    let limits = RssLimits { queues: pairs.used as u8, entries: ENTRIES, hashes };
    is_enough.then_some(limits)
}

/// The command by which frames are spread: as `rss` says where that was negotiated, and as the device likes where several
/// pairs were.
pub fn command(features: Features, rss: Option<&Rss>, pairs: Pairs) -> Option<Vec<u8>> {
    let used = pairs.used.to_le_bytes();
    match rss {
        Some(rss) if features.contains(Features::RSS) => {
            Some([command::MQ_RSS_CONFIG.as_slice(), &configuration(rss, used)].concat())
        }
        _ if features.contains(Features::MQ) => Some([command::MQ_VQ_PAIRS_SET.as_slice(), &used].concat()),
        _ => None,
    }
}

/// `struct virtio_net_rss_config`. What is not hashed goes to the first receive virtqueue. Of transmit virtqueues the driver
/// uses one, and names as many as of the others: QEMU enables them by pairs.
fn configuration(rss: &Rss, transmit_queues: [u8; 2]) -> Vec<u8> {
    let kinds = TYPES.into_iter().filter(|(hash, _)| rss.hashes.contains(*hash)).map(|(_, kind)| kind);
    let hash_types = kinds.fold(0, |all, kind| all | kind);
    let mask = rss.table.len().saturating_sub(1) as u16;
    let unclassified_queue = 0u16;
    let table: Vec<u8> = rss.table.iter().flat_map(|queue| u16::from(*queue).to_le_bytes()).collect();
    [
        &hash_types.to_le_bytes()[..],
        &mask.to_le_bytes(),
        &unclassified_queue.to_le_bytes(),
        &table,
        &transmit_queues,
        &[KEY as u8],
        &rss.key,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: Pairs = Pairs { there: 8, used: 4 };

    #[test]
    fn the_device_is_told_key_table_and_kinds() {
        let rss = Rss { key: [7; KEY], table: vec![0, 3], hashes: Hashes::TCP4 | Hashes::UDP6 };
        let bytes = [&[4, 1, 0x22, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 4, 0, 40][..], &[7; KEY]].concat();
        assert_eq!(command(Features::RSS | Features::MQ, Some(&rss), PAIRS), Some(bytes));
    }

    #[test]
    fn without_rss_it_is_told_how_many_pairs_are_used() {
        assert_eq!(command(Features::MQ, None, PAIRS), Some(vec![4, 0, 4, 0]));
        assert_eq!(command(Features::CTRL_VQ, None, PAIRS), None);
    }
}
