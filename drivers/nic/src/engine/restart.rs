//! Stopping and starting the device while it has users: because it hangs, or to change how it works.

use std::time::{Duration, Instant};

use hw::{Interrupt, PciFunction};

use super::Engine;
use crate::driver::{Fault, Nic};
use crate::memory::{BUDGET, Memory};

/// A device that has frames to send and a link, and sends none for this long, hangs.
const TRANSMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the device may take to send what it has before it is stopped to change how it works.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Budgets that are taken from a device before it is stopped: more than any ring holds.
const LAST_BUDGETS: usize = 256;

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Looks whether the device is still there, has a link, works, and sends.
    pub(super) fn check(&mut self, now: Instant) -> Result<(), Fault> {
        self.update_link()?;
        self.reclaim(now);
        let Some(running) = &self.running else { return Ok(()) };
        let waited = now.saturating_duration_since(running.progress);
        if self.nic.needs_reset() {
            log::error!("the device has failed, and is reset");
            self.port.borrow_mut().statistics.device_failures += 1;
            return self.restart(now);
        }
        if self.nic.unsent() > 0 && self.port.borrow().link.is_up() && waited >= TRANSMIT_TIMEOUT {
            log::error!("the device has sent nothing for {} s, and is reset", TRANSMIT_TIMEOUT.as_secs());
            self.port.borrow_mut().statistics.tx_timeout += 1;
            return self.restart(now);
        }
        Ok(())
    }

    /// Has the device work as the settings say.
    pub(super) fn apply_settings(&mut self, now: Instant) -> Result<(), Fault> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let settings = {
            let port = self.port.borrow();
            if running.settings_version == port.settings_version || running.test.is_some() {
                return Ok(());
            }
            port.settings.clone()
        };
        if settings.rings == self.rings && !self.nic.needs_restart(&running.settings, &settings) {
            self.nic.configure(&settings);
            running.has_settings(settings, self.port.borrow().settings_version);
            return self.update_link();
        }
        if self.nic.unsent() > 0 && now < *running.restart_by.get_or_insert(now + PATIENCE) {
            return Ok(());
        }
        for _ in 0..LAST_BUDGETS {
            if self.receive() < BUDGET {
                break;
            }
        }
        log::info!("the device is stopped and started, to work otherwise");
        self.restart(now)
    }

    /// Gives the stopped device rings of the sizes that are asked for, or keeps those that it has where there is no
    /// memory for others.
    pub(super) fn fit_rings(&mut self) -> Result<(), Fault> {
        let rings = self.port.borrow().settings.rings;
        if rings == self.rings {
            return Ok(());
        }
        match Memory::new(&mut self.function, &N::DRIVER, rings) {
            Ok(memory) => {
                let pools = memory.pools.clone();
                self.nic.set_rings(memory)?;
                let before = std::mem::replace(&mut self.port.borrow_mut().pools, pools);
                // Readers may hold some of its buffers for long, while the device works with others.
                before.receive.retire();
                self.rings = rings;
            }
            Err(error) => {
                log::error!("the rings keep their sizes: {error}");
                self.port.borrow_mut().settings.rings = self.rings;
            }
        }
        Ok(())
    }

    /// Stops the device, resets it, and starts it with the settings as they are now.
    pub(super) fn restart(&mut self, now: Instant) -> Result<(), Fault> {
        let dropped = self.nic.stop();
        if dropped > 0 {
            log::warn!("{dropped} frames that the device has not sent are dropped");
        }
        {
            let mut port = self.port.borrow_mut();
            port.statistics.tx_dropped += dropped as u64;
            self.nic.collect(&mut port.statistics);
        }
        self.nic.reset()?;
        self.fit_rings()?;
        let (settings, version) = {
            let port = self.port.borrow();
            (port.settings.clone(), port.settings_version)
        };
        let Some(running) = &mut self.running else { return Ok(()) };
        self.nic.start(&settings, running.interrupt.kind())?;
        running.has_settings(settings, version);
        running.moderator.forget();
        running.progress = now;
        running.ring_full = false;
        self.update_link()
    }
}
