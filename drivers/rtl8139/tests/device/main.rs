//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the rig's helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../realtek/tests/card/chip.rs"]
mod chip;
mod faults;
#[path = "../../../nic/tests/card/madness.rs"]
mod madness;
mod model;
mod nodes;
#[path = "../../../nic/tests/card/random.rs"]
mod random;
#[path = "../../../realtek/tests/card/faults.rs"]
mod realtek_faults;
#[path = "../../../nic/tests/card/rig.rs"]
mod rig;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../nic/tests/card/vlan.rs"]
mod vlan;
