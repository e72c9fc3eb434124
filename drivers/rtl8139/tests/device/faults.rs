//! A device that lies, hangs, floods or goes costs its interface, and nothing else.

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn bad_frames_are_counted_by_what_is_wrong_and_the_ring_goes_on() {
    const WHOLE: u32 = 3 << 28;
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for (name, status) in [
        ("rx_length_errors", WHOLE),
        ("rx_length_errors", WHOLE | 17),
        ("rx_length_errors", WHOLE | 0x1fff),
        // It begins here and does not end.
        ("rx_length_errors", 1 << 29 | 100),
        ("rx_length_errors", WHOLE | 1 << 19 | 1 << 20 | 100),
        ("rx_length_errors", WHOLE | 1 << 21 | 1 << 20 | 100),
        ("rx_crc_errors", WHOLE | 1 << 18 | 1 << 20 | 100),
        ("rx_fifo_errors", WHOLE | 1 << 22 | 1 << 20 | 100),
        ("rx_frame_errors", WHOLE | 1 << 27 | 1 << 20 | 100),
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
    assert_eq!(rig.stat("rx_errors"), 900);

    rig.slot.with(|model, _| model.faults.status = None);
    let good = frame(Card::MAC, 100, 1);
    rig.arrive(&good);
    rig.settle();
    assert_eq!(rig.read_all(id), [good]);
}
