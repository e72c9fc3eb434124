//! When a message without an answer is sent again (RFC 2131 section 4.1).

use smoltcp::time::{Duration, Instant};

use crate::stack::random::Random;

/// The first wait, in seconds. The RFC's example has 4 s, but a link that has just come up loses frames.
const FIRST: u64 = 2;
/// The longest wait, in seconds.
const LONGEST: u64 = 64;
/// What the waits differ by: clients that began together do not go on so.
const JITTER: Duration = Duration::from_secs(1);

/// A message that was sent, and may have to be sent again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// How often it was sent.
    pub sent: u32,
    /// When it is sent again.
    pub at: Instant,
}

impl Retry {
    /// It was sent for the first time.
    pub fn first(now: Instant, random: &mut Random) -> Self {
        Self { sent: 0, at: now }.again(now, random)
    }

    /// It was sent once more: the next wait is twice as long, more or less.
    pub fn again(self, now: Instant, random: &mut Random) -> Self {
        let seconds = (FIRST << self.sent.min(LONGEST.ilog2())).min(LONGEST);
        Self { sent: self.sent.saturating_add(1), at: now + jittered(Duration::from_secs(seconds), random) }
    }
}

/// `time`, up to a second more or less.
pub fn jittered(time: Duration, random: &mut Random) -> Duration {
    time - JITTER + Duration::from_micros(random.next_u64() % (2 * JITTER.total_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_up_to_a_minute() {
        let mut random = Random::new([1, 2]);
        let (mut now, mut waits) = (Instant::from_secs(1000), Vec::new());
        let mut retry = Retry::first(now, &mut random);
        for _ in 0..70 {
            waits.push((retry.at - now).total_millis());
            now = retry.at;
            retry = retry.again(now, &mut random);
        }
        for (wait, expected) in waits.iter().zip([2, 4, 8, 16, 32, 64, 64].into_iter().chain([64; 63])) {
            assert!(wait.abs_diff(expected * 1000) <= 1000, "{waits:?}");
        }
    }
}
