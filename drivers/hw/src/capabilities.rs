//! The capability list of a function (PCI Local Bus Specification 3.0, section 6.7).

use pci_types::{ConfigRegionAccess, PciAddress};

use crate::PciFunction;

/// Status register, bit 4: there is a list.
const CAPABILITIES_LIST: u32 = 1 << (16 + 4);

/// The first byte after the predefined header; capabilities lie behind it.
const FIRST: u16 = 0x40;

/// How many capabilities of 4 bytes the 256 bytes have room for.
const MOST: usize = (0x100 - FIRST as usize) / 4;

/// One entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Capability id: 1 is power management, 5 MSI, 9 the vendor's own, 0x10 PCI Express, 0x11 MSI-X.
    pub id: u8,
    /// Offset in configuration space, a multiple of 4.
    pub offset: u16,
}

/// The capabilities of `function` in the order of its list.
///
/// The list ends early where the device has broken it: at a pointer into the header, at a device that is gone
/// (all ones), and after as many entries as there is room for.
pub fn capabilities<F: PciFunction>(function: &F) -> impl Iterator<Item = Capability> {
    walk(function.config(), function.location())
}

/// The 32-bit word number `index` of `capability`, from its header (0) on. All ones outside the 256 bytes that every
/// function has.
pub fn capability_word<F: PciFunction>(function: &F, capability: Capability, index: u16) -> u32 {
    let offset = index.checked_mul(4).and_then(|distance| capability.offset.checked_add(distance));
    match offset {
        Some(offset @ FIRST..0x100) if offset.is_multiple_of(4) => {
            // SAFETY: the offset is a multiple of 4 inside the 256 bytes, and behind the header, where reading
            // has no side effect.
            unsafe { function.config().read(function.location(), offset) }
        }
        _ => u32::MAX,
    }
}

/// The capabilities of the function at `location`, whose configuration space `config` is.
pub(crate) fn walk<C: ConfigRegionAccess>(
    config: &C,
    location: PciAddress,
) -> impl Iterator<Item = Capability> {
    // SAFETY: the offsets are multiples of 4 inside the 256 bytes that every function has, and reading
    // configuration space here has no side effect.
    let read = move |offset: u16| unsafe { config.read(location, offset) };
    let first = if read(0x04) & CAPABILITIES_LIST == 0 { 0 } else { read(0x34) };
    let mut next = place(first);
    std::iter::from_fn(move || {
        let offset = next?;
        let header = read(offset);
        next = place(header >> 8);
        (header != u32::MAX).then_some(Capability { id: header as u8, offset })
    })
    .take(MOST)
}

/// Where a pointer (bits 7:2; bits 1:0 are reserved) leads.
fn place(pointer: u32) -> Option<u16> {
    let offset = (pointer & 0xfc) as u16;
    (offset >= FIRST).then_some(offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Space([u8; 256]);

    impl ConfigRegionAccess for Space {
        unsafe fn read(&self, _address: PciAddress, offset: u16) -> u32 {
            assert!(offset.is_multiple_of(4) && offset < 256);
            let bytes = self.0[usize::from(offset)..].first_chunk().unwrap();
            u32::from_le_bytes(*bytes)
        }

        unsafe fn write(&self, _address: PciAddress, _offset: u16, _value: u32) {
            panic!("the list is only read");
        }
    }

    fn list(space: &Space) -> Vec<(u8, u16)> {
        walk(space, PciAddress::default()).map(|capability| (capability.id, capability.offset)).collect()
    }

    fn space(first: u8, entries: &[(usize, [u8; 2])]) -> Space {
        let mut bytes = [0; 256];
        bytes[0x06] = 0x10;
        bytes[0x34] = first;
        for (offset, entry) in entries {
            bytes[*offset..offset + 2].copy_from_slice(entry);
        }
        Space(bytes)
    }

    #[test]
    fn the_list_is_followed_to_its_end() {
        let e1000e = space(
            0xc8,
            &[(0xc8, [0x01, 0xd0]), (0xd0, [0x05, 0xe0]), (0xe0, [0x10, 0xa2]), (0xa0, [0x11, 0])],
        );
        assert_eq!(list(&e1000e), [(0x01, 0xc8), (0x05, 0xd0), (0x10, 0xe0), (0x11, 0xa0)]);
    }

    #[test]
    fn without_the_status_bit_there_is_no_list() {
        let mut none = space(0x40, &[(0x40, [0x05, 0])]);
        none.0[0x06] = 0;
        assert_eq!(list(&none), []);
    }

    #[test]
    fn broken_lists_end() {
        assert_eq!(list(&space(0x40, &[(0x40, [5, 0x40])])).len(), MOST, "a loop");
        assert_eq!(list(&space(0x08, &[])), [], "into the header");
        assert_eq!(list(&space(0x40, &[(0x40, [5, 0x3c])])), [(5, 0x40)]);
        assert_eq!(list(&Space([0xff; 256])), [], "the device is gone");
    }

    proptest! {
        #[test]
        fn no_configuration_space_leads_astray(bytes: [u8; 256]) {
            for (_, offset) in list(&Space(bytes)) {
                prop_assert!(offset >= FIRST && offset.is_multiple_of(4));
            }
        }
    }
}
