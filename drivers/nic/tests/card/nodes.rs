//! The scheme's nodes, and what they refuse.

use nic::node::Node;
use scheme::errno::{EACCES, EINVAL, ENOENT, ENOTDIR, EOPNOTSUPP};
use scheme::flag::{O_DIRECTORY, O_RDONLY, O_RDWR, O_WRONLY};

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn a_device_has_its_own_address_and_receives_what_is_for_it_until_told_otherwise() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.cat("address"), "52:54:00:12:34:56\n");
    assert_eq!(rig.cat("mtu"), "1500\n");
    assert_eq!(rig.cat("filter"), "promisc off\nallmulti off\n");
    let mac = rig.open("mac", O_RDONLY).expect("`mac` opens");
    assert_eq!(rig.read(mac), Ok(Card::MAC.to_vec()));
}

#[test]
fn the_mtu_changes_at_once_and_only_to_what_the_device_can() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let long = frame(Card::MAC, 1514, 1);
    let too_much = (rig.port.borrow().info.mtu.end() + 1).to_string();
    for text in ["70000", "abc", "", "-1", "67", &too_much] {
        assert_eq!(rig.echo("mtu", text), Err(EINVAL), "{text:?}");
        assert_eq!(rig.cat("mtu"), "1500\n");
    }

    assert_eq!(rig.echo("mtu", "1000\n"), Ok(5));
    assert_eq!(rig.cat("mtu"), "1000\n");
    assert_eq!(rig.write(id, &long), Err(EINVAL));
    rig.arrive(&long);
    rig.settle();
    assert!(rig.read_all(id).is_empty());
    assert_eq!(rig.stat("rx_length_errors"), 1);

    assert_eq!(rig.echo("mtu", "1500\n"), Ok(5));
    rig.arrive(&long);
    assert_eq!(rig.write(id, &long), Ok(1514));
    assert_eq!((rig.sent(), rig.read_all(id)), (vec![long.clone()], vec![long]));
}

#[test]
fn registers_are_told_by_their_names_whether_the_device_runs_or_not() {
    let mut rig = Rig::new(Card::new());
    for _ in 0..2 {
        let dump = rig.cat("registers");
        assert!(!dump.is_empty());
        for line in dump.lines() {
            let digits = line.split_once(' ').and_then(|(_, value)| value.strip_prefix("0x"));
            assert!(digits.is_some_and(|digits| u32::from_str_radix(digits, 16).is_ok()), "{line}");
        }
        rig.open_frames();
    }
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.open("nothing", O_RDONLY), Err(ENOENT));
    assert_eq!(rig.open("stats/nothing", O_RDONLY), Err(ENOENT));
    assert_eq!(rig.open("stats", O_DIRECTORY | O_RDONLY), Err(ENOTDIR));
    for node in ["mac", "mtu_limits", "link", "stats", "registers"] {
        assert_eq!(rig.open(node, O_WRONLY), Err(EACCES), "{node}");
        assert_eq!(rig.open(node, O_RDWR), Err(EACCES), "{node}");
    }
    for node in ["", "frame", "mac", "stats"] {
        assert_eq!(rig.open_as(node, O_RDONLY, 1000), Err(EACCES), "{node}");
    }
}

#[test]
fn what_the_device_has_nothing_for_is_not_supported_and_said_so() {
    let mut rig = Rig::new(Card::new());
    let features = rig.cat("features");
    let facilities = rig.port.borrow().info.facilities.clone();
    for (node, supported) in Node::all().filter_map(|node| Some((node.name(), facilities.supports(node)?))) {
        let word = if supported { "on" } else { "unsupported" };
        assert!(features.contains(&format!("{node} {word}\n")), "{node} in {features}");
        let opened = rig.open(node, O_RDONLY);
        assert_eq!(opened.err(), (!supported).then_some(EOPNOTSUPP), "{node}");
    }
}

#[test]
fn the_root_opened_both_ways_is_stocks_frame_node() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open("", O_RDWR).expect("the root opens");
    let frame = frame(Card::MAC, 100, 1);
    rig.arrive(&frame);
    assert_eq!(rig.write(id, &frame), Ok(100));
    assert_eq!((rig.sent(), rig.read_all(id)), (vec![frame.clone()], vec![frame]));
}
