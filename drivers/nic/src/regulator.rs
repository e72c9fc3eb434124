//! Interrupt intervals that follow the traffic: short ones while a frame must not wait, long ones while there are many.

use std::time::{Duration, Instant};

/// How long traffic is watched before it is judged.
const WINDOW: Duration = Duration::from_millis(10);

/// The kinds of traffic, named as Linux's documentation of e1000 does (`InterruptThrottleRate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Few frames: each may have an interrupt of its own.
    LowestLatency,
    /// Many frames, and most of them small: what is asked and answered.
    LowLatency,
    /// Many large frames: somebody moves a file.
    Bulk,
}

/// Below so many frames a second an interrupt each costs nothing that would be felt.
const FEW: u64 = 2_000;

/// Above so many bytes a second, in frames that are as long on average, it is bulk: 80 Mbit/s, of more than half of
/// what Ethernet's frames can be.
const MUCH: u64 = 10_000_000;
const LONG: u64 = 800;

impl Class {
    /// What traffic of so many frames and bytes a second is.
    fn of(frames: u64, bytes: u64) -> Self {
        if frames < FEW {
            Self::LowestLatency
        } else if bytes > MUCH && bytes / frames > LONG {
            Self::Bulk
        } else {
            Self::LowLatency
        }
    }

    /// At most 70,000, 20,000 and 4,000 interrupts a second, in microseconds from one to the next.
    fn interval(self) -> u32 {
        match self {
            Self::LowestLatency => 14,
            Self::LowLatency => 50,
            Self::Bulk => 250,
        }
    }

    /// One step from here to `other`, so that a moment's traffic does not turn everything round.
    fn towards(self, other: Self) -> Self {
        match (self, other) {
            (Self::LowestLatency, Self::Bulk) | (Self::Bulk, Self::LowestLatency) => Self::LowLatency,
            (_, other) => other,
        }
    }
}

/// Watches the traffic of one direction.
#[derive(Debug)]
pub struct Regulator {
    class: Class,
    /// Since when, and from which counts on.
    since: Instant,
    frames: u64,
    bytes: u64,
}

impl Regulator {
    /// Watches from `now` on.
    pub fn new(now: Instant) -> Self {
        Self { class: Class::LowestLatency, since: now, frames: 0, bytes: 0 }
    }

    /// The interval for what has passed so far: `frames` and `bytes` in all.
    pub fn interval(&mut self, now: Instant, frames: u64, bytes: u64) -> u32 {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= WINDOW {
            let micros = elapsed.as_micros() as u64;
            let a_second = |count: u64| count.saturating_mul(1_000_000) / micros;
            let seen = Class::of(
                a_second(frames.saturating_sub(self.frames)),
                a_second(bytes.saturating_sub(self.bytes)),
            );
            *self = Self { class: self.class.towards(seen), since: now, frames, bytes };
        }
        self.class.interval()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Intervals after each of `windows` windows with so many frames of this length.
    fn intervals(regulator: &mut Regulator, windows: u32, frames: u64, length: u64) -> Vec<u32> {
        (0..windows)
            .map(|_| {
                let (frames, now) = (regulator.frames + frames, regulator.since + WINDOW);
                regulator.interval(now, frames, regulator.bytes + (frames - regulator.frames) * length)
            })
            .collect()
    }

    #[test]
    fn intervals_follow_the_traffic_step_by_step() {
        let mut regulator = Regulator::new(Instant::now());
        assert_eq!(intervals(&mut regulator, 2, 10, 60), [14, 14], "a few frames");
        assert_eq!(intervals(&mut regulator, 3, 800, 1514), [50, 250, 250], "a file");
        assert_eq!(intervals(&mut regulator, 2, 800, 60), [50, 50], "questions and answers");
        assert_eq!(intervals(&mut regulator, 2, 0, 0), [14, 14], "nothing");
    }

    #[test]
    fn a_moment_is_no_traffic() {
        let start = Instant::now();
        let mut regulator = Regulator::new(start);
        assert_eq!(regulator.interval(start + WINDOW / 2, 1_000_000, 1_000_000_000), 14);
    }
}
