//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the rig's helpers are tests, too")]

#[path = "../../../intel/tests/card/address.rs"]
mod address;
#[path = "../../../intel/tests/card/controller.rs"]
mod controller;
#[path = "../../../intel/tests/card/faults.rs"]
mod faults;
#[path = "../../../nic/tests/card/filters.rs"]
mod filters;
#[path = "../../../nic/tests/card/frames.rs"]
mod frames;
#[path = "../../../intel/tests/card/interrupts.rs"]
mod interrupts;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
#[path = "../../../nic/tests/card/life.rs"]
mod life;
#[path = "../../../nic/tests/card/madness.rs"]
mod madness;
mod model;
#[path = "../../../intel/tests/card/nodes.rs"]
mod nodes;
mod phy;
#[path = "../../../nic/tests/card/random.rs"]
mod random;
#[path = "../../../nic/tests/card/rig.rs"]
mod rig;
#[path = "../../../nic/tests/card/nodes.rs"]
mod scheme_nodes;
#[path = "../../../nic/tests/card/troubles.rs"]
mod troubles;
