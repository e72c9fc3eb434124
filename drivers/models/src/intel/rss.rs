//! How a controller spreads received frames, by its registers.

use intel::registers::{self as reg, Rxcsum};
use intel::rss::{self, Mrqc};

use super::register_file::RegisterFile;
use crate::flows;

/// The entry of the table by which a frame finds its queue: its hash says which, of what MRQC has hashed. `None` if it is
/// not hashed.
pub fn entry(registers: &RegisterFile, frame: &[u8]) -> Option<u8> {
    let at = hash(registers, frame)? as usize % usize::from(rss::ENTRIES);
    Some(registers.get(rss::RETA + at / 4 * 4).to_le_bytes()[at % 4])
}

/// The hash of a frame.
pub fn hash(registers: &RegisterFile, frame: &[u8]) -> Option<u32> {
    let mrqc = Mrqc::from_bits_retain(registers.get(rss::MRQC));
    if mrqc.bits() & 3 == 0 || registers.get(reg::RXCSUM) & Rxcsum::PCSD.bits() == 0 {
        return None;
    }
    let with_ports = |is_tcp, is_v6| {
        mrqc.intersects(match (is_tcp, is_v6) {
            (true, false) => Mrqc::TCP_IPV4,
            (false, false) => Mrqc::UDP_IPV4,
            (true, true) => Mrqc::TCP_IPV6,
            (false, true) => Mrqc::UDP_IPV6,
        })
    };
    let key = Vec::from_iter((0..10).flat_map(|word| registers.get(rss::RSSRK + 4 * word).to_le_bytes()));
    let input = flows::hashed(frame, with_ports)?;
    let by_address = if input.len() < 32 { Mrqc::IPV4 } else { Mrqc::IPV6 };
    let is_hashed = !matches!(input.len(), 8 | 32) || mrqc.contains(by_address);
    is_hashed.then(|| flows::toeplitz(&key, &input))
}
