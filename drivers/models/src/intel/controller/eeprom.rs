//! The EEPROM, and what it is read for.

use intel::registers as reg;

use super::{Controller, Kind};

/// The address, and what makes the sum of all words 0xbaba (5.6.35).
pub(super) fn holding(address: [u8; 6]) -> Vec<u16> {
    let mut words: Vec<_> = address.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    words.resize(63, 0);
    words.push(words.iter().fold(0xbaba, |rest, word| rest.wrapping_sub(*word)));
    words
}

impl<K: Kind> Controller<K> {
    /// 13.5.2: entry 0 is loaded from the EEPROM.
    pub(super) fn load_address(&mut self) {
        if let [first, second, third, ..] = *self.eeprom
            && !self.faults.loads_no_address
        {
            self.set_register(reg::RAL0, u32::from(second) << 16 | u32::from(first));
            self.set_register(reg::RAH0, 1 << 31 | u32::from(third));
        }
    }

    /// 13.4.4: bit 0 starts; bits 8 to 15 are the address and bit 4 the end, or bits 2 to 15 and bit 1.
    pub(super) fn read_eeprom(&self) -> u32 {
        let request = self.register(reg::EERD);
        let (index, done) =
            if self.late_eerd { (request >> 2 & 0x3fff, 2) } else { (request >> 8 & 0xff, 0x10) };
        match self.eeprom.get(index as usize) {
            Some(word) if request & 1 != 0 && !self.faults.no_eerd => {
                u32::from(*word) << 16 | request & 0xffff | done
            }
            _ => request,
        }
    }
}
