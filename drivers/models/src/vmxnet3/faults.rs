//! What can be wrong with the device.

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
    /// Does not take its configuration.
    pub refuses: bool,
    /// Adds this to the indices that it reports.
    pub shift: u64,
    /// Writes these lengths, in place of the right one.
    pub length: Option<u16>,
    /// Says that a frame is damaged.
    pub damaged: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}
