//! Intervals between interrupts: those that are set, and those that follow the traffic.

use std::time::Duration;

use nic::{Intervals, Moderation};
use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::{Rig, frame};

/// More than the engine watches before it judges.
const WINDOW: Duration = Duration::from_millis(11);

/// A device counts in units of its own: it keeps what it is told, or so many microseconds more.
const UNIT: u32 = 30;

/// Fails unless the device keeps these intervals.
fn assert_keeps(rig: &Rig<Card>, wanted: Intervals, why: &str) {
    let kept = rig.slot.with(|model, _| model.intervals());
    let keeps = |kept, wanted| (wanted..=wanted + UNIT).contains(&kept);
    let both = keeps(kept.receive, wanted.receive) && keeps(kept.transmit, wanted.transmit);
    assert!(both, "{why}: {kept:?}, not {wanted:?}");
}

#[test]
fn an_interval_that_is_written_is_the_devices_at_once_and_after_a_reset() {
    let mut rig = Rig::new(Card::new());
    let initial = "rx-usecs 50\ntx-usecs 50\nadaptive off\n";
    assert_eq!(rig.cat("coalesce"), format!("{initial}rx-usecs-now 0\ntx-usecs-now 0\n"), "it is stopped");
    let id = rig.open_frames();
    assert_eq!(rig.cat("coalesce"), format!("{initial}rx-usecs-now 50\ntx-usecs-now 50\n"));

    let text = "tx-usecs 100\nrx-usecs 100\n";
    assert_eq!(rig.echo("coalesce", text), Ok(text.len()));
    let set = "rx-usecs 100\ntx-usecs 100\nadaptive off\nrx-usecs-now 100\ntx-usecs-now 100\n";
    assert_eq!(rig.cat("coalesce"), set);
    assert_keeps(&rig, Intervals::both(100), "what was written");
    for wrong in ["rx-usecs 100000000", "rx-usecs -1", "rx-usecs", "adaptive", "adaptive 1", "rx-frames 1"] {
        assert_eq!(rig.echo("coalesce", &format!("adaptive on\n{wrong}")), Err(EINVAL), "{wrong}");
    }
    assert_eq!(rig.cat("coalesce"), set);

    rig.slot.with(|model, _| model.faults.hangs = true);
    assert_eq!(rig.write(id, &frame([2, 0, 0, 0, 0, 9], 60, 0)), Ok(60));
    rig.pass(Duration::from_secs(7)).expect("the device is there");
    assert_eq!(rig.stat("tx_timeout"), 1);
    assert_keeps(&rig, Intervals::both(100), "after a reset");
}

#[test]
fn adaptive_intervals_follow_the_traffic() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert!(rig.echo("coalesce", "adaptive on").is_ok());
    rig.pass(2 * WINDOW).expect("the device is well");
    assert_keeps(&rig, Intervals::both(14), "nothing passes");

    for _ in 0..3 {
        for seed in 0..800 {
            rig.arrive(&frame(Card::MAC, 1514, seed));
            rig.settle();
            rig.read_all(id);
        }
        rig.pass(WINDOW).expect("the device is well");
        // What has passed is judged at the next turn.
        rig.arrive(&frame(Card::MAC, 60, 0));
        rig.settle();
    }
    let apart = matches!(rig.port.borrow().info.facilities.moderation, Moderation::TwoIntervals(_));
    let transmit = if apart { 14 } else { 250 };
    assert_keeps(&rig, Intervals { receive: 250, transmit }, "a file comes");
    let now = format!("rx-usecs-now 250\ntx-usecs-now {transmit}\n");
    assert!(rig.cat("coalesce").ends_with(&now), "{now}");

    rig.pass(Duration::from_secs(3)).expect("the device is well");
    assert_keeps(&rig, Intervals::both(14), "nothing passes again");
}
