//! What the driver and the device agree on.

use hw::fake::Slot;
use virtio_net::registers::Features;

use crate::model::VirtioNet;
use models::rig::{Rig, frame};

/// What the driver cannot do without.
const LEAST: Features = Features::VERSION_1.union(Features::ACCESS_PLATFORM).union(Features::MAC);

fn refusal(model: VirtioNet) -> String {
    Rig::attach(Slot::new(model)).err().map(|error| error.to_string()).unwrap_or_default()
}

fn pass_both_ways(rig: &mut Rig<VirtioNet>, len: usize) {
    let id = rig.open_frames();
    for round in 0..600 {
        let frame = frame(VirtioNet::MAC, len, round);
        rig.arrive(&frame);
        assert_eq!(rig.write(id, &frame), Ok(len));
        assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]));
    }
    rig.close(id);
}

#[test]
fn frames_pass_with_every_choice_of_features_and_interrupts() {
    let optional =
        [Features::EVENT_IDX, Features::MRG_RXBUF, Features::STATUS, Features::CTRL_VQ | Features::CTRL_RX];
    for choice in 0..1 << optional.len() {
        let chosen = optional.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 != 0);
        let features = chosen.fold(LEAST, |features, (_, feature)| features | *feature);
        for messages in [false, true] {
            let mut rig = Rig::new(VirtioNet::offering(features.bits(), messages));
            pass_both_ways(&mut rig, 1514);
            assert_eq!(rig.stat("interrupts_unclaimed"), 0, "{features:?}");
        }
    }
}

#[test]
fn what_the_driver_does_not_know_is_not_accepted() {
    let mut rig = Rig::new(VirtioNet::offering(u64::MAX, true));
    rig.slot.with(|model, _| model.mtu = 1500);
    rig.open_frames();
    let accepted = rig.slot.with(|model, _| model.accepted);
    assert_eq!(accepted & !Features::all().bits(), 0);
}

#[test]
fn both_network_devices_are_taken_and_no_other() {
    for device in [0x1000, 0x1041] {
        assert!(Rig::attach(Slot::new(VirtioNet::with_device(device))).is_ok());
    }
    assert!(refusal(VirtioNet::with_device(0x1043)).contains("does not know the device 1af4:1043"));
}

#[test]
fn a_device_that_cannot_be_driven_is_told_from_others() {
    let without = |feature: Features| VirtioNet::offering((Features::all() - feature).bits(), true);
    assert!(refusal(without(Features::VERSION_1)).contains("no modern interface"));
    assert!(refusal(without(Features::ACCESS_PLATFORM)).contains("goes round the IOMMU"));
    assert!(refusal(without(Features::MAC)).contains("no valid Ethernet address"));
    let mut legacy = VirtioNet::with_device(0x1000);
    legacy.legacy = true;
    assert!(refusal(legacy).contains("no modern interface"));
}

#[test]
fn a_device_that_takes_its_offer_back_is_refused_when_it_is_opened() {
    let mut model = VirtioNet::new();
    model.faults.fickle = true;
    let mut rig = Rig::new(model);
    rig.port.borrow_mut().users = 1;
    let error = rig.turn().err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("refuses the features that it offers")));
    assert!(rig.slot.with(|model, _| model.is_quiet()));
}

#[test]
fn the_mtu_is_the_devices_or_what_its_buffers_hold() {
    let most = |features: Features, mtu| {
        let mut model = VirtioNet::offering(features.bits(), true);
        model.mtu = mtu;
        *Rig::new(model).port.borrow().info.mtu.end()
    };
    assert_eq!(most(LEAST, 0), 2048 - 12 - 18);
    assert_eq!(most(LEAST | Features::MRG_RXBUF, 0), 8 * 2048 - 12 - 18);
    assert_eq!(most(LEAST | Features::MRG_RXBUF | Features::MTU, 1400), 1400);
    assert_eq!(most(LEAST | Features::MTU, 67), 2048 - 12 - 18, "one that cannot be is not believed");
}

#[test]
fn speed_and_duplex_are_told_where_the_device_knows_them() {
    let mut rig = Rig::new(VirtioNet::offering((LEAST | Features::SPEED_DUPLEX).bits(), true));
    assert_eq!(rig.cat("link"), "state up\nspeed 10000\nduplex full\n");
}

#[test]
fn without_a_control_queue_the_device_hands_over_what_it_does() {
    let mut rig = Rig::new(VirtioNet::offering(LEAST.bits(), true));
    let id = rig.open_frames();
    assert!(rig.echo("filter", "+multicast 01:00:5e:00:00:fb\n").is_ok());
    let group = frame([0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb], 64, 0);
    rig.arrive(&group);
    rig.settle();
    assert_eq!(rig.read_all(id), [group]);
}

#[test]
fn many_groups_are_all_groups() {
    let mut rig = Rig::new(VirtioNet::new());
    let id = rig.open_frames();
    let lines: String = (0..100).map(|last| format!("+multicast 01:00:5e:00:00:{last:02x}\n")).collect();
    assert!(rig.echo("filter", &lines).is_ok());
    let other = frame([0x33, 0x33, 0, 0, 0, 0x16], 64, 0);
    rig.arrive(&other);
    rig.settle();
    assert_eq!(rig.read_all(id), [other]);
}
