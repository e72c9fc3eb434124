//! The PHY, which is reached through PHYAR, or through GPHY_OCP in later devices.

use bitflags::bitflags;
use hw::Registers;
use nic::Media;

use crate::chips::Generation;
use crate::registers::{GPHY_OCP, GphyOcp, PHYAR, Phyar, STANDARD_REGISTERS};

/// Basic mode control register (IEEE 802.3, 22.2.4.1).
const BMCR: u8 = 0;

/// Where PHYAR and GPHY_OCP have their flag.
const FLAG: u32 = 1 << 31;

/// Reads of the register while the PHY is asked, which takes some 50 us; a read takes at least half of one.
const PATIENCE: u32 = 1000;

bitflags! {
    /// BMCR.
    struct Bmcr: u16 {
        /// Restart auto-negotiation.
        const RESTART = 1 << 9;
        /// Do not reach the wire.
        const ISOLATE = 1 << 10;
        /// Power down.
        const POWER_DOWN = 1 << 11;
        /// Auto-negotiate.
        const NEGOTIATE = 1 << 12;
        const _ = !0;
    }
}

/// Has the PHY look for a partner if it does not; `None` if it does not answer.
pub fn wake(registers: &impl Registers, generation: Generation) -> Option<()> {
    let mut control = Bmcr::from_bits_retain(ask(registers, generation, BMCR, None)?);
    if control.contains(Bmcr::NEGOTIATE) && !control.intersects(Bmcr::ISOLATE | Bmcr::POWER_DOWN) {
        return Some(());
    }
    control.remove(Bmcr::ISOLATE | Bmcr::POWER_DOWN);
    control.insert(Bmcr::NEGOTIATE | Bmcr::RESTART);
    ask(registers, generation, BMCR, Some(control.bits())).map(drop)
}

/// Has the PHY do this; `None` if it does not answer.
pub fn set(registers: &impl Registers, generation: Generation, media: Media) -> Option<()> {
    ask(registers, generation, BMCR, Some(media.control())).map(drop)
}

/// Writes `value` into the PHY's register `index`, or reads it.
fn ask(registers: &impl Registers, generation: Generation, index: u8, value: Option<u16>) -> Option<u16> {
    let (data, writes) = (value.unwrap_or(0), value.is_some());
    let (register, request) = if generation < Generation::Rtl8168G {
        (PHYAR, Phyar::new().with_regaddr(index).with_data(data).with_flag(writes).into())
    } else {
        let half_address = STANDARD_REGISTERS + u16::from(index);
        let request = GphyOcp::new().with_half_address(half_address).with_data(data).with_flag(writes);
        (GPHY_OCP, u32::from(request))
    };
    registers.write32(register, request);
    for _ in 0..PATIENCE {
        let answer = registers.read32(register);
        if answer == u32::MAX {
            break;
        }
        if (answer & FLAG != 0) != writes {
            return Some(answer as u16);
        }
    }
    None
}
