//! The EEPROM, where a device keeps its address (8254x SDM, chapter 5).

use hw::Registers;
use nic::MacAddress;

use crate::registers::{EERD, Eerd};

/// Reads of EERD while it fetches a word: the fetch takes some 50 us, a read at least half of one.
const PATIENCE: u32 = 1000;

/// Where the bit is that ends a read, and how wide the address field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// 8254x up to the 82546.
    Early,
    /// 82541, 82547, 82573 and later.
    Late,
}

/// Words that every device has: those that a checksum is over.
const WORDS: u8 = 64;

/// Whether the device lets anybody read it this way.
pub fn is_readable(registers: &impl Registers) -> bool {
    fetch(registers, Eerd::new().with_start(true)).is_some()
}

/// The words that every device has, the lower byte of each first; `None` if one cannot be read.
pub fn dump(registers: &impl Registers) -> Option<Vec<u8>> {
    let (layout, _) = fetch(registers, Eerd::new().with_start(true))?;
    let words = (0..WORDS).map(|index| word(registers, layout, index)).collect::<Option<Vec<_>>>()?;
    Some(words.into_iter().flat_map(u16::to_le_bytes).collect())
}

/// The address in words 0 to 2; `None` if the device lets nobody read it this way, or it is no station's.
pub fn address(registers: &impl Registers) -> Option<MacAddress> {
    // Word 0 reads the same in both layouts, and its end tells which it is.
    let (layout, first) = fetch(registers, Eerd::new().with_start(true))?;
    let words = [first, word(registers, layout, 1)?, word(registers, layout, 2)?];
    let [[a, b], [c, d], [e, f]] = words.map(u16::to_le_bytes);
    Some(MacAddress([a, b, c, d, e, f])).filter(|address| address.is_station())
}

fn word(registers: &impl Registers, layout: Layout, index: u8) -> Option<u16> {
    let request = match layout {
        Layout::Early => Eerd::new().with_start(true).with_addr(index),
        Layout::Late => Eerd::from(u32::from(index) << 2).with_start(true),
    };
    fetch(registers, request).map(|(_, word)| word)
}

fn fetch(registers: &impl Registers, request: Eerd) -> Option<(Layout, u16)> {
    registers.write32(EERD, request.into());
    for _ in 0..PATIENCE {
        match registers.read32(EERD) {
            u32::MAX => return None,
            value if Eerd::from(value).done() => return Some((Layout::Early, Eerd::from(value).data())),
            value if Eerd::from(value).done_late() => return Some((Layout::Late, Eerd::from(value).data())),
            _ => {}
        }
    }
    None
}
