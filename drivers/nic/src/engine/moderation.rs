//! Which intervals the device keeps between its interrupts.

use std::time::Instant;

use hw::PciFunction;

use super::Engine;
use crate::coalesce::{Intervals, Moderation};
use crate::driver::Nic;
use crate::regulator::Regulator;
use crate::statistics::Statistics;

/// What follows the traffic, and what the device was told last.
pub(super) struct Moderator {
    receive: Regulator,
    transmit: Regulator,
    told: Option<Intervals>,
}

impl Moderator {
    /// For a device that begins to run `now`, and was told nothing yet.
    pub fn new(now: Instant) -> Self {
        Self { receive: Regulator::new(now), transmit: Regulator::new(now), told: None }
    }

    /// The device has forgotten what it was told.
    pub fn forget(&mut self) {
        self.told = None;
    }

    /// The intervals for what has passed so far, by what the device can.
    fn adapted(&mut self, now: Instant, moderation: Moderation, passed: &Statistics) -> Intervals {
        let receive = self.receive.interval(now, passed.rx_packets, passed.rx_bytes);
        let transmit = self.transmit.interval(now, passed.tx_packets, passed.tx_bytes);
        match moderation {
            // A file that comes has small answers that go, and must not wait for them.
            Moderation::OneInterval(most) => Intervals::both(receive.max(transmit).min(most)),
            Moderation::TwoIntervals(most) => {
                Intervals { receive: receive.min(most), transmit: transmit.min(most) }
            }
            Moderation::None | Moderation::OfItsOwn => Intervals::default(),
        }
    }
}

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Tells the device its intervals, where they are others than before.
    pub(super) fn moderate(&mut self, now: Instant) {
        let Some(running) = &mut self.running else { return };
        let mut port = self.port.borrow_mut();
        let (moderation, coalesce) = (port.info.facilities.moderation, port.settings.coalesce);
        let intervals = if coalesce.adaptive {
            running.moderator.adapted(now, moderation, &port.statistics)
        } else {
            coalesce.fixed
        };
        if running.moderator.told != Some(intervals) {
            running.moderator.told = Some(intervals);
            self.nic.moderate(intervals);
            port.intervals = intervals;
        }
    }
}
