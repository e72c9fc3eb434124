//! What Realtek's controllers do when they are no good from the start.

#[path = "../../../nic/tests/card/start.rs"]
mod start;

use hw::fake::Slot;
use nic::driver::Fault;

use crate::model::Card;
use models::rig::Rig;

#[test]
fn a_device_without_address_is_refused() {
    let mut model = Card::new();
    model.set_address([0; 6]);
    assert!(matches!(Rig::attach(Slot::new(model)), Err(Fault::NoAddress)));
}
