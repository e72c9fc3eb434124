//! What the queues drop.

use crate::model::Card;
use models::flows::flow;
use models::rig::{Rig, frame};

#[test]
fn what_a_full_queue_drops_is_counted_as_its_own_and_the_others_go_on() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.echo("rss", "table 1").is_ok());
    for round in 1..=2 {
        let id = rig.open_frames();
        (0..300).for_each(|number| rig.arrive(&flow(Card::MAC, number)));
        (0..10).for_each(|seed| rig.arrive(&frame(Card::MAC, 60, seed)));
        assert_eq!(rig.drain(id).len(), 255 + 10);
        rig.close(id);
        assert_eq!(
            (rig.stat("rx_queue_1_packets"), rig.stat("rx_queue_1_dropped")),
            (255 * round, 45 * round)
        );
        assert_eq!((rig.stat("rx_queue_0_packets"), rig.stat("rx_queue_0_dropped")), (10 * round, 0));
        assert_eq!(rig.stat("rx_missed_errors"), 45 * round);
    }
}
