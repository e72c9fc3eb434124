//! What the device says of itself, and counts.

use scheme::flag::O_RDONLY;

use crate::model::Card;
use crate::rig::{Rig, frame};

#[test]
fn attributes_say_what_the_device_is() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.cat("address"), "52:54:00:12:34:56\n");
    assert_eq!(rig.cat("mtu"), "1500\n");
    assert_eq!(rig.cat("filter"), "promisc off\nallmulti off\n");
    assert!(rig.cat("features").contains("rx-checksum on\n"));
    assert!(rig.cat("registers").contains("STATUS 0x00000083\n"));
    let mac = rig.open("mac", O_RDONLY).expect("`mac` opens");
    assert_eq!(rig.read(mac), Ok(Card::MAC.to_vec()));
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
