//! When the engine must look at the device next.

use std::time::{Duration, Instant};

use hw::PciFunction;

use super::Engine;
use super::self_test::SelfTest;
use crate::driver::Nic;

/// How long frames are left with the device for readers that are behind, counted from the last read. Who reads
/// nothing in that time is not worth waiting for.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long the device is asked instead of interrupting for readers that are about to come back, counted from the last
/// read.
const RETURN: Duration = Duration::from_millis(5);

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// When [`turn`](Self::turn) must be called next, at the latest; `now` if there is more to do.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let port = self.port.borrow();
        let identify_until = port.requests.identify_until;
        if port.report_wanted != port.report_made {
            return Some(now);
        }
        let Some(running) = &self.running else {
            let power_down_at = self.power_down_at.filter(|_| !self.identifies);
            return identify_until.into_iter().chain(power_down_at).min();
        };
        let can_send = !port.transmit.is_empty() && port.link.is_up() && running.takes_frames();
        let can_close = !port.is_needed() && self.is_drained(&port);
        let reader_until = self.reader_until(now).filter(|_| running.drained);
        let asked_until = self.held_until(now).or(reader_until).filter(|_| running.polling);
        let can_receive = running.polling && asked_until.is_none();
        let is_asked = port.requests.self_test || running.settings_version != port.settings_version;
        let can_configure =
            is_asked && running.test.is_none() && (running.restart_by.is_none() || self.nic.unsent() == 0);
        if can_receive || can_send || can_close || can_configure {
            return Some(now);
        }
        let test_at = running.test.as_ref().map(SelfTest::deadline);
        [
            test_at,
            running.acknowledge_at,
            running.linger_until,
            running.restart_by,
            asked_until,
            identify_until,
        ]
        .into_iter()
        .flatten()
        .chain([running.check_at])
        .min()
    }

    /// Until when received frames are left with the device, if they are.
    pub(super) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.port.borrow().congested.map(|read| read + PATIENCE).filter(|&until| now < until)
    }

    /// Until when a reader that comes back is waited for without interrupts, if one is.
    pub(super) fn reader_until(&self, now: Instant) -> Option<Instant> {
        let tells_sent = self.running.as_ref().is_some_and(|running| running.tells_sent);
        let read = self.port.borrow().reading.filter(|_| !tells_sent)?;
        Some(read + RETURN).filter(|&until| now < until)
    }
}
