//! Interrupts of each kind tell of the same.

use hw::InterruptKind;

use crate::model::Card;
use models::rig::{Rig, frame};

const KINDS: [&[InterruptKind]; 3] =
    [&[InterruptKind::MsiX { vectors: 5 }, InterruptKind::Msi], &[InterruptKind::Msi], &[]];

#[test]
fn frames_pass_by_every_kind_of_interrupt() {
    for messages in KINDS {
        let mut rig = Rig::new(Card::with_interrupts(messages));
        let id = rig.open_frames();
        for round in 0..600 {
            let frame = frame(Card::MAC, 1514, round);
            rig.arrive(&frame);
            assert_eq!(rig.write(id, &frame), Ok(1514));
            assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]), "{messages:?}");
        }
        let interrupts = rig.stat("interrupts");
        assert!((600..=1800).contains(&interrupts), "{interrupts} of {messages:?}");
        assert_eq!(rig.stat("interrupts_unclaimed"), 0, "{messages:?}");
    }
}

#[test]
fn a_pulled_cable_is_told_by_every_kind_of_interrupt() {
    for messages in KINDS {
        let mut rig = Rig::new(Card::with_interrupts(messages));
        rig.open_frames();
        for up in [false, true, false] {
            rig.slot.with(|model, bus| model.set_link(bus, up));
            rig.settle();
            assert_eq!(rig.port.borrow().link.is_up(), up, "{messages:?}");
        }
    }
}
