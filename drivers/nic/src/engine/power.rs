//! Powers a device down that nobody uses, and up again.

use std::time::{Duration, Instant};

use hw::PciFunction;

use super::Engine;
use crate::driver::{Fault, Link, Nic};

/// How long a device stays powered that nobody uses: programs open it and close it in quick sequence, and its link takes
/// seconds to come back.
pub(super) const IDLE: Duration = Duration::from_secs(3);

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// The device does not answer, and must not be asked.
    pub(super) fn is_powered_down(&self) -> bool {
        self.port.borrow().is_powered_down
    }

    /// The device was used just now.
    pub(super) fn rest_later(&mut self, now: Instant) {
        if self.port.borrow().info.facilities.power {
            self.power_down_at = Some(now + IDLE);
        }
    }

    /// Powers the stopped device down, if it is time. It has no link then.
    pub(super) fn power_down(&mut self, now: Instant) {
        if self.running.is_some() || self.identifies || self.power_down_at.is_none_or(|at| now < at) {
            return;
        }
        self.power_down_at = None;
        match self.function.power_down() {
            Ok(()) => {
                log::info!("nobody uses the device: it is powered down");
                let mut port = self.port.borrow_mut();
                (port.is_powered_down, port.link) = (true, Link::Down);
            }
            Err(error) => log::warn!("the device stays powered: {error}"),
        }
    }

    /// Has the device answer. If it was powered down, it is reset: it may have forgotten everything.
    pub(super) fn power_up(&mut self, now: Instant) -> Result<(), Fault> {
        self.rest_later(now);
        if !self.is_powered_down() {
            return Ok(());
        }
        self.function.power_up()?;
        self.armed = None;
        self.nic.reset()?;
        let mut port = self.port.borrow_mut();
        (port.is_powered_down, port.link) = (false, self.nic.link()?);
        log::info!("the device is powered up again");
        Ok(())
    }
}
