//! A device runs while it is used, and is quiet otherwise.

use std::time::Duration;

use scheme::EventFlags;
use scheme::flag::{O_RDONLY, O_STAT, O_WRONLY};

use crate::model::Card;
use models::rig::{Rig, frame};

fn is_quiet(rig: &Rig<Card>) -> bool {
    rig.slot.with(|model, _| model.is_quiet())
}

#[test]
fn the_device_runs_from_the_first_open_to_the_last_close() {
    let mut rig = Rig::new(Card::new());
    assert!(is_quiet(&rig) && !rig.slot.is_bus_master());

    let (first, second) = (rig.open_frames(), rig.open_frames());
    assert!(!is_quiet(&rig) && rig.slot.is_bus_master());
    rig.close(first);
    assert!(!is_quiet(&rig));
    rig.close(second);
    assert!(is_quiet(&rig) && !rig.slot.is_bus_master());
    assert_eq!(rig.pools.receive.free(), rig.pools.receive.size());
}

#[test]
fn a_driver_that_ends_leaves_the_device_quiet() {
    let mut rig = Rig::new(Card::new());
    rig.open_frames();
    let slot = rig.slot.clone();
    drop(rig);
    assert!(slot.with(|model, _| model.is_quiet()) && !slot.is_bus_master());
}

#[test]
fn looking_at_nodes_does_not_start_it() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.open("frame", O_STAT | O_RDONLY).is_ok());
    assert!(rig.open("", O_RDONLY).is_ok());
    rig.cat("stats");
    assert_eq!(rig.cat("link"), Card::LINK);
    assert!(is_quiet(&rig));
}

#[test]
fn it_can_be_started_many_times_and_goes_on_counting() {
    let mut rig = Rig::new(Card::new());
    for round in 1..=50 {
        let id = rig.open_frames();
        let frame = frame(Card::MAC, 60 + round, round);
        rig.arrive(&frame);
        assert_eq!(rig.write(id, &frame), Ok(frame.len()));
        assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]));
        rig.close(id);
    }
    assert_eq!((rig.stat("rx_packets"), rig.stat("tx_packets")), (50, 50));
}

#[test]
fn what_was_written_before_the_last_close_still_leaves() {
    let mut rig = Rig::new(Card::new());
    let reader = rig.open_frames();
    rig.slot.with(|model, bus| model.set_link(bus, false));
    rig.settle();
    rig.close(reader);

    // As `printf ... > frame` does, while the link is still coming up.
    let id = rig.open("frame", O_WRONLY).expect("`frame` opens");
    let frame = frame([2, 0, 0, 0, 0, 9], 60, 1);
    assert_eq!(rig.write(id, &frame), Ok(60));
    rig.close(id);
    assert!(!is_quiet(&rig), "it waits for the frame to leave");
    rig.slot.with(|model, bus| model.set_link(bus, true));
    rig.settle();
    assert_eq!(rig.sent(), [frame]);
    assert!(is_quiet(&rig));
}

#[test]
fn what_is_written_between_an_open_and_a_close_that_come_together_leaves() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_as("frame", O_WRONLY, 0).expect("`frame` opens");
    let frame = frame([2, 0, 0, 0, 0, 9], 60, 1);
    assert_eq!(rig.write_only(id, &frame), Ok(60));
    rig.close(id);
    assert_eq!(rig.sent(), [frame]);
    assert!(is_quiet(&rig));
}

#[test]
fn it_does_not_wait_for_ever_after_the_last_close() {
    let mut rig = Rig::new(Card::new());
    rig.slot.with(|model, bus| model.set_link(bus, false));
    let id = rig.open_frames();
    assert_eq!(rig.write(id, &[0; 60]), Ok(60));
    rig.close(id);
    rig.pass(Duration::from_secs(6)).expect("the device is well");
    assert!(is_quiet(&rig));
    assert_eq!(rig.stat("tx_dropped"), 1);
    assert_eq!(rig.pools.transmit.free(), rig.pools.transmit.size());
}

#[test]
fn link_changes_are_edges_for_those_who_have_read_it() {
    let mut rig = Rig::new(Card::new());
    let frames = rig.open_frames();
    let link = rig.open("link", O_RDONLY).expect("`link` opens");
    assert_eq!(rig.ready(link), EventFlags::EVENT_READ);
    assert_eq!(rig.read(link), Ok(Card::LINK.as_bytes().to_vec()));
    assert_eq!(rig.ready(link), EventFlags::empty());

    rig.slot.with(|model, bus| model.set_link(bus, false));
    rig.settle();
    assert_eq!(rig.ready(link), EventFlags::EVENT_READ);
    assert_eq!(rig.read(link), Ok(b"state down\n".to_vec()));
    assert_eq!(rig.stat("link_changes"), 1);
    rig.close(frames);
}
