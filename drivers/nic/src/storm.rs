//! Bounds what interrupts without a cause can cost.

use std::time::{Duration, Instant};

/// Interrupts without a cause in one second that are taken for a stuck line. A busy neighbour on a shared line
/// causes fewer.
const LIMIT: u32 = 10_000;

/// While slowed down, fewer than this in one second end it.
const CALM: u32 = 100;

/// How long a line stays masked after an interrupt without a cause, during a storm.
const DELAY: Duration = Duration::from_millis(1);

const WINDOW: Duration = Duration::from_secs(1);

/// What to do about an interrupt without a cause.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Let the line fire again.
    Acknowledge,
    /// Let it fire again at this time only.
    AcknowledgeAt(Instant),
}

/// Watches interrupts without a cause.
#[derive(Debug)]
pub struct StormGuard {
    window: Instant,
    count: u32,
    storm: bool,
}

impl StormGuard {
    /// Watches from `now` on.
    pub fn new(now: Instant) -> Self {
        Self { window: now, count: 0, storm: false }
    }

    /// There was an interrupt without a cause.
    pub fn unclaimed(&mut self, now: Instant) -> Answer {
        let elapsed = now.saturating_duration_since(self.window);
        if elapsed >= WINDOW {
            self.storm &= self.count >= CALM && elapsed < 2 * WINDOW;
            self.window = now;
            self.count = 0;
        }
        self.count += 1;
        self.storm |= self.count > LIMIT;
        if self.storm { Answer::AcknowledgeAt(now + DELAY) } else { Answer::Acknowledge }
    }

    /// Interrupts are slowed down.
    pub fn is_storm(&self) -> bool {
        self.storm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_line_is_slowed_down_until_it_is_calm() {
        let mut now = Instant::now();
        let mut guard = StormGuard::new(now);
        for _ in 0..LIMIT {
            assert_eq!(guard.unclaimed(now), Answer::Acknowledge);
        }
        assert_eq!(guard.unclaimed(now), Answer::AcknowledgeAt(now + DELAY));

        // Still stuck in the next second: slow from the start.
        for _ in 0..1000 {
            now += DELAY;
            assert_eq!(guard.unclaimed(now), Answer::AcknowledgeAt(now + DELAY));
        }
        // A quiet while later it is over.
        now += 2 * WINDOW;
        assert_eq!(guard.unclaimed(now), Answer::Acknowledge);
        assert!(!guard.is_storm());
    }

    #[test]
    fn a_busy_neighbour_is_no_storm() {
        let mut now = Instant::now();
        let mut guard = StormGuard::new(now);
        for _ in 0..50_000 {
            now += Duration::from_micros(200);
            assert_eq!(guard.unclaimed(now), Answer::Acknowledge);
        }
    }
}
