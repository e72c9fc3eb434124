use std::time::{Duration, Instant};

use proptest::prelude::*;
use redox_scheme::{Request, RequestKind};

use super::{Parking, Resume, Waits, direction, must_wait, outward};
use crate::errno::{EAGAIN, EAGAIN_NOW, EAGAIN_READ, EAGAIN_WRITE, EIO};
use crate::{Error, EventFlags, Notifier};

const READ: EventFlags = EventFlags::EVENT_READ;
const WRITE: EventFlags = EventFlags::EVENT_WRITE;

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Answers the operations that it is told to, and writes down what happens.
#[derive(Debug, Default)]
struct Ledger {
    done: Vec<u64>,
    tried: Vec<u64>,
    expired: Vec<(u64, char)>,
    woken: Vec<(usize, EventFlags)>,
}

impl Resume<u64, char> for Ledger {
    fn resume(&mut self, key: u64, operation: char) -> Option<char> {
        self.tried.push(key);
        (!self.done.contains(&key)).then_some(operation)
    }

    fn expire(&mut self, key: u64, operation: char) {
        self.expired.push((key, operation));
    }

    fn wake(&mut self, handle: usize, flags: EventFlags) {
        self.woken.push((handle, flags));
    }
}

fn parking() -> Parking<u64, char> {
    Parking::new(Notifier::default(), Instant::now())
}

/// Tries what is parked on `handle`, answers those named in `done`, and tells who was tried.
fn retry(parking: &mut Parking<u64, char>, handle: usize, flags: EventFlags, done: &[u64]) -> Vec<u64> {
    let mut ledger = Ledger { done: done.to_vec(), ..Ledger::default() };
    parking.retry(Waits::ForHandle(handle), flags, &mut ledger);
    ledger.tried
}

#[test]
fn only_the_handle_that_changed_is_tried_in_order_of_arrival() {
    let mut parking = parking();
    let now = Instant::now();
    parking.park(30, Waits::ForHandle(7), READ, 'a', now);
    parking.park(10, Waits::ForHandle(8), READ, 'b', now);
    parking.park(20, Waits::ForHandle(7), READ, 'c', now);
    assert_eq!(retry(&mut parking, 7, READ, &[30]), [30, 20]);
    assert_eq!(retry(&mut parking, 7, READ, &[20]), [20]);
    assert_eq!(retry(&mut parking, 7, READ, &[]), []);
    assert_eq!(retry(&mut parking, 8, READ, &[]), [10]);
}

#[test]
fn a_change_in_one_direction_leaves_the_other_parked() {
    let mut parking = parking();
    let now = Instant::now();
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    parking.park(2, Waits::ForHandle(7), WRITE, 'w', now);
    parking.park(3, Waits::ForHandle(7), READ | WRITE, 'c', now);
    assert_eq!(retry(&mut parking, 7, WRITE, &[2, 3]), [2, 3]);
    assert_eq!(retry(&mut parking, 7, READ | WRITE, &[1]), [1]);
}

#[test]
fn a_scheme_may_say_which_direction_an_operation_waits_for() {
    for (errno, waits, expected) in [
        (EAGAIN, true, READ | WRITE),
        (EAGAIN_READ, true, READ),
        (EAGAIN_WRITE, true, WRITE),
        (EAGAIN_NOW, false, READ | WRITE),
    ] {
        let error = Error::new(errno);
        assert_eq!((must_wait(error), direction(error, READ | WRITE)), (waits, expected));
        assert_eq!(outward(error), Error::new(EAGAIN), "callers know but one");
    }
    assert_eq!(outward(Error::new(EIO)), Error::new(EIO));
}

#[test]
fn a_scheme_learns_which_opens_wait_no_longer() {
    let notifier = Notifier::default();
    let mut parking = Parking::new(notifier.clone(), Instant::now());
    let RequestKind::Call(request) = Request::default().kind() else { panic!("not a call") };
    let open = request.caller().id;
    parking.park(1, Waits::ForRetry(open), READ | WRITE, 'o', Instant::now());
    parking.park(2, Waits::ForHandle(7), READ, 'r', Instant::now());
    assert_eq!(notifier.take_given_up(), []);
    notifier.retry(open);
    assert_eq!((parking.cancel(1), parking.cancel(2)), (Some('o'), Some('r')));
    assert_eq!(notifier.take_given_up(), [open]);
    assert_eq!(notifier.take_given_up(), []);
    assert!(!notifier.has_posted(), "a request that has its id is not tried for it");
}

#[test]
fn a_cancelled_operation_comes_out_once() {
    let mut parking = parking();
    parking.park(1, Waits::ForHandle(7), READ, 'a', Instant::now());
    assert_eq!(parking.cancel(1), Some('a'));
    assert_eq!(parking.cancel(1), None);
    assert_eq!(retry(&mut parking, 7, READ, &[]), []);
}

#[test]
fn an_operation_expires_at_its_own_limit() {
    let mut parking = parking();
    let now = Instant::now();
    parking.set_limit(7, READ, Some(second()));
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    parking.park(2, Waits::ForHandle(7), WRITE, 'w', now);
    parking.park(3, Waits::ForHandle(8), READ, 'x', now);
    assert_eq!(parking.deadline(), Some(now + second()));
    assert_eq!(parking.take_expired(now + second() / 2), None);
    assert_eq!(parking.take_expired(now + second()), Some((1, 'r')));
    assert_eq!(parking.take_expired(now + second() * 99), None);
    assert_eq!(parking.deadline(), None);
}

