//! A configuration on trial: what was before returns, unless somebody says that it may stay.

use config::netd::Config;
use smoltcp::time::{Duration, Instant};

/// The way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    before: Config,
    ends: Instant,
}

impl Trial {
    /// `before` returns after `limit`.
    pub fn new(before: Config, limit: Duration, now: Instant) -> Self {
        Self { before, ends: now + limit }
    }

    /// The same way back, after `limit` from now.
    pub fn prolonged(self, limit: Duration, now: Instant) -> Self {
        Self { ends: now + limit, ..self }
    }

    /// When it is over.
    pub fn ends(&self) -> Instant {
        self.ends
    }

    /// How long it goes on, in seconds that have begun.
    pub fn left(&self, now: Instant) -> u64 {
        match now < self.ends {
            true => (self.ends - now).total_micros().div_ceil(1_000_000),
            false => 0,
        }
    }

    /// What was before.
    pub fn into_before(self) -> Config {
        self.before
    }
}
