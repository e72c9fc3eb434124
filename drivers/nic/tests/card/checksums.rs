//! The device looks at the checksums that it receives and fills in those that it sends, and the driver does where the
//! device does not.

use nic::vlan;
use scheme::errno::{EINVAL, EOPNOTSUPP};
use scheme::flag::{O_NONBLOCK, O_RDWR};
use scheme::vnet::{Checksum, Header, SIZE};

use crate::model::Card;
use models::packets::{damaged, of_each_kind, unfinished, verdict};
use models::rig::{Rig, frame};

const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];
/// VLAN 10, with a priority.
const TEN: u16 = 0x600a;

fn open_vnet(rig: &mut Rig<Card>) -> usize {
    rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` opens")
}

/// The kinds of checksums that the device can fill in, by their names, and those that the model has.
fn filled_in_by_the_device(rig: &mut Rig<Card>) -> (Vec<String>, usize) {
    let features = rig.cat("features");
    let names = features.lines().filter_map(|line| line.split_once(' ')).map(|(name, _)| name);
    let names: Vec<_> = names.filter(|name| name.starts_with("tx-checksum-")).map(str::to_owned).collect();
    // TCP's and UDP's, over both versions of IP or over one.
    let kinds = if names == ["tx-checksum-ip-generic"] { 4 } else { 2 * names.len() };
    (names, kinds)
}

/// Has the device fill in checksums, or not.
fn fill_in(rig: &mut Rig<Card>, wanted: &str) {
    for name in filled_in_by_the_device(rig).0 {
        assert!(rig.echo("features", &format!("{name} {wanted}")).is_ok());
    }
}

/// What a reader of `vnet` is told of the checksums of good frames, and of bad ones. A device that does not know IPv6 when
/// it sends does not when it receives.
fn told(rig: &mut Rig<Card>, id: usize) -> [Checksum; 2] {
    let mut told = [Checksum::Unknown; 2];
    let (_, known) = filled_in_by_the_device(rig);
    for (kind, good) in of_each_kind(Card::MAC, 777).into_iter().enumerate() {
        for (arrived, told) in [good.clone(), damaged(&good)].iter().zip(&mut told) {
            rig.arrive(arrived);
            rig.settle();
            let read = rig.read(id).expect("it is received, whatever its checksum is");
            let (header, frame) = read.split_first_chunk::<SIZE>().expect("there is a header");
            assert!(frame == arrived);
            let checksum = Header::parse(header).expect("the header makes sense").checksum;
            if kind < known {
                *told = checksum;
            } else {
                assert_eq!(checksum, Checksum::Unknown);
            }
        }
    }
    told
}

#[test]
fn readers_are_told_of_checksums_that_are_good() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    assert_eq!(told(&mut rig, id), [Checksum::Good, Checksum::Unknown]);
    assert!(rig.echo("features", "rx-checksum off").is_ok());
    assert_eq!(told(&mut rig, id), [Checksum::Unknown; 2]);

    let other = frame(Card::MAC, 100, 0);
    rig.arrive(&other);
    rig.settle();
    assert_eq!(rig.read(id), Ok([&[0; SIZE][..], &other].concat()), "what has none is not known");
}

/// Sends frames of each kind and of many lengths; how many checksums the device has filled in.
fn send_unfinished(rig: &mut Rig<Card>, id: usize) -> usize {
    let before = rig.slot.with(|model, _| model.filled_in);
    for length in [0, 1, 2, 3, 100, 777, 1001, 1440] {
        for whole in of_each_kind(PEER, length) {
            assert_eq!(rig.write(id, &unfinished(&whole)), Ok(SIZE + whole.len()));
            let sent = rig.sent();
            assert_eq!(sent.len(), 1);
            assert_eq!(verdict(&sent[0]), Some(true), "{length} bytes: {:x?}", sent[0]);
            assert!(sent[0].starts_with(&whole), "{length} bytes");
        }
    }
    rig.slot.with(|model, _| model.filled_in) - before
}

#[test]
fn checksums_that_are_left_out_are_filled_in_by_the_device_or_the_driver() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    // Short frames are padded, and the driver sees to their checksums: those of IPv4 with up to three bytes of data.
    let (_, kinds) = filled_in_by_the_device(&mut rig);
    assert_eq!(send_unfinished(&mut rig, id), 8 * kinds - 8);
    fill_in(&mut rig, "off");
    assert_eq!(send_unfinished(&mut rig, id), 0);
}

#[test]
fn frames_that_are_whole_leave_as_they_are() {
    let mut rig = Rig::new(Card::new());
    let (plain, described) = (rig.open_frames(), open_vnet(&mut rig));
    for wrong in of_each_kind(PEER, 100).map(|frame| damaged(&frame)) {
        assert_eq!(rig.write(plain, &wrong), Ok(wrong.len()));
        assert_eq!(rig.write(described, &[&[0; SIZE][..], &wrong].concat()), Ok(SIZE + wrong.len()));
        assert_eq!(rig.sent(), [wrong.clone(), wrong]);
    }
}

#[test]
fn headers_that_make_no_sense_are_refused() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    let [whole, ..] = of_each_kind(PEER, 100);
    let with = |checksum| [&Header { checksum, ..Header::default() }.bytes()[..], &whole].concat();
    for refused in [
        Vec::new(),
        vec![0; SIZE + 13],
        with(Checksum::Partial { start: 34, offset: 200 }),
        with(Checksum::Partial { start: 2000, offset: 16 }),
        [&[1, 3][..], &[0; SIZE - 2], &whole].concat(),
    ] {
        assert_eq!(rig.write(id, &refused), Err(EINVAL), "{refused:x?}");
    }
    assert!(rig.sent().is_empty());
}

#[test]
fn features_are_switched_one_by_one_and_only_those_that_there_are() {
    let mut rig = Rig::new(Card::new());
    let all = rig.cat("features");
    let others = all.strip_prefix("rx-checksum on\n").expect("it is the first");
    assert!(others.starts_with("tx-checksum-ip"));
    assert!(rig.echo("features", "rx-checksum off\n").is_ok());
    assert_eq!(rig.cat("features"), format!("rx-checksum off\n{others}"));
    assert_eq!(rig.echo("features", "rx-checksum on\nwarp on\n"), Err(EOPNOTSUPP));
    assert_eq!(rig.echo("features", "rx-checksum maybe"), Err(EINVAL));
    assert!(rig.cat("features").starts_with("rx-checksum off\n"), "all of it or nothing");
}

#[test]
fn a_tag_and_a_checksum_are_both_put_in_by_whoever_does_which() {
    for off in ["", "tags", "checksums"] {
        let mut rig = Rig::new(Card::new());
        let id = open_vnet(&mut rig);
        match off {
            "tags" if rig.cat("features").contains("tx-vlan-offload on") => {
                assert!(rig.echo("features", "tx-vlan-offload off").is_ok());
            }
            "checksums" => fill_in(&mut rig, "off"),
            _ => (),
        }
        for whole in of_each_kind(PEER, 777) {
            let mut left = unfinished(&whole);
            let header = Header::parse(left.first_chunk().expect("it is there")).expect("it makes sense");
            left[..SIZE].copy_from_slice(&Header { vlan: Some(TEN), ..header }.bytes());
            assert!(rig.write(id, &left).is_ok());
            let sent = rig.sent();
            assert_eq!(verdict(&sent[0]), Some(true), "{off}: {:x?}", sent[0]);
            let mut tagged = whole;
            vlan::insert(&mut tagged, TEN);
            assert_eq!(sent, [tagged]);
        }
    }
}
