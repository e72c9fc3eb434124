//! Each of the devices, and each way in which it interrupts.

use hw::InterruptKind;
use hw::fake::Slot;
use nic::driver::Fault;
use nic::frame::HEADER;
use rtl8168::chips;

use crate::model::{Card, MESSAGES, Rtl8168};
use models::rig::{Rig, frame};

/// All that the driver knows: PCI ids, versions and names.
fn all() -> Vec<(u16, u32, &'static str)> {
    let express = chips::RTL8168.iter().map(|chip| (0x8168, chip.version, chip.name));
    [(0x8169, 0x1800_0000, "RTL8169"), (0x8125, 0x6080_0000, "RTL8125")].into_iter().chain(express).collect()
}

#[test]
fn frames_pass_through_each_of_them() {
    for (device, version, name) in all() {
        let mut rig = Rig::new(Rtl8168::of(device, version));
        assert_eq!(rig.port.borrow().info.model, name);
        let id = rig.open_frames();
        for round in 0..600 {
            let frame = frame(Card::MAC, 1514, round);
            rig.arrive(&frame);
            assert_eq!(rig.write(id, &frame), Ok(1514));
            assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]), "{name}");
        }
    }
}

#[test]
fn each_of_them_takes_the_longest_frames_that_it_can() {
    for (device, version, name) in all() {
        let mut rig = Rig::new(Rtl8168::of(device, version));
        let id = rig.open_frames();
        let mtu = rig.port.borrow().info.mtu.end().to_owned();
        assert!(rig.echo("mtu", &mtu.to_string()).is_ok());
        for len in [60, mtu + HEADER] {
            let frame = frame(Card::MAC, len, len);
            rig.arrive(&frame);
            assert_eq!(rig.write(id, &frame), Ok(len), "{name}");
            assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]), "{name}");
        }
    }
}

#[test]
fn groups_are_hashed_as_each_of_them_wants_it() {
    const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
    for (device, version, name) in all() {
        let mut rig = Rig::new(Rtl8168::of(device, version));
        let id = rig.open_frames();
        assert!(rig.echo("filter", "+multicast 01:00:5e:00:00:fb\n").is_ok());
        let frame = frame(GROUP, 60, 0);
        rig.arrive(&frame);
        rig.settle();
        assert_eq!(rig.read_all(id), [frame], "{name}");
    }
}

#[test]
fn frames_pass_and_cables_are_pulled_by_every_kind_of_interrupt() {
    const LINE: &[InterruptKind] = &[];
    for messages in [MESSAGES, &[InterruptKind::Msi], LINE] {
        let mut model = Card::new();
        model.messages = messages;
        let mut rig = Rig::new(model);
        let id = rig.open_frames();
        for round in 0..600 {
            let frame = frame(Card::MAC, 1514, round);
            rig.arrive(&frame);
            assert_eq!(rig.write(id, &frame), Ok(1514));
            assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]), "{messages:?}");
        }
        assert_eq!(rig.stat("interrupts_unclaimed"), 0, "{messages:?}");
        for up in [false, true] {
            rig.slot.with(|model, bus| model.set_link(bus, up));
            rig.settle();
            assert_eq!(rig.port.borrow().link.is_up(), up, "{messages:?}");
        }
    }
}

#[test]
fn what_is_none_of_them_is_named() {
    let error = |card| Rig::attach(Slot::new(card)).err().map(|error: Fault| error.to_string());
    let unknown = error(Rtl8168::of(0x8129, 0));
    assert_eq!(unknown.as_deref(), Some("the driver does not know the device 10ec:8129"));
    let version = error(Rtl8168::of(0x8168, 0x7c80_0000));
    assert!(version.is_some_and(|error| error.contains("of a version that is not known")));
}
