//! A device that nobody uses is powered down, and nobody touches it then.

use std::time::Duration;

use scheme::flag::O_RDWR;

use crate::model::Card;
use models::rig::{Rig, frame};

/// Longer than a device stays powered that nobody uses.
const LONG: Duration = Duration::from_secs(10);

fn pass(rig: &mut Rig<Card>, time: Duration) {
    rig.pass(time).expect("the device is well");
}

/// A frame each way.
fn frames_pass(rig: &mut Rig<Card>, reader: usize, seed: usize) {
    let frame = frame(Card::MAC, 60 + seed, seed);
    rig.arrive(&frame);
    assert_eq!(rig.write(reader, &frame), Ok(frame.len()));
    assert_eq!((rig.read_all(reader), rig.sent()), (vec![frame.clone()], vec![frame]));
}

#[test]
fn a_device_that_nobody_uses_is_powered_down_and_comes_back_at_the_next_open() {
    let mut rig = Rig::new(Card::new());
    for round in 1..=5 {
        assert_eq!(rig.cat("power"), "state D0\n");
        let id = rig.open_frames();
        frames_pass(&mut rig, id, round);
        pass(&mut rig, LONG);
        assert!(!rig.slot.is_powered_down(), "it is used");
        rig.close(id);
        pass(&mut rig, LONG);
        assert!(rig.slot.is_powered_down());
        assert_eq!((rig.cat("power").as_str(), rig.cat("link").as_str()), ("state D3hot\n", "state down\n"));

        let id = rig.open_frames();
        assert_eq!(rig.cat("link"), Card::LINK);
        frames_pass(&mut rig, id, round);
        rig.close(id);
    }
    assert_eq!((rig.stat("rx_packets"), rig.stat("tx_packets"), rig.stat("link_changes")), (10, 10, 0));
    assert_eq!(rig.slot.lost_accesses(), 0);
}

#[test]
fn one_that_is_opened_and_closed_in_quick_sequence_stays_powered() {
    let mut rig = Rig::new(Card::new());
    for _ in 0..20 {
        let id = rig.open_frames();
        rig.close(id);
        pass(&mut rig, Duration::from_secs(1));
        assert!(!rig.slot.is_powered_down());
    }
}

#[test]
fn it_is_powered_up_to_tell_of_its_registers_and_for_nothing_else_that_is_looked_at() {
    let mut rig = Rig::new(Card::new());
    let awake = rig.cat("registers");
    pass(&mut rig, LONG);
    for node in ["stats", "link", "address", "mtu", "filter", "features", "power"] {
        assert!(!rig.cat(node).is_empty());
    }
    assert_eq!(rig.echo("mtu", "1000"), Ok(4));
    assert!(rig.slot.is_powered_down());

    assert_eq!(rig.cat("registers"), awake);
    assert!(!rig.slot.is_powered_down());
    pass(&mut rig, LONG);
    assert!(rig.slot.is_powered_down());
    assert_eq!(rig.slot.lost_accesses(), 0);
}

#[test]
fn settings_that_were_written_meanwhile_are_its_own_when_it_comes_back() {
    let mut rig = Rig::new(Card::new());
    pass(&mut rig, LONG);
    assert_eq!(rig.echo("address", "52:54:00:00:00:07"), Ok(17));
    let id = rig.open("frame", O_RDWR).expect("`frame` opens");
    let (other, own) = ([0x52, 0x54, 0, 0, 0, 7], Card::MAC);
    rig.arrive(&frame(own, 60, 1));
    rig.arrive(&frame(other, 60, 2));
    assert_eq!(rig.drain(id), [frame(other, 60, 2)]);
}

#[test]
fn a_driver_that_ends_leaves_the_device_powered() {
    let mut rig = Rig::new(Card::new());
    pass(&mut rig, LONG);
    let slot = rig.slot.clone();
    drop(rig);
    assert!(!slot.is_powered_down());
    let mut rig = Rig::attach(slot).expect("the next driver takes it");
    let id = rig.open_frames();
    frames_pass(&mut rig, id, 1);
}
