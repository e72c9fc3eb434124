//! The queues' vectors, and the X550's table.

use hw::InterruptKind;
use ixgbe::registers::EICR;

use crate::model::Card;
use models::flows::flow;
use models::rig::Rig;

/// Which bits of the queues a frame raises in EICR, for each queue that the table may have.
fn raised(model: Card) -> Vec<u32> {
    let mut rig = Rig::new(model);
    let of = |queue: u64| {
        let id = rig.open_frames();
        assert!(rig.echo("rss", &format!("table {queue}\n")).is_ok());
        let raised = rig.slot.with(|model, bus| {
            model.arrive(bus, &flow(Card::MAC, 0));
            model.register(EICR)
        });
        rig.close(id);
        raised
    };
    (0..Card::QUEUES).map(of).collect()
}

#[test]
fn each_queue_has_a_vector_of_its_own_or_all_have_one() {
    assert_eq!(raised(Card::new()), [1, 2, 4, 8]);
    assert_eq!(raised(Card::with_interrupts(&[InterruptKind::MsiX { vectors: 3 }])), [1; 4]);
    assert_eq!(raised(Card::with_line()), [1; 4]);
}

#[test]
fn the_longer_table_of_an_x550_has_no_other_queues_than_the_others_table() {
    const ODD: &str = "table 1 3 1 3 3\n";
    let counts = |device| {
        let mut rig = Rig::new(Card::with_device(device));
        let id = rig.open_frames();
        assert!(rig.echo("rss", ODD).is_ok());
        (0..100).for_each(|number| rig.arrive(&flow(Card::MAC, number)));
        assert_eq!(rig.drain(id).len(), 100);
        Vec::from_iter((0..Card::QUEUES).map(|queue| rig.stat(&format!("rx_queue_{queue}_packets"))))
    };
    let of_82599 = counts(0x10fb);
    assert_eq!((of_82599[0], of_82599[2]), (0, 0));
    assert!(of_82599[1] > 20 && of_82599[3] > 20, "{of_82599:?}");
    assert_eq!(counts(0x1563), of_82599);
}
