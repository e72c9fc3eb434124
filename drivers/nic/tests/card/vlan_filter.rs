//! The device keeps frames of VLANs away that nobody asked for.

use nic::vlan;

use crate::model::Card;
use models::rig::{Rig, frame};

fn tagged(mut frame: Vec<u8>, control: u16) -> Vec<u8> {
    vlan::insert(&mut frame, control);
    frame
}

#[test]
fn frames_of_vlans_come_as_far_as_they_are_asked_for() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let come = |rig: &mut Rig<Card>, change: [&str; 2]| {
        assert!(rig.echo("filter", change[0]).is_ok() && rig.echo("features", change[1]).is_ok());
        [0, 10, 11, 42].map(|vlan| {
            rig.arrive(&tagged(frame(Card::MAC, 100, 0), 0xe000 | vlan));
            rig.settle();
            !rig.read_all(id).is_empty()
        })
    };
    let [none, two] = [[true, false, false, false], [true, true, false, true]];
    assert_eq!(come(&mut rig, ["", ""]), none, "one with a priority alone is of no VLAN");
    assert_eq!(come(&mut rig, ["+vlan 10\n+vlan 42\n", ""]), two);
    assert_eq!(come(&mut rig, ["promisc on\n", ""]), [true; 4]);
    assert_eq!(come(&mut rig, ["promisc off\n", ""]), two);
    assert_eq!(come(&mut rig, ["", "rx-vlan-filter off\n"]), [true; 4]);
    assert_eq!(come(&mut rig, ["-vlan 10\n-vlan 42\n", "rx-vlan-filter on\n"]), none);
    rig.arrive(&frame(Card::MAC, 100, 0));
    rig.settle();
    assert_eq!(rig.read_all(id).len(), 1, "one without a tag comes in any case");
}
