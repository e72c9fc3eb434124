//! Packed virtqueues are used where they are offered, with and without events by their place.

use virtio_net::registers::Features;

use crate::model::VirtioNet;
use models::rig::{Rig, frame};

#[test]
fn frames_pass_round_and_round_with_events_by_place_or_without() {
    for without in [Features::empty(), Features::EVENT_IDX, Features::MRG_RXBUF] {
        for messages in [false, true] {
            let offered = VirtioNet::new().offered & !without.bits();
            let mut rig = Rig::new(VirtioNet::offering(offered, messages));
            let id = rig.open_frames();
            assert_ne!(rig.slot.with(|model, _| model.accepted) & Features::RING_PACKED.bits(), 0);
            for round in 0..1200 {
                let frame = frame(VirtioNet::MAC, 1514, round);
                rig.arrive(&frame);
                assert_eq!(rig.write(id, &frame), Ok(1514));
                assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]));
            }
            assert_eq!(rig.stat("interrupts_unclaimed"), 0, "without {without:?}");
        }
    }
}
