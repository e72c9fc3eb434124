//! The LEDs, which can show which device this is.

use hw::Registers;

/// The mode of each of the four LEDs, and whether it blinks (8254x SDM and later, LEDCTL; 82599, 8.2.3.1).
const FIELDS: u32 = 0x8f8f_8f8f;

/// All of them on, and blinking.
const BLINK: u32 = 0x8e8e_8e8e;

/// A device's LEDs, which one register controls.
pub struct Leds {
    register: usize,
    /// What they did before they blink.
    before: Option<u32>,
}

impl Leds {
    /// Those that LEDCTL controls, which is this `register`.
    pub const fn at(register: usize) -> Self {
        Self { register, before: None }
    }

    /// Lets all of them blink, or do what they did before.
    pub fn identify(&mut self, registers: &impl Registers, on: bool) {
        match self.before.take() {
            None if on => {
                let before = registers.read32(self.register);
                registers.write32(self.register, before & !FIELDS | BLINK);
                self.before = Some(before);
            }
            Some(before) => registers.write32(self.register, before),
            None => (),
        }
    }

    /// Lets them blink after a reset if they did before it.
    pub fn go_on(&mut self, registers: &impl Registers) {
        if self.before.take().is_some() {
            self.identify(registers, true);
        }
    }
}
