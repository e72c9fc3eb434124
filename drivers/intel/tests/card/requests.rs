//! What the device does when it is asked to: it reads its EEPROM, and its LEDs blink.

use std::time::Duration;

use intel::registers::LEDCTL;
use scheme::errno::EINVAL;
use scheme::flag::O_RDONLY;

use crate::model::Card;
use models::rig::Rig;

#[test]
fn the_eeprom_is_read_word_by_word_in_both_layouts() {
    for late in [false, true] {
        let mut model = Card::new();
        model.late_eerd = late;
        let words = model.eeprom.clone();
        let mut rig = Rig::new(model);
        let eeprom = rig.open("eeprom", O_RDONLY).expect("`eeprom` opens");
        let first = rig.read(eeprom);
        rig.settle();
        let bytes = first.or_else(|_| rig.read(eeprom)).expect("it can be read");
        assert_eq!(bytes, words.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    }
}

#[test]
fn leds_blink_for_as_long_as_they_are_asked_to() {
    let mut rig = Rig::new(Card::new());
    rig.slot.with(|model, _| model.set_register(LEDCTL, 0x0706_8302));
    let leds = |rig: &Rig<Card>| rig.slot.with(|model, _| model.register(LEDCTL));
    assert_eq!(rig.echo("identify", "2\n"), Ok(2));
    assert_eq!((rig.cat("identify").as_str(), leds(&rig)), ("2\n", 0x8e8e_8e8e));
    rig.pass(Duration::from_millis(1500)).expect("the device is there");
    assert_eq!((rig.cat("identify").as_str(), leds(&rig)), ("1\n", 0x8e8e_8e8e));
    rig.pass(Duration::from_millis(600)).expect("the device is there");
    assert_eq!((rig.cat("identify").as_str(), leds(&rig)), ("0\n", 0x0706_8302));

    rig.echo("identify", "100").expect("the device has LEDs");
    rig.echo("identify", "0").expect("the device has LEDs");
    assert_eq!(leds(&rig), 0x0706_8302);
    for wrong in ["", "on", "-1", "86401"] {
        assert_eq!(rig.echo("identify", wrong), Err(EINVAL), "{wrong}");
    }
}
