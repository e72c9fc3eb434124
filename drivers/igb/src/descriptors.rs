//! Advanced transmit descriptors.

use intel::descriptors::{Command, Transmit};

/// DTYP, the kind of descriptor, of those with data.
const DATA: u64 = 3 << 20;

/// Where PAYLEN is.
const PAYLEN: u32 = 46;

/// Length (DTALEN, 16 bits), DTYP (from bit 20 on), command, status, options, length of the frame (82576, 7.2.2.3).
pub struct AdvancedTransmit;

impl Transmit for AdvancedTransmit {
    fn data(length: u16, frame: usize, last: bool) -> u64 {
        (Command::data(last) | Command::DEXT).in_word() | (frame as u64) << PAYLEN | DATA | u64::from(length)
    }
}
