//! The multicast hash: MAR0 to MAR7.

use std::collections::BTreeSet;

use nic::MacAddress;

/// The hash that lets all groups through.
pub const ALL: u64 = u64::MAX;

/// The hash that lets `groups` through, and whatever else falls on their bits.
pub fn multicast_hash(groups: &BTreeSet<MacAddress>) -> u64 {
    groups.iter().fold(0, |hash, group| hash | 1 << (crc(group.0) >> 26))
}

/// The CRC of IEEE 802.3 (3.2.9) in the order of transmission, not complemented.
fn crc(bytes: [u8; 6]) -> u32 {
    const POLYNOMIAL: u32 = 0x04c1_1db7;
    let bits = bytes.into_iter().flat_map(|byte| (0..8).map(move |bit| u32::from(byte >> bit & 1)));
    bits.fold(u32::MAX, |crc, bit| crc << 1 ^ if crc >> 31 == bit { 0 } else { POLYNOMIAL })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_six_bits_of_the_crc_choose_the_bit() {
        assert_eq!(multicast_hash(&BTreeSet::new()), 0);
        let all_systems = MacAddress([0x01, 0x00, 0x5e, 0x00, 0x00, 0x01]);
        assert_eq!(crc(all_systems.0), 0x7fa3_2d9b);
        assert_eq!(multicast_hash(&BTreeSet::from([all_systems])), 1 << 31);
    }
}
