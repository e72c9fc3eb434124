//! A device that lies, hangs, floods or goes costs its interface, and nothing else.

#[path = "../../../nic/tests/card/start.rs"]
mod start;

use hw::fake::Slot;

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn an_unknown_device_is_named() {
    let error = Rig::attach(Slot::new(Card::with_device(0x1234))).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the driver does not know the device 8086:1234"));
}

#[test]
fn absurd_lengths_are_counted_and_the_ring_goes_on() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for length in [0, 13, 2049, 40_000, u16::MAX] {
        rig.slot.with(|model, _| model.faults.length = Some(length));
        for seed in 0..300 {
            rig.arrive(&frame(Card::MAC, 100, seed));
            rig.settle();
        }
        assert!(rig.read_all(id).is_empty(), "length {length}");
    }
    assert_eq!(rig.stat("rx_length_errors"), 1500);
    assert_eq!(rig.stat("rx_errors"), 1500);

    rig.slot.with(|model, _| model.faults.length = None);
    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    rig.settle();
    assert_eq!(rig.read_all(id), [good]);
}

#[test]
fn a_packet_without_end_is_thrown_away() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.endless_packet = true);
    for seed in 0..1000 {
        rig.arrive(&frame(Card::MAC, 60, seed));
        rig.settle();
    }
    rig.slot.with(|model, _| model.faults.endless_packet = false);
    // The first good end closes the bad packet; after it all is well again.
    rig.arrive(&frame(Card::MAC, 100, 1));
    let good = frame(Card::MAC, 100, 2);
    rig.arrive(&good);
    rig.settle();
    assert_eq!(rig.read_all(id), [good]);
}
