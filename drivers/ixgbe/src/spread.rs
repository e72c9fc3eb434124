//! How received frames are spread over the queues (82599, 7.1.2.8).

use hw::Registers;
use intel::registers::{RXCSUM, Rxcsum};
use intel::rss::{self, Mrqc};
use nic::{Hashes, Rss, RssLimits};

use crate::chips::Generation;
use crate::registers::{ERETA, ERETA_WORDS};

/// Receive queues that are used, of 128: one driver serves them all.
pub const QUEUES: u8 = 4;

/// What can be set.
pub const LIMITS: RssLimits = RssLimits { queues: QUEUES, entries: rss::ENTRIES, hashes: Hashes::all() };

/// MRQC: RSS, and nothing else beside it (8.2.3.7.6).
const SPREAD: u32 = 1;

/// What MRQC knows: all but the hash of IPv6 with extension headers.
const HASHED: Mrqc = Mrqc::all().difference(Mrqc::TCP_IPV6_EX);

/// Has frames spread, by a device that was just reset: it cannot begin later, and has no room then for the checksum of
/// all of a packet.
pub fn begin(registers: &impl Registers) {
    registers.write32(RXCSUM, Rxcsum::PCSD.bits());
}

/// Has frames spread as `rss` says.
pub fn write(registers: &impl Registers, generation: Generation, rss: &Rss) {
    if generation == Generation::X550 {
        // Its table is longer. What is repeated there is found by the lowest bits of the hash alone, as in the others.
        let words = rss.table.as_chunks().0.iter().cycle().take(ERETA_WORDS);
        for (index, queues) in words.enumerate() {
            registers.write32(ERETA + 4 * index, u32::from_le_bytes(*queues));
        }
    }
    rss::write(registers, rss, SPREAD, HASHED, |queue| queue);
}
