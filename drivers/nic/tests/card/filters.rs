//! Which frames the device hands over.

use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::{Rig, frame};

const BROADCAST: [u8; 6] = [0xff; 6];
const OTHER: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];
const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
const OTHER_GROUP: [u8; 6] = [0x33, 0x33, 0x00, 0x00, 0x00, 0x16];

fn passes(rig: &mut Rig<Card>, id: usize, destination: [u8; 6]) -> bool {
    rig.arrive(&frame(destination, 64, 0));
    rig.settle();
    !rig.read_all(id).is_empty()
}

#[test]
fn its_own_frames_and_broadcasts_pass_by_themselves() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert!(passes(&mut rig, id, Card::MAC));
    assert!(passes(&mut rig, id, BROADCAST));
    for other in [OTHER, GROUP, OTHER_GROUP] {
        assert!(!passes(&mut rig, id, other));
    }
}

#[test]
fn with_another_address_its_frames_pass_and_those_to_the_former_do_not() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert!(rig.echo("address", "52:54:00:00:00:01\n").is_ok());
    assert!(passes(&mut rig, id, OTHER));
    assert!(!passes(&mut rig, id, Card::MAC));
    for wrong in ["00:00:00:00:00:00\n", "01:00:5e:00:00:fb\n", "nonsense\n"] {
        assert_eq!(rig.echo("address", wrong), Err(EINVAL));
    }
    assert_eq!(rig.cat("address"), "52:54:00:00:00:01\n");
    assert!(rig.echo("address", "own\n").is_ok());
    assert!(passes(&mut rig, id, Card::MAC));
    assert!(!passes(&mut rig, id, OTHER));
}

#[test]
fn groups_pass_once_they_are_joined() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert!(rig.echo("filter", "+multicast 01:00:5e:00:00:fb\n").is_ok());
    assert!(passes(&mut rig, id, GROUP));
    assert!(!passes(&mut rig, id, OTHER_GROUP));
    assert!(rig.echo("filter", "-multicast 01:00:5e:00:00:fb\n").is_ok());
    assert!(!passes(&mut rig, id, GROUP));
    assert_eq!(rig.stat("multicast"), 1);
}

#[test]
fn promiscuous_means_all_and_allmulti_means_all_groups() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert!(rig.echo("filter", "allmulti on\n").is_ok());
    assert!(passes(&mut rig, id, OTHER_GROUP));
    assert!(!passes(&mut rig, id, OTHER));
    assert!(rig.echo("filter", "allmulti off\npromisc on\n").is_ok());
    assert!(passes(&mut rig, id, OTHER));
    assert!(passes(&mut rig, id, OTHER_GROUP));
    assert_eq!(rig.cat("filter"), "promisc on\nallmulti off\n");
}

#[test]
fn a_filter_that_is_partly_wrong_changes_nothing() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    assert_eq!(rig.echo("filter", "promisc on\nnonsense\n"), Err(EINVAL));
    assert!(!passes(&mut rig, id, OTHER));
    assert_eq!(rig.cat("filter"), "promisc off\nallmulti off\n");
}

#[test]
fn a_filter_set_before_the_first_open_and_across_it_holds() {
    let mut rig = Rig::new(Card::new());
    assert!(rig.echo("filter", "+multicast 01:00:5e:00:00:fb\n").is_ok());
    for _ in 0..2 {
        let id = rig.open_frames();
        assert!(passes(&mut rig, id, GROUP));
        rig.close(id);
    }
}
