//! What the device says of itself, and counts.

use crate::model::{Card, Rtl8168};
use models::rig::{Rig, frame};

#[test]
fn features_and_registers_are_those_of_the_device() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.cat("features").contains("rx-checksum on\n"));
    assert!(rig.cat("registers").contains("TCR 0x54000000\n"));
}

#[test]
fn the_speed_is_what_the_phy_says() {
    assert_eq!(Rig::new(Rtl8168::of(0x8125, 0)).cat("link"), "state up\nspeed 2500\nduplex full\n");
    assert_eq!(Rig::new(Rtl8168::of(0x8169, 0)).cat("link"), "state up\nspeed 1000\nduplex full\n");
}

#[test]
fn what_the_device_misses_is_counted_once() {
    let mut rig = Rig::new(Card::new());
    for round in 1..=3 {
        let id = rig.open_frames();
        for seed in 0..300 {
            rig.arrive(&frame(Card::MAC, 100, seed));
        }
        assert_eq!(rig.drain(id).len(), 255);
        assert_eq!(rig.stat("rx_missed_errors"), 45 * round);
        assert_eq!(rig.stat("rx_missed_errors"), 45 * round, "asking changes nothing");
        assert_eq!(rig.stat("rx_errors"), 0, "what was missed was no bad frame");
        rig.close(id);
    }
}

#[test]
fn the_devices_counters_count_from_where_they_were_and_wrap() {
    let mut model = Card::new();
    for (offset, size) in [(24, 4), (28, 2), (60, 2)] {
        model.own.count(offset, size, u64::MAX);
    }
    let mut rig = Rig::new(model);
    let id = rig.open_frames();
    // A collision, three frames with more; one aborted, two underruns, one sent without carrier; seven bad frames.
    for (offset, size, count) in [(32, 4, 1), (36, 4, 3), (60, 2, 1), (62, 2, 2), (16, 8, 4), (24, 4, 7)] {
        rig.slot.with(|model, _| model.own.count(offset, size, count));
    }
    assert_eq!(
        (rig.stat("collisions"), rig.stat("tx_aborted_errors"), rig.stat("tx_fifo_errors")),
        (4, 1, 2)
    );
    assert_eq!((rig.stat("tx_errors"), rig.stat("rx_errors")), (4, 7));
    rig.close(id);
    assert_eq!(rig.stat("rx_errors"), 7, "they stay when the device is stopped");
}
