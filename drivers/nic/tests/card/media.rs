//! Speed and duplex that are told to the device, and not negotiated.

use scheme::errno::EINVAL;

use crate::model::Card;
use models::rig::Rig;

#[test]
fn what_is_forced_is_the_links_at_once_and_after_a_restart_until_it_is_negotiated_again() {
    let mut rig = Rig::new(Card::new());
    let (media, forced) = Card::FORCED;
    assert!(rig.cat("media").starts_with("autoneg on\n"));
    let id = rig.open_frames();
    assert_eq!(rig.cat("link"), Card::LINK);
    assert_eq!(rig.echo("media", media), Ok(media.len()));
    assert_eq!((rig.cat("media").as_str(), rig.cat("link").as_str()), (media, forced));

    rig.close(id);
    rig.open_frames();
    assert_eq!(rig.cat("link"), forced);
    assert_eq!(rig.echo("media", Card::NEVER_FORCED), Err(EINVAL));
    assert_eq!(rig.cat("media"), media);
    assert_eq!(rig.echo("media", "autoneg on"), Ok(10));
    assert_eq!(rig.cat("link"), Card::LINK);
}
