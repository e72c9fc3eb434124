//! Where the device's own address comes from.

use crate::model::Card;
use models::rig::Rig;

#[test]
fn the_address_comes_from_the_eeprom_in_both_layouts() {
    for late_eerd in [false, true] {
        let mut model = Card::new();
        model.late_eerd = late_eerd;
        model.faults.loads_no_address = true;
        assert_eq!(Rig::new(model).cat("address"), "52:54:00:12:34:56\n");
    }
}

#[test]
fn the_address_comes_from_the_registers_where_the_eeprom_cannot_be_read() {
    let mut model = Card::new();
    model.faults.no_eerd = true;
    assert_eq!(Rig::new(model).cat("address"), "52:54:00:12:34:56\n");
}

#[test]
fn a_device_without_any_address_is_refused() {
    let mut model = Card::new();
    model.eeprom = vec![0xffff; 3];
    let error = Rig::attach(hw::fake::Slot::new(model)).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("no valid Ethernet address")));
}
