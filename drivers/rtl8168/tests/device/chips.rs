//! Each of the devices, and each way in which it interrupts.

use std::time::Duration;

use hw::InterruptKind;
use hw::fake::Slot;
use nic::driver::Fault;
use nic::frame::HEADER;
use rtl8168::chips;
use scheme::flag::{O_NONBLOCK, O_RDWR};

use crate::model::{Card, MESSAGES, Rtl8168};
use models::packets::{of_each_kind, several, unfinished};
use models::rig::{Rig, frame};
use models::wire::assert_segments;

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
fn those_that_config3_arms_wake_the_machine() {
    for (device, version, name) in all() {
        let mut rig = Rig::new(Rtl8168::of(device, version));
        let early = ["RTL8169", "RTL8168B", "RTL8168C", "RTL8168CP", "RTL8168D", "RTL8168DP", "RTL8168E"];
        assert_eq!(rig.echo("wake", "magic on").is_ok(), early.contains(&name), "{name}");
        rig.pass(Duration::ZERO).expect("the device is well");
        rig.arrive(&[&[0xff; 12][..], &Card::MAC.repeat(16)].concat());
        assert_eq!(rig.slot.wakes(), early.contains(&name), "{name}");
    }
}

/// What each of them does for its driver: the others fill in checksums and make segments over both versions of IP.
fn offloads(name: &str) -> &[&str] {
    match name {
        "RTL8169" | "RTL8168B" => &["tx-checksum-ipv4", "tx-tcp-segmentation"],
        "RTL8168E-VL" => &["tx-checksum-ipv4", "tx-checksum-ipv6"],
        _ => &["tx-checksum-ipv4", "tx-checksum-ipv6", "tx-tcp-segmentation", "tx-tcp6-segmentation"],
    }
}

#[test]
fn checksums_and_segments_are_asked_of_each_of_them_in_its_way() {
    const DATA: usize = 9_999;
    const SEGMENT: u16 = 1000;
    for (device, version, name) in all() {
        let mut rig = Rig::new(Rtl8168::of(device, version));
        let features = rig.cat("features");
        let does = |feature: &&str| offloads(name).contains(feature);
        let count = |named: [&'static str; 2]| named.iter().filter(|feature| does(feature)).count();
        let told = features.lines().filter(|line| line.starts_with("tx-") && !line.contains("vlan"));
        assert!(told.eq(offloads(name).iter().map(|feature| format!("{feature} on"))), "{name}: {features}");

        let id = rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` opens");
        for whole in of_each_kind(Card::MAC, 333) {
            assert!(rig.write(id, &unfinished(&whole)).is_ok());
            assert_eq!(rig.sent(), [whole], "{name}");
        }
        let [tcp4, _, tcp6, _] = of_each_kind(Card::MAC, DATA);
        for whole in [tcp4, tcp6] {
            assert!(rig.write(id, &several(&whole, DATA, SEGMENT)).is_ok());
            assert_segments(&whole, SEGMENT.into(), &rig.sent());
        }
        let cut = count(["tx-tcp-segmentation", "tx-tcp6-segmentation"]);
        // Those of each version of IP: TCP's, UDP's, and of the segments that the driver makes.
        let by_driver = DATA.div_ceil(SEGMENT.into());
        let filled_in = 2 * count(["tx-checksum-ipv4", "tx-checksum-ipv6"])
            + match name {
                "RTL8168E-VL" => 2 * by_driver,
                _ => 0,
            };
        let did = rig.slot.with(|model, _| (model.cut, model.filled_in));
        assert_eq!(did, (cut, filled_in), "{name}");
    }
}

#[test]
fn of_jumbo_frames_the_driver_fills_in_the_checksums() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.echo("mtu", "9000").is_ok());
    let id = rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` opens");
    // The data of the longest frame of TCP over IPv4 that is none, and of one that is.
    for (length, by_device) in [(1460, 1), (1461, 1), (8000, 1)] {
        let [whole, ..] = of_each_kind(Card::MAC, length);
        assert!(rig.write(id, &unfinished(&whole)).is_ok());
        assert_eq!(rig.sent(), [whole], "{length} bytes");
        assert_eq!(rig.slot.with(|model, _| model.filled_in), by_device, "{length} bytes");
    }
    let [whole, ..] = of_each_kind(Card::MAC, 30_000);
    assert!(rig.write(id, &several(&whole, 30_000, 8000)).is_ok());
    assert_segments(&whole, 8000, &rig.sent());
    assert_eq!(rig.slot.with(|model, _| model.cut), 0);
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
