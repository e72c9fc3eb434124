//! When routers are asked to advertise themselves: less and less often, until one does (RFC 7559).

use smoltcp::time::{Duration, Instant};

use crate::stack::random::Random;

/// Before the first question, at most (RFC 4861 section 6.3.7).
const MOST_DELAY: Duration = Duration::from_secs(1);
/// After the first question: IRT.
const FIRST: Duration = Duration::from_secs(4);
/// After any: MRT.
const LONGEST: Duration = Duration::from_secs(3600);

/// The questions.
#[derive(Debug, Default)]
pub struct Solicitations {
    next: Option<Instant>,
    interval: Duration,
}

impl Solicitations {
    /// Begins anew: the link has come up.
    pub fn start(&mut self, now: Instant, random: &mut Random) {
        self.interval = Duration::ZERO;
        self.next = Some(now + Duration::from_micros(random.next_u64() % MOST_DELAY.total_micros()));
    }

    /// A router has answered.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Whether to ask now.
    pub fn poll(&mut self, now: Instant, random: &mut Random) -> bool {
        if self.next.is_none_or(|next| now < next) {
            return false;
        }
        let wanted = if self.interval == Duration::ZERO { FIRST } else { (self.interval * 2).min(LONGEST) };
        // A tenth more or less, as RFC 8415 section 15 has it.
        let tenth = wanted.total_micros() / 10;
        let spread = Duration::from_micros(random.next_u64() % (2 * tenth));
        self.interval = wanted - Duration::from_micros(tenth) + spread;
        self.next = Some(now + self.interval);
        true
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_rare_and_end_with_an_answer() {
        let (mut solicitations, mut random) = (Solicitations::default(), Random::new([5, 6]));
        solicitations.start(Instant::ZERO, &mut random);
        let times: Vec<_> = (0..14)
            .map(|_| {
                let at = solicitations.deadline().unwrap();
                assert!(solicitations.poll(at, &mut random));
                assert!(!solicitations.poll(at, &mut random));
                at
            })
            .collect();
        assert!(times[0] < Instant::ZERO + MOST_DELAY);
        let gaps: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).secs()).collect();
        assert!((3..=4).contains(&gaps[0]) && (6..=9).contains(&gaps[1]), "{gaps:?}");
        assert!(gaps[12] >= 3240 && gaps[12] <= 3960, "{gaps:?}");
        solicitations.stop();
        assert_eq!(solicitations.deadline(), None);
    }
}
