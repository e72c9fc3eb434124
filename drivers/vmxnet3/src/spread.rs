//! How received frames are spread over the queues (`UPT1_RSSConf`).

use nic::rss::KEY;
use nic::{Hashes, Rss, RssLimits};
use zerocopy::FromZeros;

use crate::registers::HashTypes;
use crate::shared::{HASH_TOEPLITZ, QUEUES, RSS_ENTRIES, RssConfiguration};

/// How far the device spreads frames. It does not hash UDP's ports: the first revision has no name for that.
pub const LIMITS: RssLimits = RssLimits {
    queues: QUEUES as u8,
    entries: RSS_ENTRIES as u8,
    hashes: Hashes::IP4.union(Hashes::TCP4).union(Hashes::IP6).union(Hashes::TCP6),
};

/// The device's name for each kind of packet.
const TYPES: [(Hashes, HashTypes); 4] = [
    (Hashes::IP4, HashTypes::IPV4),
    (Hashes::TCP4, HashTypes::TCP_IPV4),
    (Hashes::IP6, HashTypes::IPV6),
    (Hashes::TCP6, HashTypes::TCP_IPV6),
];

/// What the device is told of `rss`.
pub fn configuration(rss: &Rss) -> RssConfiguration {
    let types = TYPES.into_iter().filter(|(hash, _)| rss.hashes.contains(*hash)).map(|(_, kind)| kind);
    let mut configuration = RssConfiguration::new_zeroed();
    configuration.hash_type.set(types.collect::<HashTypes>().bits());
    configuration.hash_func.set(HASH_TOEPLITZ);
    configuration.hash_key_size.set(KEY as u16);
    configuration.ind_table_size.set(RSS_ENTRIES as u16);
    configuration.hash_key = rss.key;
    configuration.ind_table.iter_mut().zip(&rss.table).for_each(|(entry, queue)| *entry = *queue);
    configuration
}
