//! Where the device's own address comes from.

use e1000::registers::{RAH0, RAL0};

use crate::model::E1000;
use crate::rig::Rig;

#[test]
fn the_address_comes_from_the_eeprom_in_both_layouts_or_from_the_registers() {
    let mut late = E1000::with_device(0x109a);
    late.late_eerd = true;
    assert_eq!(Rig::new(late).cat("address"), "52:54:00:12:34:56\n");

    assert_eq!(Rig::new(E1000::with_device(0x100c)).cat("address"), "52:54:00:12:34:56\n");
}

#[test]
fn a_device_without_any_address_is_refused() {
    let mut model = E1000::new();
    model.eeprom = vec![0xffff; 3];
    model.set_register(RAL0, 0);
    model.set_register(RAH0, 0);
    let error = Rig::attach(hw::fake::Slot::new(model)).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("no valid Ethernet address")));
}
