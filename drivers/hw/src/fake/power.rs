//! The power states of the fake's function: its capability of power management.

/// The capability's id.
pub(super) const ID: u8 = 1;

/// A capability, as the last one of a list: version 3 (the specification's 1.2), with PME from D0, D3hot and D3cold, and
/// without No_Soft_Reset.
pub const CAPABILITY: [u8; 8] = [ID, 0, 0x03, 0xc8, 0, 0, 0, 0];

const STATE: u32 = 0b11;
const PME_EN: u32 = 1 << 8;
const PME_STATUS: u32 = 1 << 15;

/// PMCSR.
#[derive(Default)]
pub(super) struct Management {
    state: u32,
    enabled: bool,
    signalled: bool,
    /// It has returned to D0, and its device does not know yet.
    returned: bool,
}

impl Management {
    pub fn read(&self) -> u32 {
        let bit = |on, bit| if on { bit } else { 0 };
        self.state | bit(self.enabled, PME_EN) | bit(self.signalled, PME_STATUS)
    }

    /// Whether the function loses by it what it held.
    pub fn write(&mut self, value: u32) -> bool {
        let was_down = self.is_down();
        self.state = value & STATE;
        self.enabled = value & PME_EN != 0;
        self.signalled &= value & PME_STATUS == 0;
        let is_back = was_down && self.state == 0;
        self.returned |= is_back;
        is_back
    }

    pub fn is_down(&self) -> bool {
        self.state == STATE
    }

    pub fn has_returned(&mut self) -> bool {
        std::mem::take(&mut self.returned)
    }

    pub fn signal(&mut self) {
        self.signalled = true;
    }

    pub fn enable(&mut self, on: bool) {
        self.enabled = on;
    }

    pub fn wakes(&self) -> bool {
        self.enabled && self.signalled
    }
}
