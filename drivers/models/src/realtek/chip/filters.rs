//! Which frames from the wire are for the driver.

use realtek::registers::{self as reg, Accept};

use super::{Chip, Kind};

impl<K: Kind> Chip<K> {
    /// Whether the filters let a frame through.
    pub(super) fn accepts(&self, frame: &[u8]) -> bool {
        let accept = Accept::from_bits_retain(self.get(reg::RCR, 4));
        let Some(destination) = frame.get(..6) else { return false };
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => accept.contains(Accept::AB),
            [first, ..] if first & 1 != 0 => {
                accept.contains(Accept::AM) && K::is_in_hash(self, crc(destination))
            }
            _ => {
                accept.contains(Accept::AAP)
                    || accept.contains(Accept::APM) && destination == &self.bytes[..6]
            }
        }
    }
}

/// The CRC of an address in the order of transmission, of which the upper six bits choose a bit of MAR0 to MAR7.
fn crc(destination: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in destination {
        for bit in 0..8 {
            let carry = crc >> 31 ^ u32::from(byte >> bit & 1);
            crc = crc << 1 ^ if carry == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    crc
}
