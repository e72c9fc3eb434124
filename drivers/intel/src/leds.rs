//! The LEDs, which can show which device this is.

use hw::Registers;

use crate::registers::LEDCTL;

/// The mode of each of the four LEDs, and whether it blinks (8254x SDM and later, LEDCTL).
const FIELDS: u32 = 0x8f8f_8f8f;

/// All of them on, and blinking.
const BLINK: u32 = 0x8e8e_8e8e;

/// Lets all LEDs blink; what they did before.
pub fn blink(registers: &impl Registers) -> u32 {
    let before = registers.read32(LEDCTL);
    registers.write32(LEDCTL, before & !FIELDS | BLINK);
    before
}

/// Lets them do what they did `before`.
pub fn restore(registers: &impl Registers, before: u32) {
    registers.write32(LEDCTL, before);
}
