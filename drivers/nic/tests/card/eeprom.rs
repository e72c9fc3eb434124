//! What the device's EEPROM holds.

use crate::model::Card;
use models::rig::Rig;

#[test]
fn the_words_of_the_eeprom_are_told_in_their_order() {
    let model = Card::new();
    let words = model.eeprom.clone();
    let bytes = Rig::new(model).contents("eeprom");
    assert_eq!(bytes, words.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
}
