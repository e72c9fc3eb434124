//! Saying a thing that repeats a few times a second at most.

use std::time::{Duration, Instant};

/// Collects what happens, and says when it may be told.
#[derive(Debug)]
pub struct RateLimit {
    most: u32,
    window: Option<Instant>,
    told: u32,
    untold: u64,
}

impl RateLimit {
    /// Lets a thing be told `most` times a second.
    pub fn new(most: u32) -> Self {
        Self { most, window: None, told: 0, untold: 0 }
    }

    /// It happened `count` times more. How often it happened since it was last told, if it may be told now.
    pub fn tell(&mut self, count: u64, now: Instant) -> Option<u64> {
        const WINDOW: Duration = Duration::from_secs(1);
        self.untold += count;
        if self.window.is_none_or(|window| now.saturating_duration_since(window) >= WINDOW) {
            self.window = Some(now);
            self.told = 0;
        }
        if self.told == self.most {
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.untold))
    }

    /// Logs why something was refused, unless there is too much of it.
    pub fn warn(&mut self, now: Instant, reason: impl FnOnce() -> String) {
        match self.tell(1, now) {
            Some(1) => log::warn!("{}", reason()),
            Some(count) => log::warn!("{}; {} refusals before it were not logged", reason(), count - 1),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_told_at_once_and_the_rest_together_a_second_later() {
        let start = Instant::now();
        let mut limit = RateLimit::new(2);
        assert_eq!(limit.tell(1, start), Some(1));
        assert_eq!(limit.tell(5, start + Duration::from_millis(10)), Some(5));
        assert_eq!(limit.tell(2, start + Duration::from_millis(20)), None);
        assert_eq!(limit.tell(3, start + Duration::from_millis(999)), None);
        assert_eq!(limit.tell(1, start + Duration::from_secs(1)), Some(6));
    }
}
