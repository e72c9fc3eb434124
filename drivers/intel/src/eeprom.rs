//! The EEPROM, where a device keeps its address (8254x SDM, chapter 5), by EERD, which stands elsewhere in the ten gigabit
//! controllers (82599, 8.2.3.2).

use hw::Registers;
use nic::MacAddress;

use crate::registers::{self as reg, Eerd};

/// Reads of EERD while it fetches a word: the fetch takes some 50 us, a read at least half of one.
const PATIENCE: u32 = 1000;

/// Where the bit is that ends a read, and how wide the address field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// 8254x up to the 82546.
    Early,
    /// 82541, 82547, 82573 and later, and the ten gigabit controllers.
    Late,
}

/// Words that every device has: those that a checksum is over.
const WORDS: u8 = 64;

/// Whether the device lets anybody read it by the register `eerd`.
pub fn is_readable(registers: &impl Registers, eerd: usize) -> bool {
    fetch(registers, eerd, Eerd::new().with_start(true)).is_some()
}

/// The words that every device has, the lower byte of each first; `None` if one cannot be read.
pub fn dump(registers: &impl Registers, eerd: usize) -> Option<Vec<u8>> {
    let (layout, _) = fetch(registers, eerd, Eerd::new().with_start(true))?;
    let words = (0..WORDS).map(|index| word(registers, eerd, layout, index)).collect::<Option<Vec<_>>>()?;
    Some(words.into_iter().flat_map(u16::to_le_bytes).collect())
}

/// A gigabit controller's address, in words 0 to 2; `None` if the device lets nobody read it this way, or it is no station's.
pub fn address(registers: &impl Registers) -> Option<MacAddress> {
    // Word 0 reads the same in both layouts, and its end tells which it is.
    let (layout, first) = fetch(registers, reg::EERD, Eerd::new().with_start(true))?;
    let words = [first, word(registers, reg::EERD, layout, 1)?, word(registers, reg::EERD, layout, 2)?];
    let [[a, b], [c, d], [e, f]] = words.map(u16::to_le_bytes);
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station())
}

/// The word `index` of a ten gigabit controller's; `None` if it cannot be read.
pub fn late_word(registers: &impl Registers, eerd: usize, index: u8) -> Option<u16> {
    word(registers, eerd, Layout::Late, index)
}

fn word(registers: &impl Registers, eerd: usize, layout: Layout, index: u8) -> Option<u16> {
    let request = match layout {
        Layout::Early => Eerd::new().with_start(true).with_addr(index),
        Layout::Late => Eerd::from(u32::from(index) << 2).with_start(true),
    };
    fetch(registers, eerd, request).map(|(_, word)| word)
}

fn fetch(registers: &impl Registers, eerd: usize, request: Eerd) -> Option<(Layout, u16)> {
    registers.write32(eerd, request.into());
    for _ in 0..PATIENCE {
        match registers.read32(eerd) {
            u32::MAX => return None,
            value if Eerd::from(value).done() => return Some((Layout::Early, Eerd::from(value).data())),
            value if Eerd::from(value).done_late() => return Some((Layout::Late, Eerd::from(value).data())),
            _ => {}
        }
    }
    None
}
