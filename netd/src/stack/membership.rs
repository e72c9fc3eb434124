//! When routers and switches are told which groups we are in: what IGMP and MLD have in common.

use std::collections::BTreeMap;

use smoltcp::time::{Duration, Instant};

use super::random::Random;

/// How often a change is told (RFC 3376 section 8.1, RFC 3810 section 9.1).
const ROBUSTNESS: u8 = 2;
/// Between two of those, at most (RFC 3376 section 8.11, RFC 3810 section 9.11).
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a router of the older version counts as present after it asked: two of its usual intervals, and the time
/// for an answer (RFC 3376 section 8.12, RFC 3810 section 9.12).
const OLDER_PRESENT: Duration = Duration::from_secs(2 * 125 + 10);
/// Changes that wait to be told. Who is not told of one more asks sooner or later, and hears of all groups; a link that
/// carries nothing for long is told of them anyway when it does.
const MOST_CHANGES: usize = 1024;
/// Records in one report: what fits into a packet that every link carries.
pub const MOST_RECORDS: usize = 60;

/// What is said of a group, with the number that both protocols have for it (RFC 3376 section 4.2.12, RFC 3810
/// section 5.2.12). Sources are never chosen: no source is left out of a group that we are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Record {
    /// `MODE_IS_EXCLUDE`: we are in it.
    Present = 2,
    /// `CHANGE_TO_INCLUDE_MODE`: we have left it.
    Left = 3,
    /// `CHANGE_TO_EXCLUDE_MODE`: we have joined it.
    Joined = 4,
}

/// What a router asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<A> {
    /// One group, or all.
    pub group: Option<A>,
    /// It speaks the older version alone: IGMPv2, MLDv1.
    pub is_older: bool,
    /// How long the answer may take.
    pub patience: Duration,
}

/// What is to be told now.
#[derive(Debug, PartialEq, Eq)]
pub struct Report<A> {
    /// In the words of the older version.
    pub is_older: bool,
    /// The groups.
    pub records: Vec<(Record, A)>,
}

#[derive(Clone, Copy, Debug)]
struct Question<A> {
    group: Option<A>,
    answer_at: Instant,
}

/// What there is to tell on one link about groups of one IP version.
#[derive(Debug)]
pub struct Membership<A> {
    /// Groups that were joined or left, and how often that is still to be told.
    changes: BTreeMap<A, (Record, u8)>,
    tell_at: Option<Instant>,
    question: Option<Question<A>>,
    older_until: Option<Instant>,
}

impl<A> Default for Membership<A> {
    fn default() -> Self {
        Self { changes: BTreeMap::new(), tell_at: None, question: None, older_until: None }
    }
}

impl<A: Copy + Ord> Membership<A> {
    /// A group was joined, or left.
    pub fn change(&mut self, group: A, joined: bool, now: Instant) {
        if self.changes.len() >= MOST_CHANGES && !self.changes.contains_key(&group) {
            return;
        }
        let record = if joined { Record::Joined } else { Record::Left };
        self.changes.insert(group, (record, ROBUSTNESS));
        self.tell_at = Some(now);
    }

    /// Takes a query; a general one goes before one about a group, and the sooner one before the later one.
    pub fn receive(&mut self, query: Query<A>, now: Instant, random: &mut Random) {
        if query.is_older {
            self.older_until = Some(now + OLDER_PRESENT);
        }
        let delay = Duration::from_micros(random.next_u64() % query.patience.total_micros().max(1));
        let question = Question { group: query.group, answer_at: now + delay };
        self.question = Some(match self.question {
            Some(known) => Question {
                group: known.group.filter(|group| question.group == Some(*group)),
                answer_at: known.answer_at.min(question.answer_at),
            },
            None => question,
        });
    }

