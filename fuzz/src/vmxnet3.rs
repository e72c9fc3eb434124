//! A vmxnet3 that lies to its driver: in its registers, in its completions, and by its interrupts.

// The driver's own tests drive the same device.
#[path = "liar.rs"]
mod liar;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/madness.rs"]
mod madness;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/vmxnet3/tests/device/model.rs"]
mod model;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/packets.rs"]
mod packets;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/rig.rs"]
mod rig;
#[path = "descriptors.rs"]
mod steps;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/wire.rs"]
mod wire;

pub use liar::run;
