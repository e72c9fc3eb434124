//! Frames longer than Ethernet's 1518 bytes, for the cards that take them.

use nic::frame::HEADER;
use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn jumbo_frames_are_chains_of_buffers() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let mtu = rig.port.borrow().info.mtu.end().to_owned();
    assert!(rig.echo("mtu", &mtu.to_string()).is_ok());
    for len in [1515, 2035, 2036, 2037, 2047, 2048, 2049, 4084, 4085, 4096, 4097, 9014, mtu + HEADER] {
        let frame = frame(Card::MAC, len, len);
        rig.arrive(&frame);
        assert_eq!(rig.write(id, &frame), Ok(len));
        assert_eq!(rig.sent(), [frame.as_slice()]);
        assert_eq!(rig.read(id), Ok(frame));
    }
}

#[test]
fn they_pass_as_soon_as_the_mtu_allows_them_and_no_longer() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    let long = frame(Card::MAC, 3014, 1);
    assert_eq!(rig.write(id, &long), Err(EINVAL));

    assert_eq!(rig.echo("mtu", "3000\n"), Ok(5));
    rig.arrive(&long);
    assert_eq!(rig.write(id, &long), Ok(3014));
    assert_eq!((rig.sent(), rig.read_all(id)), (vec![long.clone()], vec![long.clone()]));

    assert_eq!(rig.echo("mtu", "1500\n"), Ok(5));
    rig.arrive(&long);
    rig.settle();
    assert!(rig.read_all(id).is_empty());
    assert_eq!(rig.stat("rx_length_errors"), 1);
}
