//! The PHY, by its control register.

use hw::fake::Bus;
use intel::registers::{self as reg, Interrupts, Mdic};

use super::{Controller, Kind};

/// The PHY's control register, which is read so after a reset: 1000 Mbit/s, full duplex, and auto-negotiation, which has
/// not begun (IEEE 802.3, 22.2.4.1).
pub(super) const CONTROL: u16 = 1 << 12 | 1 << 8 | 1 << 6;

/// What has it receive what is sent.
const PHY_LOOPBACK: u16 = 1 << 14;

/// What restarts auto-negotiation. The latter bit clears itself.
const PHY_NEGOTIATE: u16 = 1 << 12 | PHY_RESTART;
const PHY_RESTART: u16 = 1 << 9;

impl<K: Kind> Controller<K> {
    /// 13.4.10: the PHY's control register is read or written.
    pub(super) fn ask_phy(&mut self, bus: &mut Bus, request: Mdic) {
        let answer = match (request.phyadd(), request.regadd(), request.op()) {
            (1, 0, 1) => {
                self.negotiated |= request.data() & PHY_NEGOTIATE == PHY_NEGOTIATE;
                self.phy_control = request.data() & !PHY_RESTART;
                self.cause(bus, Interrupts::LSC);
                request
            }
            (1, 0, 2) => request.with_data(self.phy_control),
            _ => request.with_error(true),
        };
        self.set_register(reg::MDIC, answer.with_ready(!self.faults.mute_phy).into());
    }

    /// The PHY receives what is sent.
    pub(super) fn is_looped(&self) -> bool {
        self.phy_control & PHY_LOOPBACK != 0
    }
}
