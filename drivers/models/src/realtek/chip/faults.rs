//! What can be wrong with a controller.

use std::collections::VecDeque;

/// What is wrong with the device.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Never interrupts.
    pub mute: bool,
    /// Its line is always up, whatever its causes are.
    pub stuck: bool,
    /// Takes frames and never sends them.
    pub hangs: bool,
    /// Of the frames that it sends to itself, it does not receive the first, so many.
    pub deaf: usize,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Writes this into receive descriptors, in place of the length and what it says of the frame.
    pub status: Option<u32>,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}
