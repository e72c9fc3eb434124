//! The device tests itself, whether it is in use or not, and frames pass as before afterwards.

use std::time::Duration;

use scheme::errno::{EAGAIN, EINVAL};
use scheme::flag::O_RDONLY;

use crate::model::Card;
use models::rig::{Rig, frame};

const PASSED: &str = "registers pass\nloopback pass 32/32\nlink pass\n";

/// More than a test may take.
const LONG: Duration = Duration::from_secs(6);

#[test]
fn frames_come_back_whole_and_others_pass_afterwards() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.cat("selftest"), "", "nobody has asked yet");
    assert_eq!(rig.echo("selftest", "go"), Err(EINVAL));
    let id = rig.open_frames();
    for round in 0..2 {
        assert_eq!(rig.echo("selftest", "run\n"), Ok(4));
        assert_eq!(rig.cat("selftest"), PASSED);
        assert!(rig.sent().is_empty() && rig.read_all(id).is_empty(), "nothing of it gets out");
        let frame = frame(Card::MAC, 1514, round);
        rig.arrive(&frame);
        assert_eq!(rig.write(id, &frame), Ok(1514));
        assert_eq!((rig.drain(id), rig.sent()), (vec![frame.clone()], vec![frame]));
    }
    assert_eq!((rig.stat("rx_packets"), rig.stat("tx_packets")), (2, 2), "the test's frames are no traffic");
}

#[test]
fn a_device_that_nobody_uses_is_started_for_it_and_stopped_again() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.echo("mtu", "1400"), Ok(4), "its frames are no longer than that");
    assert!(rig.echo("selftest", "run").is_ok());
    assert_eq!(rig.cat("selftest"), PASSED);
    assert!(rig.slot.with(|model, _| model.is_quiet()));
    let pools = rig.pools.clone();
    assert_eq!((pools.receive.free(), pools.transmit.free()), (pools.receive.size(), pools.transmit.size()));
}

#[test]
fn frames_that_a_device_is_not_ready_for_are_sent_again_and_traffic_waits() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.deaf = 5);
    assert!(rig.echo("selftest", "run").is_ok());
    let result = rig.open("selftest", O_RDONLY).expect("it opens");
    assert_eq!(rig.read(result), Err(EAGAIN), "it is under way");
    let frame = frame([2, 0, 0, 0, 0, 9], 60, 0);
    assert_eq!(rig.write(id, &frame), Ok(60));
    assert!(rig.sent().is_empty());
    rig.pass(LONG).expect("the device is there");
    assert_eq!(rig.read(result), Ok(PASSED.into()));
    assert_eq!(rig.sent(), [frame]);
}

#[test]
fn a_device_that_receives_nothing_of_it_fails_it_and_works_on() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.deaf = usize::MAX);
    assert!(rig.echo("selftest", "run").is_ok());
    rig.pass(LONG).expect("the device is there");
    assert_eq!(rig.cat("selftest"), "registers pass\nloopback fail 0/32\nlink pass\n");
    let frame = frame(Card::MAC, 60, 0);
    rig.arrive(&frame);
    assert_eq!(rig.drain(id), [frame]);
}

#[test]
fn a_device_that_sends_nothing_fails_it_and_what_it_had_is_counted() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.hangs = true);
    let frame = frame([2, 0, 0, 0, 0, 9], 60, 0);
    assert_eq!(rig.write(id, &frame), Ok(60));
    assert!(rig.echo("selftest", "run").is_ok());
    rig.pass(LONG).expect("the device is there");
    assert_eq!(rig.cat("selftest"), "registers pass\nloopback fail 0/32\nlink pass\n");
    rig.slot.with(|model, _| model.faults.hangs = false);
    assert_eq!(rig.write(id, &frame), Ok(60));
    assert_eq!((rig.sent(), rig.stat("tx_dropped")), (vec![frame], 1));
}

#[test]
fn a_device_whose_driver_was_killed_in_a_test_is_no_longer_looped_with_the_next_driver() {
    let mut rig = Rig::new(Card::new());
    rig.slot.with(|model, _| model.faults.deaf = usize::MAX);
    assert!(rig.echo("selftest", "run").is_ok());
    let result = rig.open("selftest", O_RDONLY).expect("it opens");
    assert_eq!(rig.read(result), Err(EAGAIN), "it is under way");
    let mut model = rig.kill();
    model.faults.deaf = 0;

    let mut rig = Rig::new(model);
    let id = rig.open_frames();
    let frame = frame(Card::MAC, 1514, 0);
    assert_eq!(rig.write(id, &frame), Ok(1514));
    assert_eq!((rig.drain(id), rig.sent()), (vec![], vec![frame.clone()]));
    rig.arrive(&frame);
    assert_eq!((rig.drain(id), rig.cat("link").as_str()), (vec![frame], Card::LINK));
}
