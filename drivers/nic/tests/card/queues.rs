//! Received frames are spread over the device's queues.

use scheme::errno::EINVAL;

use crate::model::Card;
use models::flows::flow;
use models::rig::{Rig, frame};

/// Flows that arrive.
const FLOWS: u16 = 200;

/// Lets flows arrive; how many frames each queue has brought.
fn arrive(rig: &mut Rig<Card>, id: usize) -> Vec<u64> {
    let count = |rig: &mut Rig<Card>| {
        Vec::from_iter((0..Card::QUEUES).map(|queue| rig.stat(&format!("rx_queue_{queue}_packets"))))
    };
    let before = count(rig);
    let frames: Vec<_> = (0..FLOWS).map(|number| flow(Card::MAC, number)).collect();
    for burst in frames.chunks(Card::BURST) {
        burst.iter().for_each(|frame| rig.arrive(frame));
        rig.settle();
        let mut read = rig.read_all(id);
        assert_eq!(read.len(), burst.len());
        read.sort();
        assert!(burst.iter().all(|frame| read.binary_search(frame).is_ok()));
    }
    count(rig).iter().zip(before).map(|(now, before)| now - before).collect()
}

#[test]
fn flows_are_spread_over_all_queues_or_go_to_those_of_the_table() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let spread = arrive(&mut rig, id);
    assert!(spread.iter().all(|count| *count > u64::from(FLOWS) / 10), "{spread:?}");
    assert_eq!(spread.iter().sum::<u64>(), FLOWS.into());
    for only in 0..Card::QUEUES {
        assert!(rig.echo("rss", &format!("table {only}\n")).is_ok());
        let counts = arrive(&mut rig, id);
        let wanted =
            Vec::from_iter((0..Card::QUEUES).map(|queue| if queue == only { FLOWS.into() } else { 0 }));
        assert_eq!(counts, wanted);
    }
    assert!(rig.echo("rss", "hash none\n").is_ok());
    assert_eq!(arrive(&mut rig, id)[0], u64::from(FLOWS), "what is not hashed goes to the first");
}

#[test]
fn another_key_spreads_otherwise() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let before = arrive(&mut rig, id);
    let key: Vec<String> = (0..40).map(|byte| format!("{:02x}", byte * 37 % 256)).collect();
    assert!(rig.echo("rss", &format!("key {}\n", key.join(":"))).is_ok());
    assert_ne!(arrive(&mut rig, id), before);
    assert!(rig.cat("rss").contains(&key.join(":")));
}

#[test]
fn a_queue_that_is_full_starves_none() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    for number in 0..FLOWS {
        rig.arrive(&flow(Card::MAC, number));
        for seed in 0..2 {
            rig.arrive(&frame(Card::MAC, 100, seed));
        }
        rig.settle();
        assert_eq!(rig.read_all(id).len(), 3);
    }
}

#[test]
fn queues_that_there_are_not_are_refused() {
    let mut rig = Rig::new(Card::new());
    let before = rig.cat("rss");
    assert_eq!(rig.echo("rss", &format!("hash none\ntable {}\n", Card::QUEUES)), Err(EINVAL));
    assert_eq!(rig.cat("rss"), before);
}
