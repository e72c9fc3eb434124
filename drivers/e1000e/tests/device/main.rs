//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the rig's helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../nic/tests/card/checksums.rs"]
mod checksums;
#[path = "../../../nic/tests/card/coalesce.rs"]
mod coalesce;
#[path = "../../../intel/tests/card/controller.rs"]
mod controller;
#[path = "../../../intel/tests/card/extended.rs"]
mod extended;
#[path = "../../../nic/tests/card/flows.rs"]
mod flows;
#[path = "../../../intel/tests/card/mod.rs"]
mod intel;
#[path = "../../../intel/tests/card/interrupts.rs"]
mod interrupts;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
#[path = "../../../nic/tests/card/madness.rs"]
mod madness;
mod model;
#[path = "../../../nic/tests/card/packets.rs"]
mod packets;
#[path = "../../../nic/tests/card/queues.rs"]
mod queues;
#[path = "../../../nic/tests/card/random.rs"]
mod random;
#[path = "../../../nic/tests/card/rig.rs"]
mod rig;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../intel/tests/card/rss.rs"]
mod rss;
#[path = "../../../nic/tests/card/segments.rs"]
mod segments;
#[path = "../../../nic/tests/card/vlan.rs"]
mod vlan;
#[path = "../../../nic/tests/card/vlan_filter.rs"]
mod vlan_filter;
#[allow(dead_code, reason = "the models of other devices use the rest")]
#[path = "../../../nic/tests/card/wire.rs"]
mod wire;
