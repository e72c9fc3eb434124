//! What a batch of operations took: time, and what the system did meanwhile.

use std::fs;
use std::time::{Duration, Instant};

/// Redox's counters since its start. Where they cannot be had they stay 0.
const COUNTERS: &str = "/scheme/sys/stat";

/// A point in time, with the system's counters.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    at: Instant,
    counters: Counters,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counters {
    switches: u64,
    interrupts: u64,
}

impl Mark {
    /// Now; the counters are read before the clock.
    pub fn begin() -> Self {
        let counters = Counters::now();
        Self { at: Instant::now(), counters }
    }

    /// Tells what `operations` of the kind `name` took since then.
    pub fn tell(self, name: &str, operations: u64) {
        self.tell_until(Instant::now(), name, operations);
    }

    /// Tells what `operations` of the kind `name` took, the last of which ended at `end`.
    pub fn tell_until(self, end: Instant, name: &str, operations: u64) {
        let took = end.saturating_duration_since(self.at);
        let now = Counters::now();
        let (switches, interrupts) = (
            now.switches.saturating_sub(self.counters.switches),
            now.interrupts.saturating_sub(self.counters.interrupts),
        );
        println!("{name} {operations} {} {switches} {interrupts}", took.as_nanos());
    }

    /// How long ago it was.
    pub fn elapsed(self) -> Duration {
        self.at.elapsed()
    }
}

impl Counters {
    fn now() -> Self {
        fs::read_to_string(COUNTERS).map(|text| Self::parse(&text)).unwrap_or_default()
    }

    /// The lines `context_switches: N` and `IRQs TOTAL ...`.
    fn parse(text: &str) -> Self {
        let after = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name))?;
            value.split_whitespace().next()?.parse().ok()
        };
        Self {
            switches: after("context_switches:").unwrap_or_default(),
            interrupts: after("IRQs").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_counters_are_found_by_name() {
        let text = "cpu  1 2 3 4 5\ncpu0 1 2 3 4 5\nIRQs 70 0 60 10\nboot_time: 9\ncontext_switches: 1234\n";
        assert_eq!(Counters::parse(text), Counters { switches: 1234, interrupts: 70 });
        assert_eq!(Counters::parse("something else"), Counters::default());
    }
}
