//! What an EEPROM holds, and how it is read word by word.

/// The address, and what makes the sum of all words 0xbaba (8254x SDM, 5.6.35).
pub fn holding(address: [u8; 6]) -> Vec<u16> {
    let mut words: Vec<_> = address.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    words.resize(63, 0);
    words.push(words.iter().fold(0xbaba, |rest, word| rest.wrapping_sub(*word)));
    words
}

/// What EERD is after a request (8254x SDM, 13.4.4; 82599, 8.2.3.2.2): bit 0 starts; bits 8 to 15 are the address and
/// bit 4 the end, or in the `late` layout bits 2 to 15 and bit 1.
pub fn answer(words: &[u16], request: u32, late: bool) -> u32 {
    let (index, done) = if late { (request >> 2 & 0x3fff, 2) } else { (request >> 8 & 0xff, 0x10) };
    match words.get(index as usize) {
        Some(word) if request & 1 != 0 => u32::from(*word) << 16 | request & 0xffff | done,
        _ => request,
    }
}
