//! Makes the device quiet, and resets it.

use hw::Registers;
use nic::Fault;

use super::present;
use crate::chip::Chip;
use crate::family::Family;
use crate::registers::{self as reg, Ctrl, Tctl};
use crate::wake;

/// Reads of CTRL while a reset goes on: it takes a few microseconds, a read at least half of one.
const RESET_PATIENCE: u32 = 10_000;

/// Stops both directions and all interrupts. The read makes sure that the writes have arrived.
pub(super) fn quiet<F: Family>(registers: &impl Registers) {
    F::mask(registers);
    registers.write32(reg::RCTL, 0);
    registers.write32(reg::TCTL, Tctl::from(registers.read32(reg::TCTL)).with_en(false).into());
    F::disable_rings(registers);
    registers.read32(reg::STATUS);
}

/// Resets the device (CTRL.RST; 8254x SDM, 14.1), after which it is quiet.
pub(super) fn reset<F: Family>(registers: &impl Registers, chip: &Chip) -> Result<(), Fault> {
    present(registers)?;
    quiet::<F>(registers);
    F::quiesce(registers);
    let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
    registers.write32(reg::CTRL, (ctrl | Ctrl::RST).bits());
    std::thread::sleep(chip.reset_time);
    for _ in 0..RESET_PATIENCE {
        let ctrl = Ctrl::from_bits_retain(registers.read32(reg::CTRL));
        if !ctrl.contains(Ctrl::RST) {
            quiet::<F>(registers);
            // Causes from before the reset are nobody's.
            F::take_causes(registers);
            if chip.wakes {
                wake::disarm(registers);
            }
            F::negotiate(registers);
            return Ok(());
        }
    }
    present(registers)?;
    Err(Fault::Hung("its reset"))
}
