use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Parking, Retry};
use crate::EventFlags;

const READ: EventFlags = EventFlags::EVENT_READ;
const WRITE: EventFlags = EventFlags::EVENT_WRITE;

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Tries what is parked on `handle`, answers those for whose key `done` is true, and tells who was tried.
fn retry(parking: &mut Parking<u64, char>, handle: usize, flags: EventFlags, done: &[u64]) -> Vec<u64> {
    let mut tried = Vec::new();
    parking.retry(handle, flags, |key, _| {
        tried.push(key);
        if done.contains(&key) { Retry::Done } else { Retry::Blocked }
    });
    tried
}

#[test]
fn only_the_handle_that_changed_is_tried_in_order_of_arrival() {
    let mut parking = Parking::default();
    let now = Instant::now();
    parking.park(30, 7, READ, 'a', now);
    parking.park(10, 8, READ, 'b', now);
    parking.park(20, 7, READ, 'c', now);
    assert_eq!(retry(&mut parking, 7, READ, &[30]), [30, 20]);
    assert_eq!(retry(&mut parking, 7, READ, &[20]), [20]);
    assert_eq!(retry(&mut parking, 7, READ, &[]), []);
    assert_eq!(retry(&mut parking, 8, READ, &[]), [10]);
}

#[test]
fn a_change_in_one_direction_leaves_the_other_parked() {
    let mut parking = Parking::default();
    let now = Instant::now();
    parking.park(1, 7, READ, 'r', now);
    parking.park(2, 7, WRITE, 'w', now);
    parking.park(3, 7, READ | WRITE, 'c', now);
    assert_eq!(retry(&mut parking, 7, WRITE, &[2, 3]), [2, 3]);
    assert_eq!(retry(&mut parking, 7, READ | WRITE, &[1]), [1]);
}

#[test]
fn a_cancelled_operation_comes_out_once() {
    let mut parking = Parking::default();
    parking.park(1, 7, READ, 'a', Instant::now());
    assert_eq!(parking.cancel(1), Some('a'));
    assert_eq!(parking.cancel(1), None);
    assert_eq!(retry(&mut parking, 7, READ, &[]), []);
}

#[test]
fn an_operation_expires_at_its_own_limit() {
    let mut parking = Parking::default();
    let now = Instant::now();
    parking.set_limit(7, READ, Some(second()));
    parking.park(1, 7, READ, 'r', now);
    parking.park(2, 7, WRITE, 'w', now);
    parking.park(3, 8, READ, 'x', now);
    assert_eq!(parking.deadline(), Some(now + second()));
    assert_eq!(parking.expire(now + second() / 2), None);
    assert_eq!(parking.expire(now + second()), Some((1, 'r')));
    assert_eq!(parking.expire(now + second() * 99), None);
    assert_eq!(parking.deadline(), None);
}

#[test]
fn a_lifted_limit_holds_for_later_operations() {
    let mut parking = Parking::default();
    let now = Instant::now();
    parking.set_limit(7, READ | WRITE, Some(second()));
    parking.set_limit(7, READ, None);
    parking.park(1, 7, READ, 'r', now);
    assert_eq!(parking.deadline(), None);
    parking.park(2, 7, READ | WRITE, 'c', now);
    assert_eq!(parking.deadline(), Some(now + second()));
}

#[test]
fn a_retried_operation_keeps_its_deadline_until_it_is_answered() {
    let mut parking = Parking::default();
    let now = Instant::now();
    parking.set_limit(7, READ, Some(second()));
    parking.park(1, 7, READ, 'r', now);
    retry(&mut parking, 7, READ, &[]);
    assert_eq!(parking.deadline(), Some(now + second()));
    retry(&mut parking, 7, READ, &[1]);
    assert_eq!(parking.deadline(), None);
}

#[test]
fn closing_a_handle_takes_its_operations_and_limits_along() {
    let mut parking = Parking::default();
    let now = Instant::now();
    parking.set_limit(7, READ, Some(second()));
    parking.park(1, 7, READ, 'r', now);
    assert_eq!(parking.close(7), [(1, 'r')]);
    parking.park(2, 7, READ, 's', now);
    assert_eq!(parking.deadline(), None);
}

proptest! {
    /// Whatever is parked comes out exactly once, in whatever way.
    #[test]
    fn every_operation_comes_out_once(steps in prop::collection::vec((0u8..6, 0usize..4, 0u64..64), 1..200)) {
        let mut parking = Parking::default();
        let mut now = Instant::now();
        let (mut parked, mut out) = (0, 0);
        for (step, handle, value) in steps {
            match step {
                0 | 1 => {
                    let direction = if value % 2 == 0 { READ } else { WRITE };
                    parking.park(parked, handle, direction, 'x', now);
                    parked += 1;
                }
                2 => parking.retry(handle, READ, |key, _| {
                    if key % 2 == value % 2 { out += 1; Retry::Done } else { Retry::Blocked }
                }),
                3 => out += u64::from(parking.cancel(value).is_some()),
                4 => {
                    parking.set_limit(handle, READ, Some(Duration::from_millis(value)));
                    now += Duration::from_millis(10);
                    while parking.expire(now).is_some() { out += 1; }
                }
                _ => out += parking.close(handle).len() as u64,
            }
        }
        for handle in 0..4 {
            out += parking.close(handle).len() as u64;
        }
        prop_assert_eq!(out, parked);
        prop_assert_eq!(parking.deadline(), None);
        prop_assert!(parking.handles.is_empty());
    }
}