    /// What is due to be told by a member of `groups`.
    pub fn poll(
        &mut self,
        groups: impl Iterator<Item = A>,
        now: Instant,
        random: &mut Random,
    ) -> Vec<Report<A>> {
        let is_older = self.older_until.is_some_and(|until| now < until);
        let mut reports = Vec::new();
        if self.tell_at.is_some_and(|at| at <= now) {
            let records = self.changes.iter().map(|(group, (record, _))| (*record, *group)).collect();
            reports.push(Report { is_older, records });
            self.changes.retain(|_, (_, left)| {
                *left -= 1;
                *left > 0
            });
            let delay = Duration::from_micros(random.next_u64() % INTERVAL.total_micros());
            self.tell_at = (!self.changes.is_empty()).then_some(now + delay);
        }
        if let Some(question) = self.question.take_if(|question| question.answer_at <= now) {
            let asked = groups.filter(|group| question.group.is_none_or(|asked| asked == *group));
            reports.push(Report { is_older, records: asked.map(|group| (Record::Present, group)).collect() });
        }
        reports
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        super::earlier(self.tell_at, self.question.map(|question| question.answer_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: u8 = 7;

    fn report(is_older: bool, record: Record) -> Vec<Report<u8>> {
        vec![Report { is_older, records: vec![(record, GROUP)] }]
    }

    /// What is told when it is due.
    fn told(membership: &mut Membership<u8>, random: &mut Random) -> (Instant, Vec<Report<u8>>) {
        let now = membership.deadline().unwrap();
        (now, membership.poll([GROUP, 8].into_iter(), now, random))
    }

    #[test]
    fn a_change_is_told_twice_and_a_query_answered_in_time() {
        let (mut membership, mut random) = (Membership::default(), Random::new([1, 1]));
        membership.change(GROUP, true, Instant::ZERO);
        assert_eq!(told(&mut membership, &mut random), (Instant::ZERO, report(false, Record::Joined)));
        let (again, reports) = told(&mut membership, &mut random);
        assert_eq!(reports, report(false, Record::Joined));
        assert!(again <= Instant::ZERO + INTERVAL);
        assert_eq!(membership.deadline(), None);
        let query = Query { group: Some(GROUP), is_older: false, patience: Duration::from_secs(10) };
        membership.receive(query, again, &mut random);
        let (answer, reports) = told(&mut membership, &mut random);
        assert_eq!(reports, report(false, Record::Present));
        assert!(answer < again + Duration::from_secs(10));
    }

    #[test]
    fn programs_that_come_and_go_do_not_make_us_grow_while_nobody_can_be_told() {
        let (mut membership, mut random) = (Membership::default(), Random::new([1, 1]));
        for group in 0..100_000_u32 {
            membership.change(group, true, Instant::ZERO);
            membership.change(group, false, Instant::ZERO);
        }
        let told = membership.poll([].into_iter(), Instant::ZERO, &mut random);
        assert_eq!(told.iter().map(|report| report.records.len()).sum::<usize>(), MOST_CHANGES);
    }

    #[test]
    fn a_general_query_goes_before_one_about_a_group() {
        let (mut membership, mut random) = (Membership::default(), Random::new([1, 1]));
        for group in [Some(8), None, Some(GROUP)] {
            let query = Query { group, is_older: false, patience: Duration::from_secs(1) };
            membership.receive(query, Instant::ZERO, &mut random);
        }
        let (_, reports) = told(&mut membership, &mut random);
        assert_eq!(reports[0].records, [(Record::Present, GROUP), (Record::Present, 8)]);
        assert_eq!(membership.deadline(), None, "one answer is for all");
    }

    #[test]
    fn the_words_of_an_older_router_are_used_as_long_as_it_is_there() {
        let (mut membership, mut random) = (Membership::default(), Random::new([1, 1]));
        let query = Query { group: None, is_older: true, patience: Duration::ZERO };
        membership.receive(query, Instant::ZERO, &mut random);
        membership.poll([].into_iter(), Instant::ZERO, &mut random);
        for (at, is_older) in [(OLDER_PRESENT - Duration::from_secs(1), true), (OLDER_PRESENT, false)] {
            membership.change(GROUP, false, Instant::ZERO + at);
            let told = membership.poll([].into_iter(), Instant::ZERO + at, &mut random);
            assert_eq!(told, report(is_older, Record::Left));
        }
    }
}
