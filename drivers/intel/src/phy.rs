//! The PHY, which is reached through MDIC.

use bitflags::bitflags;
use hw::Registers;
use nic::Media;

use crate::registers::{MDIC, Mdic};

/// Where a controller's own PHY is.
const ADDRESS: u8 = 1;

/// Control register (IEEE 802.3, 22.2.4.1).
const CONTROL: u8 = 0;

/// MDIC.OP.
const WRITE: u8 = 1;
const READ: u8 = 2;

/// Reads of MDIC while the PHY is asked, which takes 64 us; a read takes at least half of one.
const PATIENCE: u32 = 1000;

bitflags! {
    /// The control register.
    #[derive(Clone, Copy)]
    struct Control: u16 {
        /// 1000 Mbit/s, where it is not negotiated.
        const SPEED_1000 = 1 << 6;
        /// Full duplex, where it is not negotiated.
        const FULL_DUPLEX = 1 << 8;
        /// Restart auto-negotiation.
        const RESTART = 1 << 9;
        /// Do not reach the wire.
        const ISOLATE = 1 << 10;
        /// Power down.
        const POWER_DOWN = 1 << 11;
        /// Auto-negotiate.
        const NEGOTIATE = 1 << 12;
        /// What is sent is received.
        const LOOPBACK = 1 << 14;
        const _ = !0;
    }
}

/// Has the PHY negotiate with its partner, from the beginning; `None` if it does not answer.
pub fn negotiate(registers: &impl Registers) -> Option<()> {
    let mut control = read(registers)?;
    control.remove(Control::ISOLATE | Control::POWER_DOWN | Control::LOOPBACK);
    control.insert(Control::NEGOTIATE | Control::RESTART);
    write(registers, control)
}

/// Has the PHY receive what is sent; `None` if it does not answer.
pub fn loop_back(registers: &impl Registers) -> Option<()> {
    write(registers, Control::LOOPBACK | Control::SPEED_1000 | Control::FULL_DUPLEX)
}

/// Has the PHY do this; `None` if it does not answer.
pub fn set(registers: &impl Registers, media: Media) -> Option<()> {
    write(registers, Control::from_bits_retain(media.control()))
}

/// Whether the PHY can be reached. One that a driver has left otherwise that was killed negotiates again, and does not
/// receive what it sends.
pub fn meet(registers: &impl Registers) -> bool {
    match read(registers) {
        Some(control) if control.contains(Control::LOOPBACK) || !control.contains(Control::NEGOTIATE) => {
            negotiate(registers).is_some()
        }
        control => control.is_some(),
    }
}

fn read(registers: &impl Registers) -> Option<Control> {
    let request = Mdic::new().with_phyadd(ADDRESS).with_regadd(CONTROL).with_op(READ);
    ask(registers, request).map(Control::from_bits_retain)
}

fn write(registers: &impl Registers, control: Control) -> Option<()> {
    let request = Mdic::new().with_phyadd(ADDRESS).with_regadd(CONTROL).with_op(WRITE);
    ask(registers, request.with_data(control.bits())).map(drop)
}

/// What the PHY answers.
fn ask(registers: &impl Registers, request: Mdic) -> Option<u16> {
    registers.write32(MDIC, request.into());
    for _ in 0..PATIENCE {
        let answer = registers.read32(MDIC);
        if answer == u32::MAX {
            break;
        }
        let answer = Mdic::from(answer);
        if answer.ready() {
            return (!answer.error()).then(|| answer.data());
        }
    }
    None
}
