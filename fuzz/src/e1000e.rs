//! An 82574 that lies to its driver: in its registers, in its descriptors, and by its interrupts.

// The driver's own tests drive the same device.
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/intel/tests/card/controller.rs"]
mod controller;
#[path = "../../drivers/intel/tests/card/extended.rs"]
mod extended;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/flows.rs"]
mod flows;
#[path = "liar.rs"]
mod liar;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/madness.rs"]
mod madness;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/e1000e/tests/device/model.rs"]
mod model;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/packets.rs"]
mod packets;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/rig.rs"]
mod rig;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/intel/tests/card/rss.rs"]
mod rss;
#[path = "descriptors.rs"]
mod steps;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/wire.rs"]
mod wire;

pub use liar::run;
