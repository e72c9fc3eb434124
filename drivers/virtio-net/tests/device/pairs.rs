//! How many pairs of virtqueues are used, and how frames are spread over them.

use hw::fake::Slot;
use virtio_net::registers::Features;

use crate::model::VirtioNet;
use models::flows::flow;
use models::rig::Rig;

/// The `rss` node and the frames of each queue, of a device that has taken in flows.
fn after_flows(model: VirtioNet) -> (String, Vec<u64>) {
    let mut rig = Rig::new(model);
    let id = rig.open_frames();
    rig.settle();
    for number in 0..64 {
        rig.arrive(&flow(VirtioNet::MAC, number));
        rig.settle();
    }
    assert_eq!(rig.read_all(id).len(), 64);
    let queues = rig.cat("stats").matches("rx_queue_").count() as u64 / 2;
    let counts = (0..queues).map(|queue| rig.stat(&format!("rx_queue_{queue}_packets"))).collect();
    (rig.cat("features").lines().find(|line| line.starts_with("rss ")).unwrap_or_default().to_owned(), counts)
}

fn with(change: impl FnOnce(&mut VirtioNet)) -> VirtioNet {
    let mut model = VirtioNet::new();
    change(&mut model);
    model
}

#[test]
fn a_device_without_rss_spreads_frames_as_it_likes() {
    let offered = Features::all() - Features::RSS - Features::MTU;
    let (rss, counts) = after_flows(VirtioNet::offering(offered.bits(), true));
    assert_eq!((rss.as_str(), counts.len()), ("rss unsupported", 4));
    assert!(counts.iter().all(|count| *count > 4), "{counts:?}");
}

#[test]
fn with_rss_alone_there_are_several_queues_too() {
    let offered = Features::all() - Features::MQ - Features::MTU;
    let (rss, counts) = after_flows(VirtioNet::offering(offered.bits(), true));
    assert_eq!((rss.as_str(), counts.len()), ("rss on", 4));
}

#[test]
fn what_the_device_says_of_its_pairs_and_tables_need_not_be_believed() {
    for pairs in [0, 1, 0x8000, 0xffff] {
        let (rss, counts) = after_flows(with(|model| model.pairs = pairs));
        assert_eq!((rss.as_str(), counts.len()), ("rss unsupported", 0), "{pairs} pairs");
    }
    for rss_limits in [(39, 128), (40, 127)] {
        let (rss, counts) = after_flows(with(|model| model.rss_limits = rss_limits));
        assert_eq!((rss.as_str(), counts.len()), ("rss unsupported", 4));
    }
    let missing = with(|model| model.pairs = 6);
    let mut rig = Rig::attach(Slot::new(missing)).expect("it is found out when it starts");
    rig.port.borrow_mut().users = 1;
    let error = rig.turn().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("a virtqueue is missing or too short"), "{error}");
}

#[test]
fn two_pairs_are_used_where_there_are_no_more() {
    let (rss, counts) = after_flows(with(|model| model.pairs = 2));
    assert_eq!((rss.as_str(), counts.len()), ("rss on", 2));
    assert!(counts.iter().all(|count| *count > 16), "{counts:?}");
}
