//! How the device spreads received frames over its queues.

use vmxnet3::registers::HashTypes;
use vmxnet3::shared::{HASH_TOEPLITZ, RssConfiguration};

use crate::flows::{hashed, toeplitz};

/// The queue of a frame. Ports are not hashed but TCP's.
pub fn queue(rss: &RssConfiguration, frame: &[u8]) -> usize {
    assert_eq!((rss.hash_func.get(), rss.hash_key_size.get()), (HASH_TOEPLITZ, 40));
    let types = HashTypes::from_bits_retain(rss.hash_type.get());
    let with_ports = |is_tcp: bool, is_v6: bool| {
        is_tcp && types.contains(if is_v6 { HashTypes::TCP_IPV6 } else { HashTypes::TCP_IPV4 })
    };
    let Some(input) = hashed(frame, with_ports) else { return 0 };
    let by_address = if input.len() < 32 { HashTypes::IPV4 } else { HashTypes::IPV6 };
    if matches!(input.len(), 8 | 32) && !types.contains(by_address) {
        return 0;
    }
    let at = toeplitz(&rss.hash_key, &input) as usize % usize::from(rss.ind_table_size.get());
    rss.ind_table[at].into()
}
