//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the rig's helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../nic/tests/card/checksums.rs"]
mod card_checksums;
mod checksums;
#[path = "../../../nic/tests/card/coalesce.rs"]
mod coalesce;
mod faults;
#[path = "../../../nic/tests/card/flows.rs"]
mod flows;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
mod madness;
mod model;
mod negotiation;
#[path = "../../../nic/tests/card/packets.rs"]
mod packets;
mod pairs;
#[path = "../../../nic/tests/card/queues.rs"]
mod queues;
#[path = "../../../nic/tests/card/rig.rs"]
mod rig;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../nic/tests/card/segments.rs"]
mod segments;
mod spread;
mod virtqueue;
#[path = "../../../nic/tests/card/vlan_filter.rs"]
mod vlan_filter;
#[allow(dead_code, reason = "the models of other devices use the rest")]
#[path = "../../../nic/tests/card/wire.rs"]
mod wire;
