//! The EEPROM that not every device has.

use crate::model::Card;
use models::rig::Rig;

#[test]
fn a_93c56_has_twice_as_many_words() {
    let mut model = Card::new();
    model.eeprom.extend(1000..1064);
    let words = model.eeprom.clone();
    let bytes = Rig::new(model).contents("eeprom");
    assert_eq!(bytes, words.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
}

#[test]
fn a_device_without_one_says_so_and_one_that_is_blank_is_none() {
    for words in [Vec::new(), vec![u16::MAX; 64]] {
        let mut model = Card::new();
        model.eeprom = words;
        assert!(Rig::new(model).cat("features").contains("eeprom unsupported\n"));
    }
}
