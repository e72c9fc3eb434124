//! The memory of rings, and the sizes that they can have.

use nic::{Fault, Memory, RingLimits, Rings, Step};

use crate::descriptors::{self, Receive, Transmit};
use crate::receive::Receiver;
use crate::transmit::Transmitter;

/// Rings begin at a multiple of 128 at most (82576, 8.10.5); pages keep them apart.
const ALIGNMENT: usize = 4096;

/// A ring's length is a multiple of 128 bytes (13.4.27), and holds a few frames of the longest kind at least. The most
/// is what the devices of all families take.
pub const LIMITS: RingLimits = RingLimits {
    initial: Rings::both(256),
    least: Rings::both(64),
    most: Rings::both(4096),
    step: Step::MultipleOf(8),
};

/// Bytes that rings of these sizes take.
pub(crate) fn memory(rings: Rings) -> usize {
    bytes(rings.receive) + bytes(rings.transmit) + 2 * ALIGNMENT
}

/// Empty rings in `memory`.
pub fn rings<A: Receive, B: Transmit>(
    Memory { arena, pools, rings }: Memory,
) -> Result<(Receiver<A>, Transmitter<B>), Fault> {
    let ring = |entries| arena.allocate(bytes(entries), ALIGNMENT);
    Ok((Receiver::new(ring(rings.receive)?, pools.receive), Transmitter::new(ring(rings.transmit)?)))
}

fn bytes(entries: u16) -> usize {
    usize::from(entries) * descriptors::SIZE
}
