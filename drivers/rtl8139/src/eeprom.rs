//! The 93C46 beside the device, which holds 64 words. It is read bit by bit, by its four pins in CR9346.

use bitflags::bitflags;
use hw::Registers;
use realtek::registers::{CR9346, LOCK};

/// Its words.
const WORDS: u8 = 64;

/// Its command to read a word (a start bit, 2 bits of operation), and the bits of an address.
const READ: u16 = 0b110;
const ADDRESS_BITS: u32 = 6;

bitflags! {
    /// CR9346.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Pins: u8 {
        /// Data out.
        const EEDO = 1 << 0;
        /// Data in.
        const EEDI = 1 << 1;
        /// Clock.
        const EESK = 1 << 2;
        /// Chip select.
        const EECS = 1 << 3;
        /// The pins are the driver's, in place of the device's (EEM = 2).
        const PROGRAMMING = 1 << 7;
        const _ = !0;
    }
}

/// All words, the lower byte of each first. The device moves no frames meanwhile.
pub fn dump(registers: &impl Registers) -> Vec<u8> {
    let words = (0..WORDS).map(|index| word(registers, index));
    let bytes = words.flat_map(u16::to_le_bytes).collect();
    registers.write8(CR9346, LOCK);
    bytes
}

fn word(registers: &impl Registers, index: u8) -> u16 {
    set(registers, Pins::empty());
    let command = READ << ADDRESS_BITS | u16::from(index);
    for bit in (0..ADDRESS_BITS + 3).rev() {
        let data = if command >> bit & 1 == 1 { Pins::EEDI } else { Pins::empty() };
        clock(registers, Pins::EECS | data);
    }
    let word = (0..16).fold(0, |word, _| word << 1 | u16::from(clock(registers, Pins::EECS)));
    set(registers, Pins::empty());
    word
}

/// One clock with these pins; what comes out.
fn clock(registers: &impl Registers, pins: Pins) -> bool {
    set(registers, pins);
    set(registers, pins | Pins::EESK).contains(Pins::EEDO)
}

/// Sets the pins, and gives them all. The read also is the time that the EEPROM needs.
fn set(registers: &impl Registers, pins: Pins) -> Pins {
    registers.write8(CR9346, (Pins::PROGRAMMING | pins).bits());
    Pins::from_bits_retain(registers.read8(CR9346))
}
