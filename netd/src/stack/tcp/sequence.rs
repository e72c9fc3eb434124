//! Initial sequence numbers (RFC 6528 section 3).

use smoltcp::time::Instant;

use super::connection::Tuple;
use crate::stack::random::Random;

/// Microseconds between two ticks of the clock M.
const TICK: i64 = 4;

/// The initial sequence number of a connection that begins `now`. It is larger than that of an earlier one between the same
/// two ends, so that old segments fall out of the window, and says nothing of those between others.
pub fn initial(tuple: &Tuple, random: &Random, now: Instant) -> u32 {
    let clock = (now.total_micros() / TICK) as u32;
    clock.wrapping_add(random.keyed(tuple) as u32)
}
