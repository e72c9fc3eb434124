//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the stories' helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../nic/tests/card/checksums.rs"]
mod checksums;
mod chips;
#[path = "../../../nic/tests/card/coalesce.rs"]
mod coalesce;
#[path = "../../../nic/tests/card/eeprom.rs"]
mod eeprom;
mod faults;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
#[path = "../../../nic/tests/card/media.rs"]
mod media;
mod moderation;
mod nodes;
#[path = "../../../nic/tests/card/random.rs"]
mod random;
#[path = "../../../realtek/tests/card/eeprom.rs"]
mod realtek_eeprom;
#[path = "../../../realtek/tests/card/faults.rs"]
mod realtek_faults;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../nic/tests/card/segments.rs"]
mod segments;
#[path = "../../../nic/tests/card/selftest.rs"]
mod selftest;
#[path = "../../../nic/tests/card/vlan.rs"]
mod vlan;
#[path = "../../../nic/tests/card/wake.rs"]
mod wake;

use models::realtek::rtl8168 as model;
