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
    /// Of the frames that it sends to itself, it does not receive the first, so many.
    pub deaf: usize,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Never has read its EEPROM.
    pub endless_eeprom: bool,
    /// Writes this length into receive descriptors.
    pub length: Option<u16>,
    /// Writes these errors there, from bit 20 on.
    pub errors: u64,
    /// Never marks the end of a packet.
    pub endless_packet: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}
