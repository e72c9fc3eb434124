//! The driver against a model of a device that has packed virtqueues.

#![allow(clippy::expect_used, clippy::panic, reason = "the stories' helpers are tests, too")]

#[path = "../../../nic/tests/card/mod.rs"]
mod card;
#[path = "../../../nic/tests/card/coalesce.rs"]
mod coalesce;
#[path = "../device/faults.rs"]
mod faults;
#[path = "../../../nic/tests/card/jumbo.rs"]
mod jumbo;
mod negotiation;
#[path = "../../../nic/tests/card/queues.rs"]
mod queues;
#[path = "../../../nic/tests/card/rings.rs"]
mod rings;
#[path = "../../../nic/tests/card/segments.rs"]
mod segments;

/// The model, by the names that those of the split virtqueue have.
mod model {
    pub use models::virtio_net::{Packed as Card, Packed as VirtioNet};
}
