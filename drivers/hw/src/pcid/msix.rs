//! The MSI-X table (PCI Local Bus Specification 3.0, section 6.8.2.6 and following).

use super::message::MsixInfo;
use crate::Registers;

/// Size of an entry in bytes.
const ENTRY: usize = 16;
/// Message Address, Message Upper Address, Message Data and Vector Control in an entry.
const ADDRESS: usize = 0x0;
const UPPER_ADDRESS: usize = 0x4;
const DATA: usize = 0x8;
const VECTOR_CONTROL: usize = 0xc;
/// Mask Bit of Vector Control.
const MASKED: u32 = 1;

/// The table of one function, in the registers of the BAR that holds it.
pub struct MsixTable<R> {
    registers: R,
    offset: usize,
    entries: u16,
}

impl<R: Registers> MsixTable<R> {
    /// The table that `info` describes, all of it masked; `None` if it reaches outside the BAR.
    pub fn new(registers: R, info: MsixInfo) -> Option<Self> {
        let offset = usize::try_from(info.table_offset).ok().filter(|offset| offset.is_multiple_of(8))?;
        let end = offset.checked_add(usize::from(info.table_size) * ENTRY)?;
        if end > registers.size() {
            return None;
        }
        let table = Self { registers, offset, entries: info.table_size };
        table.mask_all();
        Some(table)
    }

    /// Lets entry `entry` send `data` to `address`; `false` if there is no such entry.
    pub fn set(&self, entry: u16, address: u64, data: u32) -> bool {
        if entry >= self.entries {
            return false;
        }
        let base = self.offset + usize::from(entry) * ENTRY;
        self.registers.write32(base + ADDRESS, address as u32);
        self.registers.write32(base + UPPER_ADDRESS, (address >> 32) as u32);
        self.registers.write32(base + DATA, data);
        self.registers.write32(base + VECTOR_CONTROL, 0);
        true
    }

    /// Where entry `entry` sends what: address and data.
    pub fn message(&self, entry: u16) -> Option<(u64, u32)> {
        let base = self.offset + usize::from(entry) * ENTRY;
        let [low, high, data] = [ADDRESS, UPPER_ADDRESS, DATA].map(|field| base + field);
        let read = |at| self.registers.read32(at);
        (entry < self.entries).then(|| (u64::from(read(high)) << 32 | u64::from(read(low)), read(data)))
    }

    /// Stops every entry.
    pub fn mask_all(&self) {
        for entry in 0..usize::from(self.entries) {
            self.registers.write32(self.offset + entry * ENTRY + VECTOR_CONTROL, MASKED);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;
    use crate::mmio::Mmio;

    fn bar() -> Mmio<Vec<u64>> {
        let mut words = vec![0; 16];
        let base = NonNull::from(words.as_mut_slice()).cast();
        // SAFETY: the words are on the heap, aligned, and owned by the window from here on.
        unsafe { Mmio::new(base, 128, words) }
    }

    fn info(table_offset: u32, table_size: u16) -> MsixInfo {
        MsixInfo { table_bar: 0, table_offset, table_size }
    }

    #[test]
    fn a_set_entry_is_unmasked_and_the_others_are_not() {
        let table = MsixTable::new(bar(), info(0x20, 3)).unwrap();
        assert!(table.set(1, 0xfee0_1000, 0x51));
        assert!(!table.set(3, 0xfee0_1000, 0x52), "past the end");
        let entry = |at: usize| [0, 4, 8, 12].map(|field| table.registers.read32(at + field));
        assert_eq!(entry(0x20), [0, 0, 0, 1]);
        assert_eq!(entry(0x30), [0xfee0_1000, 0, 0x51, 0]);
        assert_eq!(entry(0x40), [0, 0, 0, 1]);
        table.mask_all();
        assert_eq!(entry(0x30)[3], 1);
        assert_eq!(table.message(1), Some((0xfee0_1000, 0x51)));
        assert_eq!(table.message(3), None, "past the end");
    }

    #[test]
    fn a_table_outside_its_bar_is_refused() {
        assert!(MsixTable::new(bar(), info(0x20, 6)).is_some());
        assert!(MsixTable::new(bar(), info(0x20, 7)).is_none());
        assert!(MsixTable::new(bar(), info(u32::MAX - 7, u16::MAX)).is_none());
        assert!(MsixTable::new(bar(), info(0x21, 1)).is_none(), "misaligned");
    }
}
