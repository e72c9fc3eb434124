//! Wake-on-LAN (8254x SDM, chapter 6; 82574, 5.5 and 10.2.9; 82576, 5.7 and 8.20; 82599, 5.3 and 8.2.3.24).

use bitflags::bitflags;
use hw::Registers;

use crate::registers::{self as reg, Ctrl, Rctl, WUC, WUFC, WUS};

bitflags! {
    /// WUC.
    struct Wuc: u32 {
        /// Magic packets are signalled whatever WUFC says; the ten gigabit controllers have it elsewhere.
        const APME = 1 << 0;
        /// Wake-up is signalled by PME; the bit of PMCSR, reached without configuration space.
        const PME_EN = 1 << 1;
        /// It was; writing 1 clears it.
        const PME_STATUS = 1 << 2;
        const _ = !0;
    }

    /// WUFC and WUS.
    struct Wufc: u32 {
        /// Magic packets.
        const MAG = 1 << 1;
    }
}

/// Has the device, which was reset and knows its address, signal magic packets. It can only look for them while its
/// receiver is on: that has no ring then, and the device does not master the bus.
pub fn arm(registers: &impl Registers) {
    let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
    registers.write32(reg::CTRL, (ctrl | Ctrl::ADVD3WUC).bits());
    registers.write32(reg::RCTL, (Rctl::EN | Rctl::BAM).bits());
    signal(registers);
}

/// Has the device, whose receiver is on, signal magic packets.
pub fn signal(registers: &impl Registers) {
    registers.write32(WUS, u32::MAX);
    registers.write32(WUFC, Wufc::MAG.bits());
    let control = Wuc::from_bits_retain(registers.read32(WUC));
    registers.write32(WUC, (control | Wuc::PME_EN | Wuc::PME_STATUS).bits());
}

/// Has it signal nothing. A reset alone leaves it as it was.
pub fn disarm(registers: &impl Registers) {
    registers.write32(WUFC, 0);
    let control = Wuc::from_bits_retain(registers.read32(WUC));
    registers.write32(WUC, ((control - Wuc::PME_EN - Wuc::APME) | Wuc::PME_STATUS).bits());
}