#[test]
fn a_lifted_limit_holds_for_later_operations() {
    let mut parking = parking();
    let now = Instant::now();
    parking.set_limit(7, READ | WRITE, Some(second()));
    parking.set_limit(7, READ, None);
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    assert_eq!(parking.deadline(), None);
    parking.park(2, Waits::ForHandle(7), READ | WRITE, 'c', now);
    assert_eq!(parking.deadline(), Some(now + second()));
}

#[test]
fn a_retried_operation_keeps_its_deadline_until_it_is_answered() {
    let mut parking = parking();
    let now = Instant::now();
    parking.set_limit(7, READ, Some(second()));
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    retry(&mut parking, 7, READ, &[]);
    assert_eq!(parking.deadline(), Some(now + second()));
    retry(&mut parking, 7, READ, &[1]);
    assert_eq!(parking.deadline(), None);
}

#[test]
fn closing_a_handle_takes_its_operations_and_limits_along() {
    let mut parking = parking();
    let now = Instant::now();
    parking.set_limit(7, READ, Some(second()));
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    assert_eq!(parking.close(7), [(1, 'r')]);
    parking.park(2, Waits::ForHandle(7), READ, 's', now);
    assert_eq!(parking.deadline(), None);
}

#[test]
fn a_flush_retries_wakes_and_expires() {
    let notifier = Notifier::default();
    let now = Instant::now();
    let mut parking = Parking::new(notifier.clone(), now);
    notifier.set_timeout(8, READ, Some(second()));
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    parking.park(2, Waits::ForHandle(8), READ, 's', now);
    notifier.post(7, READ);
    assert_eq!(parking.deadline(), Some(now), "what was posted is due at once");
    let mut ledger = Ledger { done: vec![1], ..Ledger::default() };
    parking.flush(now + second(), &mut ledger);
    assert_eq!(ledger.tried, [1]);
    assert_eq!(ledger.woken, [(7, READ)]);
    assert_eq!(ledger.expired, [(2, 's')]);
    assert_eq!(parking.deadline(), None);
}

#[test]
fn what_was_posted_for_a_closed_handle_is_forgotten() {
    let notifier = Notifier::default();
    let mut parking: Parking<u64, char> = Parking::new(notifier.clone(), Instant::now());
    notifier.post(7, READ);
    notifier.set_timeout(7, READ, Some(second()));
    parking.close(7);
    let mut ledger = Ledger::default();
    parking.flush(Instant::now(), &mut ledger);
    assert_eq!(ledger.woken, []);
    parking.park(1, Waits::ForHandle(7), READ, 'r', Instant::now());
    assert_eq!(parking.deadline(), None);
}

#[test]
fn a_flush_tries_each_operation_once_however_many_handles_are_posted() {
    const MANY: usize = 10_000;
    let notifier = Notifier::default();
    let now = Instant::now();
    let mut parking = Parking::new(notifier.clone(), now);
    for handle in 0..MANY {
        parking.park(handle as u64, Waits::ForHandle(handle), READ, 'r', now);
        notifier.post(handle, READ);
        notifier.post(handle, READ);
    }
    let mut ledger = Ledger::default();
    parking.flush(now, &mut ledger);
    assert_eq!((ledger.tried.len(), ledger.woken.len()), (MANY, MANY));
    parking.flush(now, &mut ledger);
    assert_eq!(ledger.tried.len(), MANY, "what was not posted is not tried");
}

/// Posts its handle with each retry, as two handles that talk to each other do.
struct Restless(Notifier, usize);

impl Resume<u64, char> for Restless {
    fn resume(&mut self, _: u64, operation: char) -> Option<char> {
        self.0.post(7, READ);
        self.1 += 1;
        Some(operation)
    }

    fn expire(&mut self, _: u64, _: char) {}

    fn wake(&mut self, _: usize, _: EventFlags) {}
}

#[test]
fn a_flush_that_causes_another_comes_to_an_end() {
    let notifier = Notifier::default();
    let now = Instant::now();
    let mut parking = Parking::new(notifier.clone(), now);
    parking.park(1, Waits::ForHandle(7), READ, 'r', now);
    notifier.post(7, READ);
    let mut restless = Restless(notifier, 0);
    parking.flush(now, &mut restless);
    assert!((1..100).contains(&restless.1));
    assert_eq!(parking.deadline(), Some(now), "the rest is due at once");
}

proptest! {
    /// Whatever is parked comes out exactly once, in whatever way.
    #[test]
    fn every_operation_comes_out_once(steps in prop::collection::vec((0u8..6, 0usize..4, 0u64..64), 1..200)) {
        let mut parking = parking();
        let mut now = Instant::now();
        let (mut parked, mut out) = (0, 0);
        for (step, handle, value) in steps {
            match step {
                0 | 1 => {
                    let direction = if value % 2 == 0 { READ } else { WRITE };
                    parking.park(parked, Waits::ForHandle(handle), direction, 'x', now);
                    parked += 1;
                }
                2 => {
                    let mut ledger = Ledger { done: vec![value, value + 1], ..Ledger::default() };
                    parking.retry(Waits::ForHandle(handle), READ, &mut ledger);
                    out += ledger.tried.iter().filter(|key| ledger.done.contains(key)).count() as u64;
                }
                3 => out += u64::from(parking.cancel(value).is_some()),
                4 => {
                    parking.set_limit(handle, READ, Some(Duration::from_millis(value)));
                    now += Duration::from_millis(10);
                    while parking.take_expired(now).is_some() { out += 1; }
                }
                _ => out += parking.close(handle).len() as u64,
            }
        }
        for handle in 0..4 {
            out += parking.close(handle).len() as u64;
        }
        prop_assert_eq!(out, parked);
        prop_assert_eq!(parking.deadline(), None);
        prop_assert!(parking.waits.is_empty());
    }
}
