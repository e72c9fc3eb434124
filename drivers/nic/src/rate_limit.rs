//! Saying a thing that repeats once a second.

use std::time::{Duration, Instant};

/// Collects what happens, and says when it may be told.
#[derive(Debug, Default)]
pub struct RateLimit {
    told: Option<Instant>,
    untold: u64,
}

impl RateLimit {
    /// It happened `count` times more. How often it happened since it was last told, if it may be told now.
    pub fn tell(&mut self, count: u64, now: Instant) -> Option<u64> {
        const INTERVAL: Duration = Duration::from_secs(1);
        self.untold += count;
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < INTERVAL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_second() {
        let start = Instant::now();
        let mut limit = RateLimit::default();
        assert_eq!(limit.tell(1, start), Some(1));
        assert_eq!(limit.tell(2, start + Duration::from_millis(10)), None);
        assert_eq!(limit.tell(3, start + Duration::from_millis(20)), None);
        assert_eq!(limit.tell(1, start + Duration::from_secs(1)), Some(6));
    }
}
