//! Each of the devices, and what can be wrong with one.

use hw::fake::Slot;
use ixgbe::chips;
use nic::driver::Fault;

use crate::model::Card;
use models::rig::{Rig, frame};

#[test]
fn frames_pass_through_each_of_them() {
    for chip in chips::CHIPS.iter().flat_map(|(_, chips)| *chips) {
        let mut rig = Rig::new(Card::with_device(chip.device));
        assert_eq!(rig.port.borrow().info.model, chip.name);
        let id = rig.open_frames();
        let frame = frame(Card::MAC, 1514, 1);
        rig.arrive(&frame);
        assert_eq!(rig.write(id, &frame), Ok(1514));
        assert_eq!((rig.read_all(id), rig.sent()), (vec![frame.clone()], vec![frame]), "{}", chip.name);
    }
}

#[test]
fn an_eeprom_that_is_never_read_is_given_up() {
    let mut model = Card::new();
    model.faults.endless_eeprom = true;
    assert!(matches!(Rig::attach(Slot::new(model)), Err(Fault::Hung("reading its EEPROM"))));
}

#[test]
fn a_device_without_address_is_refused() {
    let mut model = Card::new();
    model.eeprom = vec![0; 3];
    assert!(matches!(Rig::attach(Slot::new(model)), Err(Fault::NoAddress)));
}

#[test]
fn each_of_them_receives_what_it_sends_when_it_tests_itself() {
    for (_, chips) in chips::CHIPS {
        let mut rig = Rig::new(Card::with_device(chips[0].device));
        assert!(rig.echo("selftest", "run").is_ok());
        assert_eq!(
            rig.cat("selftest"),
            "registers pass\nloopback pass 32/32\nlink pass\n",
            "{}",
            chips[0].name
        );
        rig.open_frames();
        assert_eq!(rig.cat("link"), Card::LINK, "it is negotiated again");
    }
}

#[test]
fn an_x550_lets_its_firmware_alone_read_its_eeprom() {
    let mut rig = Rig::new(Card::with_device(0x1563));
    assert!(rig.cat("features").contains("eeprom unsupported\n"));
    assert!(Rig::new(Card::new()).cat("features").contains("eeprom on\n"));
}

#[test]
fn damaged_frames_are_counted_and_thrown_away() {
    let mut rig = Rig::new(Card::new());
    let id = rig.open_frames();
    rig.slot.with(|model, _| model.faults.errors = 1 << 9);
    rig.arrive(&frame(Card::MAC, 100, 1));
    rig.settle();
    assert!(rig.read_all(id).is_empty());
    assert_eq!(rig.stat("rx_errors"), 1);
}
