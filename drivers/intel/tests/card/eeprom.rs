//! The EEPROM's two ways to be read.

use crate::model::Card;
use models::rig::Rig;

#[test]
fn the_eeprom_is_read_word_by_word_in_both_layouts() {
    for late in [false, true] {
        let mut model = Card::new();
        model.late_eerd = late;
        let words = model.eeprom.clone();
        let bytes = Rig::new(model).contents("eeprom");
        assert_eq!(bytes, words.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    }
}
