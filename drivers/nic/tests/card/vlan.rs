//! The device takes the tags of VLANs off and puts them in, and the driver does where the device does not.

use nic::vlan;
use scheme::flag::{O_NONBLOCK, O_RDWR};
use scheme::vnet::{Header, SIZE};

use crate::model::Card;
use models::rig::{Rig, frame};

const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];
/// VLAN 10, with a priority.
const TEN: u16 = 0x600a;
const OFF: &str = "rx-vlan-offload off\ntx-vlan-offload off\n";

fn tagged(mut frame: Vec<u8>, control: u16) -> Vec<u8> {
    vlan::insert(&mut frame, control);
    frame
}

/// A frame in the form `vnet`, with a tag that is not in it.
fn beside(frame: &[u8], control: u16) -> Vec<u8> {
    [&Header { vlan: Some(control), ..Header::default() }.bytes()[..], frame].concat()
}

fn open_vnet(rig: &mut Rig<Card>) -> usize {
    rig.open("vnet", O_RDWR | O_NONBLOCK).expect("`vnet` opens")
}

/// How many tags the device has put in or taken off.
fn tags(rig: &Rig<Card>) -> usize {
    rig.slot.with(|model, _| model.tags)
}

#[test]
fn tags_are_taken_off_and_told_and_a_reader_of_frames_sees_them_in_their_place() {
    let mut rig = Rig::new(Card::new());
    let (described, plain) = (open_vnet(&mut rig), rig.open_frames());
    assert!(rig.echo("filter", "+vlan 10\n").is_ok());
    let mut bytes = 0;
    for (round, length) in [60, 61, 1514].into_iter().enumerate() {
        let bare = frame(Card::MAC, length, round);
        let on_the_wire = tagged(bare.clone(), TEN);
        rig.arrive(&on_the_wire);
        rig.settle();
        assert_eq!(rig.read(described), Ok(beside(&bare, TEN)));
        assert_eq!(rig.read(plain), Ok(on_the_wire));
        bytes += length as u64 + 4;
    }
    assert_eq!((tags(&rig), rig.stat("rx_bytes")), (3, bytes));
    assert!(rig.echo("features", OFF).is_ok());
    let on_the_wire = tagged(frame(Card::MAC, 100, 0), TEN);
    rig.arrive(&on_the_wire);
    rig.settle();
    assert_eq!(rig.read(described), Ok([&[0; SIZE][..], &on_the_wire].concat()));
    assert_eq!(rig.read(plain), Ok(on_the_wire));
    assert_eq!(tags(&rig), 3);
}

#[test]
fn either_offload_can_be_off() {
    for off in ["rx-vlan-offload off", "tx-vlan-offload off"] {
        let mut rig = Rig::new(Card::new());
        let id = open_vnet(&mut rig);
        assert!(rig.echo("filter", "+vlan 10\n").is_ok() && rig.echo("features", off).is_ok());
        let bare = frame(Card::MAC, 100, 0);
        let on_the_wire = tagged(bare.clone(), TEN);
        rig.arrive(&on_the_wire);
        rig.settle();
        let off = off.starts_with("rx");
        let wanted = if off { [&[0; SIZE][..], &on_the_wire].concat() } else { beside(&bare, TEN) };
        assert_eq!(rig.read(id), Ok(wanted));
        assert!(rig.write(id, &beside(&bare, TEN)).is_ok());
        assert_eq!(rig.sent(), [on_the_wire]);
    }
}

#[test]
fn tags_that_are_told_are_put_in_by_the_device_or_the_driver() {
    let mut rig = Rig::new(Card::new());
    let id = open_vnet(&mut rig);
    for by_device in [true, false] {
        let before = tags(&rig);
        for (round, control) in [TEN, TEN, 0, 0xffff].into_iter().enumerate() {
            let bare = frame(PEER, 60 + 400 * round, round);
            assert!(rig.write(id, &beside(&bare, control)).is_ok());
            assert_eq!(rig.sent(), [tagged(bare.clone(), control)]);
            assert!(rig.write(id, &[&[0; SIZE][..], &bare].concat()).is_ok());
            assert_eq!(rig.sent(), [bare], "the next has none");
        }
        assert_eq!(tags(&rig) - before, if by_device { 4 } else { 0 });
        assert!(rig.echo("features", "tx-vlan-offload off").is_ok());
    }
}

#[test]
fn a_tag_that_is_in_the_frame_leaves_as_it_is() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let on_the_wire = tagged(frame(PEER, 1514, 0), TEN);
    assert_eq!(rig.write(id, &on_the_wire), Ok(1518));
    assert_eq!(rig.sent(), [on_the_wire]);
    assert_eq!(tags(&rig), 0);
}
