//! A device that lies, hangs, floods or goes costs its interface, and nothing else.

use std::time::Duration;

use hw::fake::Slot;
use nic::driver::Fault;
use scheme::flag::O_RDWR;

use crate::model::Vmxnet3;
use models::rig::{Rig, frame};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_device_that_is_gone_from_the_start_is_named() {
    let slot = Slot::new(Vmxnet3::new());
    slot.unplug();
    assert!(matches!(Rig::attach(slot), Err(Fault::Gone)));
}

#[test]
fn what_cannot_be_driven_is_named() {
    let error =
        |model| Rig::attach(Slot::new(model)).err().map(|error| error.to_string()).unwrap_or_default();
    let mut newer = Vmxnet3::new();
    newer.revisions = [4, 1];
    assert!(error(newer).contains("neither revision 1 nor 2 of vmxnet3"));
    let mut newer = Vmxnet3::new();
    newer.revisions = [1, 2];
    assert!(error(newer).contains("revision 1 of UPT"));
    let mut nameless = Vmxnet3::new();
    nameless.set_address([0; 6]);
    assert!(error(nameless).contains("no valid Ethernet address"));
}

#[test]
fn a_device_that_does_not_take_its_configuration_is_given_up() {
    let mut rig = Rig::new(Vmxnet3::new());
    rig.slot.with(|model, _| model.faults.refuses = true);
    rig.open_as("frame", O_RDWR, 0).expect("`frame` opens");
    let error = rig.try_settle().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("ACTIVATE_DEV"), "{error}");
}

#[test]
fn bad_frames_are_counted_and_the_rings_go_on() {
    let mut rig = Rig::new(Vmxnet3::new());
    let id = rig.open_frames();
    for length in [0, 13, 2049, 0x3fff] {
        rig.slot.with(|model, _| model.faults.length = Some(length));
        for seed in 0..300 {
            rig.arrive(&frame(Vmxnet3::MAC, 100, seed));
            rig.settle();
        }
        assert!(rig.read_all(id).is_empty(), "length {length}");
    }
    rig.slot.with(|model, _| (model.faults.length, model.faults.damaged) = (None, true));
    rig.arrive(&frame(Vmxnet3::MAC, 100, 0));
    rig.settle();
    assert_eq!((rig.stat("rx_length_errors"), rig.stat("rx_errors")), (1200, 1201));

    rig.slot.with(|model, _| model.faults.damaged = false);
    let good = frame(Vmxnet3::MAC, 100, 1);
    rig.arrive(&good);
    rig.settle();
    assert_eq!(rig.read_all(id), [good]);
}

#[test]
fn a_device_that_is_done_with_what_it_does_not_have_is_reset() {
    for receive in [true, false] {
        let mut rig = Rig::new(Vmxnet3::new());
        let id = rig.open_frames();
        rig.slot.with(|model, _| model.faults.shift = 7);
        let good = frame(Vmxnet3::MAC, 100, 1);
        if receive {
            rig.arrive(&good);
        } else {
            assert_eq!(rig.write(id, &good), Ok(100));
        }
        rig.settle();
        assert!(rig.read_all(id).is_empty());
        rig.slot.with(|model, _| model.faults.shift = 0);
        rig.pass(2 * SECOND).expect("the device is there");
        assert_eq!(rig.stat("device_failures"), 1);
        rig.sent();

        rig.arrive(&good);
        assert_eq!(rig.write(id, &good), Ok(100));
        assert_eq!((rig.read_all(id), rig.sent()), (vec![good.clone()], vec![good]));
    }
}
