//! What is the predecessors' own: places to send from, and a receive buffer of which the device says what is in it.

use std::time::Duration;

use crate::model::Card;
use models::rig::{Rig, frame};

const GOOD: u32 = 1;

#[test]
fn the_chip_says_that_it_has_no_descriptors() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.port.borrow().info.model, "RTL8139");
    assert!(!rig.cat("features").contains("rx-checksum on"));
}

#[test]
fn frames_wrap_at_the_buffers_end() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for seed in 0..1000 {
        let frame = frame(Card::MAC, 60 + seed % 1455, seed);
        rig.arrive(&frame);
        rig.settle();
        assert!(rig.read(id) == Ok(frame), "frame {seed}");
    }
}

#[test]
fn what_happens_to_frames_on_their_way_out_is_counted() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let frame = frame([2, 0, 0, 0, 0, 9], 60, 0);
    // Three collisions; given up; a late collision; no carrier; an underrun.
    for status in [3 << 24 | 1 << 15, 1 << 30, 1 << 29 | 1 << 15, 1 << 31 | 1 << 15, 1 << 14] {
        rig.slot.with(|model, _| model.transmit_status = status);
        assert_eq!(rig.write(id, &frame), Ok(60));
    }
    assert_eq!(rig.stat("collisions"), 3);
    for name in ["tx_aborted_errors", "tx_window_errors", "tx_carrier_errors", "tx_fifo_errors"] {
        assert_eq!(rig.stat(name), 1, "{name}");
    }
}

#[test]
fn a_bad_frame_is_counted_and_the_next_one_found() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for status in [104 << 16, GOOD | 1 << 2 | 104 << 16] {
        rig.slot.with(|model, _| model.faults.status = Some(status));
        rig.arrive(&frame(Card::MAC, 100, 1));
        rig.slot.with(|model, _| model.faults.status = None);
        let good = frame(Card::MAC, 100, 2);
        rig.arrive(&good);
        assert_eq!(rig.drain(id), [good]);
    }
    assert_eq!(rig.stat("rx_errors"), 2);
}

#[test]
fn a_length_that_cannot_be_has_the_device_reset() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for length in [0, 17, 2049, 0xfff0, 0xffff] {
        let resets = rig.slot.with(|model, _| {
            model.faults.status = Some(GOOD | length << 16);
            model.resets
        });
        rig.arrive(&frame(Card::MAC, 100, 1));
        rig.pass(Duration::from_secs(2)).expect("the device is there");
        assert!(rig.slot.with(|model, _| model.resets) > resets, "length {length}");
        rig.slot.with(|model, _| model.faults.status = None);
        let good = frame(Card::MAC, 100, 2);
        rig.arrive(&good);
        assert_eq!(rig.drain(id), [good]);
    }
}
