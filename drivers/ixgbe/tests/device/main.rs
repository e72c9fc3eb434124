//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the stories' helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../nic/tests/card/checksums.rs"]
mod checksums;
mod chips;
#[path = "../../../nic/tests/card/coalesce.rs"]
mod coalesce;
#[path = "../../../intel/tests/card/drops.rs"]
mod drops;
#[path = "../../../nic/tests/card/eeprom.rs"]
mod eeprom;
#[path = "../../../intel/tests/card/faults.rs"]
mod faults;
#[path = "../../../nic/tests/card/identify.rs"]
mod identify;
#[path = "../../../intel/tests/card/interrupts.rs"]
mod interrupts;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
#[path = "../../../nic/tests/card/media.rs"]
mod media;
mod nodes;
#[path = "../../../nic/tests/card/queues.rs"]
mod queues;
#[path = "../../../nic/tests/card/random.rs"]
mod random;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../nic/tests/card/segments.rs"]
mod segments;
#[path = "../../../nic/tests/card/selftest.rs"]
mod selftest;
mod spread;
#[path = "../../../nic/tests/card/vlan.rs"]
mod vlan;
#[path = "../../../nic/tests/card/vlan_filter.rs"]
mod vlan_filter;
#[path = "../../../nic/tests/card/wake.rs"]
mod wake;

use models::ixgbe as model;
