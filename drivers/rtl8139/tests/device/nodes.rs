//! What the device says of itself, and counts.

use crate::model::Card;
use models::rig::{Rig, frame};
use rtl8139::registers::{ANLPAR, BMCR, Bmcr};

#[test]
fn features_and_registers_are_those_of_the_device() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.cat("features").contains("rx-checksum on\n"));
    assert!(rig.cat("registers").contains("TCR 0x74800000\n"));
}

#[test]
fn duplex_is_what_both_ends_can_or_what_was_set() {
    let mut model = Card::new();
    model.set(ANLPAR, 2, 0x00e1);
    assert_eq!(Rig::new(model).cat("link"), "state up\nspeed 100\nduplex half\n");

    let mut model = Card::new();
    model.set(BMCR, 2, Bmcr::DUPLEX_MODE.bits().into());
    model.set(ANLPAR, 2, 0);
    assert_eq!(Rig::new(model).cat("link"), "state up\nspeed 100\nduplex full\n");
}

#[test]
fn what_the_device_misses_is_counted_once() {
    let mut rig = Rig::new(Card::new());
    for round in 1..=3 {
        let id = rig.open_frames();
        for seed in 0..100 {
            rig.arrive(&frame(Card::MAC, 100, seed));
        }
        assert_eq!(rig.drain(id).len(), 63);
        assert_eq!(rig.stat("rx_missed_errors"), 37 * round);
        assert_eq!(rig.stat("rx_missed_errors"), 37 * round, "asking changes nothing");
        rig.close(id);
    }
}

#[test]
fn the_counter_of_what_is_missed_runs_on_since_clearing_it_would_lose_what_was_just_missed() {
    let mut model = Card::new();
    model.own.missed = 0xff_fff0;
    let mut rig = Rig::new(model);
    assert_eq!(rig.stat("rx_missed_errors"), 0, "it stood there before");
    rig.slot.with(|model, _| model.own.missed += 20);
    assert_eq!(rig.stat("rx_missed_errors"), 20, "its 24 bits began anew on the way");
    assert_eq!(rig.slot.with(|model, _| model.own.missed), 0x100_0004);
}

#[test]
fn what_happens_to_frames_on_their_way_out_is_counted() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let frame = frame([2, 0, 0, 0, 0, 9], 60, 0);
    // Three collisions; too many of them; a late one; no carrier; an underrun.
    for status in [3 << 16, 1 << 20 | 1 << 23, 1 << 22 | 1 << 23, 1 << 21 | 1 << 23, 1 << 25 | 1 << 23] {
        rig.slot.with(|model, _| model.transmit_status = status);
        assert_eq!(rig.write(id, &frame), Ok(60));
    }
    assert_eq!(rig.stat("collisions"), 3);
    for name in ["tx_aborted_errors", "tx_window_errors", "tx_carrier_errors", "tx_fifo_errors"] {
        assert_eq!(rig.stat(name), 1, "{name}");
    }
    assert_eq!(rig.stat("tx_errors"), 4);
}
