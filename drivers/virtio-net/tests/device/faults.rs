//! A device that lies, hangs, floods or goes costs its interface, and nothing else.

use std::time::Duration;

use hw::fake::Slot;
use nic::driver::Fault;
use proptest::prelude::*;
use virtio_net::registers::{Features, virtqueue};

use crate::model::VirtioNet;
use models::rig::{Rig, frame};
use models::virtio_net::madness::{Madness, act};

const SECOND: Duration = Duration::from_secs(1);

/// A frame passes each way.
fn assert_works(rig: &mut Rig<VirtioNet>, id: usize) {
    rig.read_all(id);
    rig.sent();
    let good = frame(VirtioNet::MAC, 100, 1);
    rig.arrive(&good);
    assert_eq!(rig.write(id, &good), Ok(100));
    assert_eq!((rig.read_all(id), rig.sent()), (vec![good.clone()], vec![good]));
}

#[test]
fn a_device_that_is_gone_from_the_start_is_none() {
    let slot = Slot::new(VirtioNet::new());
    slot.unplug();
    assert!(Rig::attach(slot).is_err());
}

#[test]
fn a_reset_without_end_is_given_up() {
    let mut model = VirtioNet::new();
    model.faults.endless_reset = true;
    // What a driver before left behind.
    model.offered = u64::MAX;
    let slot = Slot::new(model);
    let mut rig = Rig::attach(slot.clone()).expect("it reads as reset already");
    rig.port.borrow_mut().users = 1;
    rig.turn().expect("it starts");
    rig.port.borrow_mut().users = 0;
    rig.turn().expect("it is stopped with a warning");
    assert!(!slot.is_bus_master());
    rig.port.borrow_mut().users = 1;
    assert!(matches!(rig.turn(), Err(Fault::Hung("its reset"))));
}

#[test]
fn absurd_lengths_are_counted_and_the_queue_goes_on() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    for length in [0, 11, 12, 25, 2049, 0x1_0000, u32::MAX] {
        rig.slot.with(|model, _| model.faults.length = Some(length));
        for seed in 0..300 {
            rig.arrive(&frame(VirtioNet::MAC, 100, seed));
            rig.settle();
        }
        assert!(rig.read_all(id).is_empty(), "length {length}");
    }
    assert_eq!(rig.stat("rx_length_errors"), 2100);
    rig.slot.with(|model, _| model.faults.length = None);
    assert_works(&mut rig, id);
}

#[test]
fn frames_without_a_place_for_their_checksum_or_to_be_cut_never_reach_a_reader() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.partial_at = [34, 0, 65, 0]);
    for header in [[1, 0], [0, 1], [0, 4], [3, 0xff]] {
        rig.slot.with(|model, _| model.faults.header = Some(header));
        rig.arrive(&frame(VirtioNet::MAC, 100, 1));
        rig.settle();
        assert!(rig.read_all(id).is_empty(), "{header:?}");
    }
    assert_eq!(rig.stat("rx_errors"), 4);
    rig.slot.with(|model, _| model.faults.header = None);
    assert_works(&mut rig, id);
}

#[test]
fn a_frame_of_too_many_buffers_is_thrown_away_to_its_end() {
    for (num_buffers, lost) in [(0, 1), (9, 9), (100, 100)] {
        let mut rig = Rig::new(VirtioNet::new());
        let id = rig.open_frames();
        rig.slot.with(|model, _| model.faults.num_buffers = Some(num_buffers));
        rig.arrive(&frame(VirtioNet::MAC, 100, 0));
        rig.settle();
        rig.slot.with(|model, _| model.faults.num_buffers = None);
        for seed in 1..lost {
            rig.arrive(&frame(VirtioNet::MAC, 100, seed));
            rig.settle();
        }
        assert!(rig.read_all(id).is_empty(), "{num_buffers} buffers");
        assert_eq!(rig.stat("rx_length_errors"), 1, "one frame was bad");
        assert_works(&mut rig, id);
    }
}

#[test]
fn a_chain_that_the_device_did_not_have_costs_a_reset() {
    // A packed virtqueue has 16 bits for it.
    for chain in [256, 0x1_0100, u32::MAX] {
        let mut rig = Rig::new(VirtioNet::new());
        let id = rig.open_frames();
        rig.slot.with(|model, _| model.faults.chain = Some(chain));
        rig.arrive(&frame(VirtioNet::MAC, 100, 0));
        rig.settle();
        assert!(rig.read_all(id).is_empty());
        rig.slot.with(|model, _| model.faults.chain = None);
        rig.pass(2 * SECOND).expect("the device is there");
        assert_eq!(rig.stat("device_failures"), 1);
        assert_works(&mut rig, id);
    }
}

#[test]
fn an_index_that_jumps_costs_a_reset() {
    let control = VirtioNet::new().pairs * 2;
    for queue in [virtqueue::receive(0), virtqueue::receive(3), virtqueue::transmit(0), control] {
        for by in [1, 257, u16::MAX] {
            let mut rig = Rig::new(VirtioNet::new());
            let id = rig.open_frames();
            rig.settle();
            // One more than all that a receive queue has; none of the others has any.
            let by = if queue % 2 == 0 && queue != control { by.max(257) } else { by };
            rig.slot.with(|model, bus| {
                model.jump(bus, queue, by);
                model.interrupt(bus);
            });
            rig.pass(2 * SECOND).expect("the device is there");
            assert_eq!(rig.stat("device_failures"), 1, "virtqueue {queue} by {by}");
            assert_works(&mut rig, id);
            assert_eq!(rig.stat("device_failures"), 1);
        }
    }
}

