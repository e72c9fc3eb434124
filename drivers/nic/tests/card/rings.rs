//! Rings of other sizes, while frames pass.

use nic::Rings;
use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::{Rig, frame};

/// The `rings` node says these sizes.
fn says(rig: &mut Rig<Card>, Rings { receive, transmit }: Rings) -> bool {
    rig.cat("rings").starts_with(&format!("rx {receive}\ntx {transmit}\n"))
}

fn set(rig: &mut Rig<Card>, Rings { receive, transmit }: Rings) {
    assert!(rig.echo("rings", &format!("rx {receive}\ntx {transmit}\n")).is_ok());
}

#[test]
fn what_was_accepted_before_a_change_of_the_rings_is_sent_and_what_came_is_read() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let limits = rig.port.borrow().info.facilities.rings.expect("every device has rings");
    assert!(says(&mut rig, limits.initial));
    for (round, rings) in [limits.least, limits.most, limits.initial].into_iter().enumerate() {
        let frames: Vec<_> = (0..10).map(|seed| frame(Card::MAC, 100 + seed, round)).collect();
        for frame in &frames {
            rig.arrive(frame);
            assert_eq!(rig.write_only(id, frame), Ok(frame.len()));
        }
        set(&mut rig, rings);
        assert_eq!((rig.drain(id), rig.sent()), (frames.clone(), frames.clone()), "{rings:?}");
        assert!(says(&mut rig, rings), "{rings:?}");

        for round in 0..3 * usize::from(rings.receive.min(300)) {
            let frame = frame(Card::MAC, 60, round);
            rig.arrive(&frame);
            assert_eq!(rig.write(id, &frame), Ok(60));
            assert_eq!((rig.drain(id), rig.sent()), (vec![frame.clone()], vec![frame]), "{rings:?}");
        }
    }
    assert_eq!((rig.stat("tx_dropped"), rig.stat("rx_missed_errors")), (0, 0));
    rig.close(id);
    let pools = rig.port.borrow().pools.clone();
    assert_eq!((pools.receive.free(), pools.transmit.free()), (pools.receive.size(), pools.transmit.size()));
}

#[test]
fn a_device_that_sends_nothing_gets_its_new_rings_all_the_same() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.hangs = true);
    let limits = rig.port.borrow().info.facilities.rings.expect("every device has rings");
    assert_eq!(rig.write(id, &frame([2, 0, 0, 0, 0, 9], 60, 0)), Ok(60));
    set(&mut rig, limits.least);
    assert_eq!(rig.write(id, &frame([2, 0, 0, 0, 0, 9], 60, 1)), Ok(60));
    rig.slot.with(|model, _| model.faults.hangs = false);
    rig.pass(std::time::Duration::from_secs(6)).expect("the device is there");
    assert_eq!(rig.sent(), [frame([2, 0, 0, 0, 0, 9], 60, 1)]);
    assert_eq!((rig.stat("tx_dropped"), rig.stat("tx_timeout")), (1, 0), "what was dropped is counted");
}

#[test]
fn rings_are_of_the_sizes_that_the_device_takes_also_where_it_is_stopped() {
    let mut rig = Rig::new(Card::new());
    let limits = rig.port.borrow().info.facilities.rings.expect("every device has rings");
    let (few, many) = (limits.least.receive - 1, u32::from(limits.most.receive) + 1);
    for wrong in [format!("rx {few}"), format!("rx {many}"), "rx".to_owned(), "both 64".to_owned()] {
        assert_eq!(rig.echo("rings", &format!("tx {}\n{wrong}", limits.least.transmit)), Err(EINVAL));
    }
    assert!(says(&mut rig, limits.initial));

    set(&mut rig, limits.least);
    let id = rig.open_frames();
    assert!(says(&mut rig, limits.least));
    for seed in 0..usize::from(limits.least.receive) * 2 {
        rig.arrive(&frame(Card::MAC, 100, seed));
    }
    let read = rig.drain(id).len();
    assert!((1..=usize::from(limits.least.receive)).contains(&read), "{read} frames in so small a ring");
}
