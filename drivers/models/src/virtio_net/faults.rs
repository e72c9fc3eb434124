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
    /// Never answers to commands.
    pub deaf: bool,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Does not agree to features that it offers.
    pub fickle: bool,
    /// Says that it has written so many bytes.
    pub length: Option<u32>,
    /// Says that it has used this chain.
    pub chain: Option<u32>,
    /// Begins the header of received frames with these, in place of its own: `flags`, `gso_type`.
    pub header: Option<[u8; 2]>,
    /// Names this many buffers in the header of received frames.
    pub num_buffers: Option<u16>,
    /// Has failed, and says so.
    pub failed: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}