#[test]
fn a_device_that_says_that_it_failed_is_reset_once_a_second_at_most() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    for failures in 1..=3 {
        rig.slot.with(|model, bus| model.fail(bus));
        rig.pass(SECOND).expect("the device is there");
        assert_eq!(rig.stat("device_failures"), failures);
        assert_works(&mut rig, id);
    }
}

#[test]
fn a_device_that_answers_no_command_is_reset_and_frames_pass_meanwhile() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.deaf = true);
    assert!(rig.echo("filter", "allmulti on\n").is_ok());
    assert!(rig.echo("filter", "promisc on\n").is_ok());
    assert_works(&mut rig, id);
    rig.slot.with(|model, _| model.faults.deaf = false);
    rig.pass(10 * SECOND).expect("the device is there");
    assert_eq!(rig.stat("device_failures"), 1);
    let other = frame([0x52, 0x54, 0, 0, 0, 1], 64, 0);
    rig.arrive(&other);
    rig.settle();
    assert_eq!(rig.read_all(id), [other], "what was wanted last holds");
}

#[test]
fn a_flood_of_messages_for_nothing_does_no_harm() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    for _ in 0..20_000 {
        rig.slot.with(|model, bus| model.interrupt(bus));
        rig.turn().expect("the device is well");
    }
    assert_works(&mut rig, id);
}

/// Steps of a case. Two in five of them are faults, or more.
const STEPS: usize = 200;

/// How many faults the first two tests make together, if `FAULTS` in the environment does not say.
const FAULTS: u32 = 20_000;

fn cases() -> ProptestConfig {
    let faults = std::env::var("FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(FAULTS);
    ProptestConfig::with_cases(faults.div_ceil(2 * STEPS as u32 * 2 / 5))
}

fn madness() -> impl Strategy<Value = Madness> {
    let word = prop_oneof![0u16..4, any::<u16>()];
    let place = prop_oneof![0usize..4, any::<usize>()];
    prop_oneof![
        3 => (0usize..3, place, word).prop_map(|(queue, place, word)| Madness::Scribble(queue, place, word)),
        1 => any::<Option<u32>>().prop_map(Madness::Length),
        1 => any::<([u8; 2], Option<u16>)>().prop_map(|(header, count)| Madness::Header(header, count)),
        1 => Just(Madness::Interrupt),
        1 => Just(Madness::Fail),
        4 => (14usize..1514).prop_map(Madness::Arrive),
        4 => (14usize..1514).prop_map(Madness::Send),
        1 => (0u64..3000).prop_map(Madness::Wait),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_rings_do_no_harm(
        messages: bool,
        event_idx: bool,
        steps in prop::collection::vec(madness(), STEPS),
    ) {
        let without = if event_idx { Features::empty() } else { Features::EVENT_IDX };
        let offered = VirtioNet::new().offered & !without.bits();
        let mut rig = Rig::new(VirtioNet::offering(offered, messages));
        let id = rig.open_frames();
        for (index, step) in steps.into_iter().enumerate() {
            act(&mut rig, id, index, step).expect("the device answers");
        }
        rig.slot.with(|model, _| model.faults = Default::default());
        // Whatever was broken is found out and mended.
        rig.pass(20 * SECOND).expect("the device answers");
        rig.slot.with(|model, bus| model.fail(bus));
        rig.pass(2 * SECOND).expect("the device answers");
        assert_works(&mut rig, id);
        rig.close(id);
        rig.pass(10 * SECOND).expect("the device answers");
        prop_assert_eq!(rig.pools.receive.free(), rig.pools.receive.size());
        prop_assert_eq!(rig.pools.transmit.free(), rig.pools.transmit.size());
        prop_assert_eq!(rig.slot.with(|model, _| model.strays), 0);
    }

    #[test]
    fn random_registers_do_no_harm(
        messages: bool,
        steps in prop::collection::vec(
            prop_oneof![2 => any::<u32>().prop_map(Madness::Lie), 1 => madness()],
            STEPS
        )
    ) {
        let mut rig = Rig::new(if messages { VirtioNet::new() } else { VirtioNet::with_line() });
        let id = rig.open_frames();
        let slot = rig.slot.clone();
        let _ = steps.into_iter().enumerate().try_for_each(|(index, step)| act(&mut rig, id, index, step));
        drop(rig);
        prop_assert!(!slot.is_bus_master());
    }

    #[test]
    fn a_device_that_lies_from_the_start_is_refused_or_driven(
        lies in prop::collection::vec(any::<u32>(), 1..40),
    ) {
        let mut model = VirtioNet::new();
        model.faults.lies.extend(lies);
        let slot = Slot::new(model);
        drop(Rig::attach(slot.clone()));
        prop_assert!(!slot.is_bus_master());
    }
}
