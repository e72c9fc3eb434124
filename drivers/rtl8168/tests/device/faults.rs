//! A device that lies, hangs or goes costs its interface, and nothing else.

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn a_phy_that_is_down_is_woken_and_a_mute_one_left_to_itself() {
    let rig = Rig::new(Card::new());
    assert_eq!(rig.slot.with(|model, _| model.own.phy_control), 1 << 12 | 1 << 9);

    let mut model = Card::new();
    model.own.mute_phy = true;
    assert_eq!(Rig::new(model).cat("link"), Card::LINK);
}

#[test]
fn counters_that_never_come_are_done_without() {
    let mut model = Card::new();
    model.own.endless_dump = true;
    let mut rig = Rig::new(model);
    let id = rig.open_frames();
    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    assert_eq!((rig.drain(id), rig.stat("rx_missed_errors")), (vec![good], 0));
}

#[test]
fn bad_frames_are_counted_by_what_is_wrong_and_the_ring_goes_on() {
    const WHOLE: u32 = 3 << 28;
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for (name, status) in [
        ("rx_length_errors", WHOLE),
        ("rx_length_errors", WHOLE | 17),
        ("rx_length_errors", WHOLE | 0x3fff),
        // It begins here and does not end.
        ("rx_length_errors", 1 << 29 | 100),
        ("rx_length_errors", WHOLE | 1 << 20 | 1 << 21 | 100),
        ("rx_length_errors", WHOLE | 1 << 22 | 1 << 21 | 100),
        ("rx_crc_errors", WHOLE | 1 << 19 | 1 << 21 | 100),
        ("rx_fifo_errors", WHOLE | 1 << 23 | 1 << 21 | 100),
    ] {
        let before = rig.stat(name);
        rig.slot.with(|model, _| model.faults.status = Some(status));
        for seed in 0..100 {
            rig.arrive(&frame(Card::MAC, 100, seed));
            rig.settle();
        }
        assert!(rig.read_all(id).is_empty(), "{status:#x}");
        assert_eq!(rig.stat(name) - before, 100, "{status:#x}");
    }
    rig.slot.with(|model, _| model.faults.status = None);
    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    rig.settle();
    assert_eq!(rig.read_all(id), [good]);
}

#[test]
fn jumbo_frames_in_impossible_pieces_are_thrown_away() {
    const BEGINS: u32 = 1 << 29;
    const ENDS: u32 = 1 << 28;
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert!(rig.echo("mtu", "9000\n").is_ok());
    let mut bad = |pieces: &[u32]| {
        for &status in pieces {
            rig.slot.with(|model, _| model.faults.status = Some(status));
            rig.arrive(&frame(Card::MAC, 100, 1));
            rig.settle();
        }
        assert!(rig.read_all(id).is_empty());
        rig.stat("rx_length_errors")
    };
    // One that has no beginning, and its rest.
    assert_eq!(bad(&[0, 0, ENDS | 100]), 1);
    // One that has no end: another begins.
    assert_eq!(bad(&[BEGINS, BEGINS | ENDS]), 3);
    // One that is shorter than its first piece, or longer than both.
    assert_eq!(bad(&[BEGINS, ENDS | 1000, BEGINS, ENDS | 4090]), 5);
    // One without end at all.
    assert_eq!(bad(&[BEGINS, 0, 0, 0, 0, 0, 0, ENDS | 100]), 6);
}
