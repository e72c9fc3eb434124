//! The EEPROM beside the device: a 93C46 of 64 words or a 93C56 of 128. It is read bit by bit, by its four pins in CR9346.

use bitflags::bitflags;
use hw::Registers;

use crate::registers::{CR9346, LOCK, RCR, Rcr};

/// What stands in word 0 of one that the device has loaded.
const ID: u16 = 0x8129;

/// Its command to read a word: a start bit, 2 bits of operation.
const READ: u16 = 0b110;
const READ_BITS: u32 = 3;

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

/// An EEPROM.
#[derive(Clone, Copy, Debug)]
struct Kind {
    words: u8,
    /// Of the address in a command.
    address_bits: u32,
}

impl Kind {
    /// The one that the device has, if it has one.
    fn of(registers: &impl Registers) -> Self {
        match Rcr::from(registers.read32(RCR)).is_93c56() {
            false => Self { words: 64, address_bits: 6 },
            true => Self { words: 128, address_bits: 8 },
        }
    }
}

/// Whether there is one. Later devices can have fuses in its place.
pub fn is_there(registers: &impl Registers) -> bool {
    let first = word(registers, Kind::of(registers), 0);
    registers.write8(CR9346, LOCK);
    first == ID
}

/// All words, the lower byte of each first. The device moves no frames meanwhile.
pub fn dump(registers: &impl Registers) -> Vec<u8> {
    let kind = Kind::of(registers);
    let words = (0..kind.words).map(|index| word(registers, kind, index));
    let bytes = words.flat_map(u16::to_le_bytes).collect();
    registers.write8(CR9346, LOCK);
    bytes
}

fn word(registers: &impl Registers, kind: Kind, index: u8) -> u16 {
    set(registers, Pins::empty());
    let command = READ << kind.address_bits | u16::from(index);
    for bit in (0..kind.address_bits + READ_BITS).rev() {
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
