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
    /// Its PHY does not answer.
    pub mute_phy: bool,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Writes this length into receive descriptors.
    pub length: Option<u16>,
    /// Never marks the end of a packet.
    pub endless_packet: bool,
    /// Lets nobody read its EEPROM.
    pub no_eerd: bool,
    /// Does not load its address from its EEPROM by itself.
    pub loads_no_address: bool,
    /// Does not clear counters that are read, as QEMU's.
    pub keeps_counters: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}
