//! The driver against a model of its device.

#![allow(clippy::expect_used, clippy::panic, reason = "the stories' helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../nic/tests/card/checksums.rs"]
mod card_checksums;
mod checksums;
#[path = "../../../nic/tests/card/coalesce.rs"]
mod coalesce;
mod faults;
#[path = "../../../nic/tests/card/joined.rs"]
mod joined;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
mod negotiation;
mod pairs;
#[path = "../../../nic/tests/card/queues.rs"]
mod queues;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../nic/tests/card/segments.rs"]
mod segments;
mod unfit;
#[path = "../../../nic/tests/card/vlan_filter.rs"]
mod vlan_filter;

use models::virtio_net as model;
