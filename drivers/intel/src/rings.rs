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

/// Bytes that so many receive rings and a transmit ring of these sizes take.
pub fn memory<const QUEUES: usize>(rings: Rings) -> usize {
    QUEUES * (bytes(rings.receive) + ALIGNMENT) + bytes(rings.transmit) + ALIGNMENT
}

/// An empty receive ring in `memory`.
pub fn receiver<D: Receive>(memory: &Memory) -> Result<Receiver<D>, Fault> {
    let ring = memory.arena.allocate(bytes(memory.rings.receive), ALIGNMENT)?;
    Ok(Receiver::new(ring, memory.pools.receive.clone()))
}

/// An empty transmit ring in `memory`.
pub fn transmitter<D: Transmit>(memory: &Memory) -> Result<Transmitter<D>, Fault> {
    Ok(Transmitter::new(memory.arena.allocate(bytes(memory.rings.transmit), ALIGNMENT)?))
}

fn bytes(entries: u16) -> usize {
    usize::from(entries) * descriptors::SIZE
}
