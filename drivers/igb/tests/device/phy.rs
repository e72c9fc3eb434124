//! A reset of the device resets its PHY.

use crate::model::Card;
use models::rig::Rig;

#[test]
fn a_phy_is_told_to_negotiate_after_a_reset() {
    assert_eq!(Rig::new(Card::new()).cat("link"), Card::LINK);
}

#[test]
fn a_phy_that_does_not_answer_is_left_to_itself() {
    let mut model = Card::new();
    model.faults.mute_phy = true;
    let mut rig = Rig::new(model);
    assert_eq!(rig.cat("link"), "state down\n");
}
