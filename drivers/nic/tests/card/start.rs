//! What a driver makes of a device that is no good from the start.

use hw::fake::Slot;
use nic::driver::Fault;

use crate::model::Card;
use models::rig::Rig;

#[test]
fn a_device_that_is_gone_is_named() {
    let slot = Slot::new(Card::new());
    slot.unplug();
    assert!(matches!(Rig::attach(slot), Err(Fault::Gone)));
}

#[test]
fn a_reset_without_end_is_given_up() {
    let mut model = Card::new();
    model.faults.endless_reset = true;
    assert!(matches!(Rig::attach(Slot::new(model)), Err(Fault::Hung("its reset"))));
}
