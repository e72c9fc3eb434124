//! Speed and duplex that are told to the device, and not negotiated.

use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::Rig;

#[test]
fn what_is_forced_is_the_links_at_once_and_after_a_restart_until_it_is_negotiated_again() {
    let mut rig = Rig::new(Card::new());
    assert_eq!(rig.cat("media"), "autoneg on\nspeed 100\nfull-duplex on\n");
    let id = rig.open_frames();
    assert_eq!(rig.cat("link"), Card::LINK);
    let text = "autoneg off\nfull-duplex off\n";
    assert_eq!(rig.echo("media", text), Ok(text.len()));
    let forced = "state up\nspeed 100\nduplex half\n";
    assert_eq!(
        (rig.cat("media").as_str(), rig.cat("link").as_str()),
        ("autoneg off\nspeed 100\nfull-duplex off\n", forced)
    );

    rig.close(id);
    rig.open_frames();
    assert_eq!(rig.cat("link"), forced);
    assert_eq!(rig.echo("media", "speed 1000"), Err(EINVAL), "that is always negotiated");
    assert_eq!(rig.echo("media", "autoneg on"), Ok(10));
    assert_eq!(rig.cat("link"), Card::LINK);
}
