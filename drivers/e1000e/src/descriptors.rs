//! Extended transmit descriptors.

use intel::descriptors::{Command, Transmit};

/// DTYP, the kind of descriptor, of those with data.
const DATA: u64 = 1 << 20;

/// Length (DTALEN, 20 bits), DTYP (4 bits), command, status, options, VLAN tag (82574, 7.2.10).
pub struct ExtendedTransmit;

impl Transmit for ExtendedTransmit {
    fn data(length: u16, _frame: usize, last: bool) -> u64 {
        (Command::data(last) | Command::DEXT).in_word() | DATA | u64::from(length)
    }
}
