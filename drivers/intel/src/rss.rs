//! Receive-side scaling (82576, 7.1.1.7; 82574, 7.1.11): registers and their contents.

use bitflags::bitflags;
use hw::Registers;
use nic::{Hashes, Rss};

/// Multiple receive queues command (82576, 8.10.14; 82574, 10.2.8.6).
pub const MRQC: usize = 0x5818;
/// Redirection table, 32 words of four entries (82576, 8.10.15).
pub const RETA: usize = 0x5c00;
/// Key of the hash, 10 words (82576, 8.10.16).
pub const RSSRK: usize = 0x5c80;

/// Entries of the redirection table.
pub const ENTRIES: u8 = 128;

bitflags! {
    /// MRQC. How it says that frames are spread differs from family to family.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mrqc: u32 {
        /// Hash TCP over IPv4.
        const TCP_IPV4 = 1 << 16;
        /// Hash IPv4.
        const IPV4 = 1 << 17;
        /// Hash IPv6.
        const IPV6 = 1 << 20;
        /// Hash TCP over IPv6, whatever extension headers are before it.
        const TCP_IPV6_EX = 1 << 18;
        /// Hash TCP over IPv6, with extension headers before it or without; the 82574 has the one for both.
        const TCP_IPV6 = 1 << 18 | 1 << 21;
        /// Hash UDP over IPv4; not in the 82574.
        const UDP_IPV4 = 1 << 22;
        /// Hash UDP over IPv6; not in the 82574.
        const UDP_IPV6 = 1 << 23;
        const _ = !0;
    }
}

/// The bits of each kind of packet.
const FIELDS: [(Hashes, Mrqc); 6] = [
    (Hashes::TCP4, Mrqc::TCP_IPV4),
    (Hashes::IP4, Mrqc::IPV4),
    (Hashes::UDP4, Mrqc::UDP_IPV4),
    (Hashes::TCP6, Mrqc::TCP_IPV6),
    (Hashes::IP6, Mrqc::IPV6),
    (Hashes::UDP6, Mrqc::UDP_IPV6),
];

/// Has frames spread as `rss` says, by a device whose MRQC has the `known` fields. `mode` stands there for that they are,
/// and queue n as `entry(n)` in the table.
pub fn write(registers: &impl Registers, rss: &Rss, mode: u32, known: Mrqc, entry: fn(u8) -> u8) {
    for (index, word) in rss.key.as_chunks().0.iter().enumerate() {
        registers.write32(RSSRK + 4 * index, u32::from_le_bytes(*word));
    }
    for (index, queues) in rss.table.as_chunks().0.iter().enumerate() {
        registers.write32(RETA + 4 * index, u32::from_le_bytes(queues.map(entry)));
    }
    let fields = FIELDS.into_iter().filter(|(hash, _)| rss.hashes.contains(*hash)).map(|(_, field)| field);
    registers.write32(MRQC, mode | (fields.collect::<Mrqc>() & known).bits());
}
