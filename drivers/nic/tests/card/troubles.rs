//! A device that hangs, is mute, shares its line or goes costs its interface, and nothing else.

use std::time::Duration;

use nic::driver::Fault;

use crate::model::Card;
use models::rig::{Rig, frame};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_device_that_goes_is_noticed_within_a_second() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.unplug();
    let _ = rig.write_only(id, &[0; 60]);
    assert!(matches!(rig.pass(SECOND), Err(Fault::Gone)));
}

#[test]
fn without_interrupts_frames_are_late_and_not_lost() {
    for mut model in [Card::new(), Card::with_line()] {
        model.faults.mute = true;
        let mut rig = Rig::new(model);
        let id = rig.open_frames();
        let good = frame(Card::MAC, 100, 1);
        rig.arrive(&good);
        assert_eq!(rig.write(id, &good), Ok(100));
        rig.pass(SECOND).expect("the device is well");
        assert_eq!((rig.read_all(id), rig.sent()), (vec![good.clone()], vec![good]));
        assert_eq!(rig.pools.transmit.free(), rig.pools.transmit.size());
    }
}

#[test]
fn a_device_that_sends_nothing_is_reset_and_works_again() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let resets = rig.slot.with(|model, _| {
        model.faults.hangs = true;
        model.resets
    });
    for seed in 0..4 {
        assert_eq!(rig.write(id, &frame([2, 0, 0, 0, 0, 9], 60, seed)), Ok(60));
    }
    rig.pass(4 * SECOND).expect("the device is there");
    assert_eq!(rig.stat("tx_timeout"), 0);
    rig.pass(2 * SECOND).expect("the device is there");
    assert_eq!((rig.stat("tx_timeout"), rig.stat("tx_dropped")), (1, 4));
    assert!(rig.slot.with(|model, _| model.resets) > resets);

    rig.slot.with(|model, _| model.faults.hangs = false);
    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    assert_eq!(rig.write(id, &good), Ok(100));
    assert_eq!((rig.read_all(id), rig.sent()), (vec![good.clone()], vec![good]));
}

#[test]
fn a_pulled_cable_is_no_transmit_timeout() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, bus| model.set_link(bus, false));
    rig.settle();
    assert_eq!(rig.write(id, &[0; 60]), Ok(60));
    rig.pass(20 * SECOND).expect("the device is well");
    rig.slot.with(|model, bus| model.set_link(bus, true));
    rig.settle();
    assert_eq!(rig.sent(), [[0; 60]]);
    assert_eq!(rig.stat("tx_timeout"), 0);
}

#[test]
fn a_stuck_interrupt_line_is_slowed_down_while_frames_pass() {
    let mut rig = Rig::new(Card::with_line());
    let id = rig.open_frames();
    rig.slot.with(|model, bus| {
        model.faults.stuck = true;
        bus.raise(0);
    });
    // In no time at all, the line fires as often as it is let.
    for _ in 0..50_000 {
        rig.turn().expect("the device is well");
    }
    let unclaimed = rig.stat("interrupts_unclaimed");
    assert!((10_000..10_100).contains(&unclaimed), "{unclaimed} interrupts without a cause");
    assert_eq!(rig.stat("interrupt_storms"), 1);

    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    rig.pass(Duration::from_millis(10)).expect("the device is well");
    assert_eq!(rig.read_all(id), [good]);
}

#[test]
fn a_neighbours_interrupt_is_acknowledged_and_not_ours() {
    let mut rig = Rig::new(Card::with_line());
    let id = rig.open_frames();
    rig.settle();
    for _ in 0..100 {
        // The neighbour pulls the shared line, and lets it go once it was served.
        rig.slot.with(|_, bus| bus.raise(0));
        rig.turn().expect("the device is well");
        rig.slot.with(|_, bus| bus.lower());
        rig.settle();
    }
    assert!(rig.stat("interrupts_unclaimed") >= 100);
    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    rig.settle();
    assert_eq!(rig.read_all(id), [good], "the line was not left masked");
}
