//! Wake-on-LAN (82599, 5.3): which devices can, and how their receiver is left.

use bitfield_struct::bitfield;
use hw::Registers;
use intel::{eeprom, wake};

use crate::registers::{self as reg, Fctrl, Rxctrl};

/// The EEPROM's word of device capabilities.
const CAPABILITIES: u8 = 0x2c;

/// That word.
#[bitfield(u16)]
struct Capabilities {
    #[bits(2)]
    __: u8,
    /// Which ports wake the machine: [`BOTH`] or [`FIRST`], or none.
    #[bits(2)]
    wake: u8,
    #[bits(12)]
    __: u16,
}

/// Both ports do.
const BOTH: u8 = 1;
/// The first one does.
const FIRST: u8 = 2;

/// Whether the port `function` of the adapter is made to wake the machine, as its EEPROM says, which can be read.
pub fn is_wired(registers: &impl Registers, function: u8) -> bool {
    let capabilities = eeprom::late_word(registers, reg::EERD, CAPABILITIES).map(Capabilities::from);
    match capabilities.map(|word| word.wake()) {
        Some(BOTH) => true,
        Some(FIRST) => function == 0,
        _ => false,
    }
}

/// Has the device, which was reset and knows its address, signal magic packets. It can only look for them while its
/// receiver is on: that has no ring then, and the device does not master the bus.
pub fn arm(registers: &impl Registers) {
    registers.write32(reg::FCTRL, Fctrl::BAM.bits());
    registers.write32(reg::RXCTRL, Rxctrl::RXEN.bits());
    wake::signal(registers);
}
