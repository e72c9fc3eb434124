//! The tables of the filters for groups (8254x SDM, 13.5.1) and for VLANs (13.5.4).

use std::collections::BTreeSet;

use nic::MacAddress;

use crate::registers::{MTA_WORDS, VFTA_WORDS};

/// The table that lets `groups` through, and whatever else has the same hash.
pub fn multicast_table(groups: &BTreeSet<MacAddress>) -> [u32; MTA_WORDS] {
    let mut table = [0; MTA_WORDS];
    for &group in groups {
        let hash = hash(group);
        if let Some(word) = table.get_mut(hash / 32) {
            *word |= 1 << (hash % 32);
        }
    }
    table
}

/// The table that lets frames of `vlans` through.
pub fn vlan_table(vlans: impl Iterator<Item = u16>) -> [u32; VFTA_WORDS] {
    let mut table = [0; VFTA_WORDS];
    for vlan in vlans {
        if let Some(word) = table.get_mut(usize::from(vlan / 32)) {
            *word |= 1 << (vlan % 32);
        }
    }
    table
}

/// The address's last 12 bits in the order of transmission (RCTL.MO = 0: bits 47 to 36).
fn hash(group: MacAddress) -> usize {
    let [.., fifth, sixth] = group.0;
    usize::from(fifth >> 4) | usize::from(sixth) << 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_selects_the_bit_of_its_last_twelve_bits() {
        let group = MacAddress([0x01, 0xaa, 0x00, 0x12, 0x34, 0x56]);
        assert_eq!(hash(group), 0x563);
        let table = multicast_table(&BTreeSet::from([group]));
        assert_eq!(table[0x563 / 32], 1 << (0x563 % 32));
        assert_eq!(table.iter().map(|word| word.count_ones()).sum::<u32>(), 1);
    }
}
