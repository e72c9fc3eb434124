//! What the device says of itself, and counts.

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn features_and_registers_are_those_of_the_device() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.cat("features").contains("rx-checksum on\n"));
    assert!(rig.cat("registers").contains("STATUS 0x00000083\n"));
}

#[test]
fn what_the_device_misses_is_counted_once() {
    for keeps_counters in [false, true] {
        let mut rig = Rig::new(Card::new());
        rig.slot.with(|model, _| model.faults.keeps_counters = keeps_counters);
        for round in 1..=3 {
            let id = rig.open_frames();
            for seed in 0..300 {
                rig.arrive(&frame(Card::MAC, 100, seed));
            }
            assert_eq!(rig.drain(id).len(), 255);
            assert_eq!(rig.stat("rx_missed_errors"), 45 * round);
            assert_eq!(rig.stat("rx_missed_errors"), 45 * round, "asking changes nothing");
            rig.close(id);
        }
    }
}
