//! Legacy transmit descriptors.

use intel::descriptors::{Command, Transmit};

/// Length, checksum offset, command, status, checksum start, VLAN tag (8254x SDM, 3.3.3).
pub struct LegacyTransmit;

impl Transmit for LegacyTransmit {
    fn data(length: u16, _frame: usize, last: bool) -> u64 {
        Command::data(last).in_word() | u64::from(length)
    }
}
