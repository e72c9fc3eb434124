//! The EEPROM beside it, bit by bit (93C46 and 93C56).

use realtek::registers as reg;

use super::{Chip, Kind};

/// CR9346: the pins are the driver's, which are data in, clock and chip select.
const PROGRAMMING: u8 = 2 << 6;
const MODE: u8 = 3 << 6;
const EEDI: u8 = 1 << 1;
const EESK: u8 = 1 << 2;
const EECS: u8 = 1 << 3;

/// What the EEPROM has been told since it was selected, and what it answers.
#[derive(Debug, Default)]
pub(super) struct Pins {
    /// The bits of a command, from its start bit on, and how many there are.
    command: u32,
    bits: u32,
    /// The word that is asked for, and how many of its bits have come out.
    word: Option<(u16, u32)>,
}

/// What a 93C46 holds from word 0 on: its ID, what is none of the driver's business, and the address in words 7 to 9.
pub(super) fn words([a, b, c, d, e, f]: [u8; 6]) -> Vec<u16> {
    let mut words: Vec<u16> = (0..64).map(|index| index * 257).collect();
    words[0] = 0x8129;
    words[7..10].copy_from_slice(&[[a, b], [c, d], [e, f]].map(u16::from_le_bytes));
    words
}

impl<K: Kind> Chip<K> {
    /// The pins are set. On a rising clock the EEPROM takes a bit in, and gives one out.
    pub(super) fn write_pins(&mut self, value: u8) {
        let before = std::mem::replace(&mut self.bytes[reg::CR9346], value);
        if value & MODE != PROGRAMMING || value & EECS == 0 {
            self.pins = Pins::default();
        } else if value & !before & EESK != 0 {
            self.clock(value & EEDI != 0);
        }
    }

    fn clock(&mut self, data_in: bool) {
        if let Some((_, shown)) = &mut self.pins.word {
            *shown += 1;
            return;
        }
        // Zeros before the start bit are none of the command.
        if self.pins.bits > 0 || data_in {
            self.pins.command = self.pins.command << 1 | u32::from(data_in);
            self.pins.bits += 1;
        }
        let address_bits = if self.eeprom.len() > 64 { 8 } else { 6 };
        if self.pins.bits == 3 + address_bits {
            assert_eq!(self.pins.command >> address_bits, 0b110, "it is asked to read");
            let index = (self.pins.command & ((1 << address_bits) - 1)) as usize;
            self.pins.word = self.eeprom.get(index).map(|word| (*word, 0));
        }
    }

    /// What comes out: a zero before the word, its bits from the highest on, and ones where nobody drives the pin.
    pub(super) fn data_out(&self) -> bool {
        match self.pins.word {
            Some((_, 0)) => false,
            Some((word, shown @ 1..=16)) => word >> (16 - shown) & 1 == 1,
            _ => true,
        }
    }
}
