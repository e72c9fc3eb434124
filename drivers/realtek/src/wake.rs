//! Wake-on-LAN (RTL8139C+ data sheet, 5.11 to 5.13): the bits of the configuration registers that arm a device.

use bitflags::bitflags;
use hw::Registers;

/// Configuration 1 (8 bits), locked by 93C46 command.
pub const CONFIG1: usize = 0x52;

bitflags! {
    /// CONFIG1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Config1: u8 {
        /// Power management enable: without it configuration space has no capability of that.
        const PM_EN = 1 << 0;
        const _ = !0;
    }

    /// CONFIG3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Config3: u8 {
        /// Magic packets wake the machine.
        const MAGIC = 1 << 5;
        const _ = !0;
    }

    /// CONFIG5.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Config5: u8 {
        /// The pin LANWAKE is driven.
        const LAN_WAKE = 1 << 1;
        const _ = !0;
    }
}

/// Where a family has the configuration registers that are not in the same place in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Of CONFIG3 (8 bits), locked.
    pub config3: usize,
    /// Of CONFIG5 (8 bits), locked in some families.
    pub config5: usize,
}

impl Places {
    /// Has the device signal magic packets, or no longer. The configuration registers are open.
    pub fn set(self, registers: &impl Registers, on: bool) {
        let mut config3 = Config3::from_bits_retain(registers.read8(self.config3));
        let mut config5 = Config5::from_bits_retain(registers.read8(self.config5));
        config3.set(Config3::MAGIC, on);
        config5.set(Config5::LAN_WAKE, on);
        registers.write8(self.config3, config3.bits());
        registers.write8(self.config5, config5.bits());
        // What makes the capability stays: others may have found that.
        if on {
            let config1 = Config1::from_bits_retain(registers.read8(CONFIG1));
            registers.write8(CONFIG1, (config1 | Config1::PM_EN).bits());
        }
    }
}
