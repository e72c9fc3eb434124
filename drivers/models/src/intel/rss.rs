//! How a controller spreads received frames, by its registers.

use intel::registers::{self as reg, Rxcsum};
use intel::rss::{self, Mrqc};

use super::controller::{Controller, Kind};
use crate::flows;

/// The queue of a frame by RSS: what MRQC has hashed, and by `entry` what the table says.
pub fn queue<K: Kind>(card: &Controller<K>, frame: &[u8], entry: fn(u8) -> u16) -> u16 {
    let mrqc = Mrqc::from_bits_retain(card.register(rss::MRQC));
    if mrqc.bits() & 3 == 0 || card.register(reg::RXCSUM) & Rxcsum::PCSD.bits() == 0 {
        return 0;
    }
    let with_ports = |is_tcp, is_v6| {
        mrqc.contains(match (is_tcp, is_v6) {
            (true, false) => Mrqc::TCP_IPV4,
            (false, false) => Mrqc::UDP_IPV4,
            (true, true) => Mrqc::TCP_IPV6,
            (false, true) => Mrqc::UDP_IPV6,
        })
    };
    let key = Vec::from_iter((0..10).flat_map(|word| card.register(rss::RSSRK + 4 * word).to_le_bytes()));
    let Some(input) = flows::hashed(frame, with_ports) else { return 0 };
    let by_address = if input.len() < 32 { Mrqc::IPV4 } else { Mrqc::IPV6 };
    if matches!(input.len(), 8 | 32) && !mrqc.contains(by_address) {
        return 0;
    }
    let at = flows::toeplitz(&key, &input) as usize % usize::from(rss::ENTRIES);
    entry(card.register(rss::RETA + at / 4 * 4).to_le_bytes()[at % 4])
}
