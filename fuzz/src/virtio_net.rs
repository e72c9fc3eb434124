//! A virtio network device that lies to its driver: in its registers, in its virtqueues, and by its interrupts.

// The driver's own tests drive the same device.
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/flows.rs"]
mod flows;
#[path = "liar.rs"]
mod liar;
#[path = "../../drivers/virtio-net/tests/device/madness.rs"]
mod madness;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/virtio-net/tests/device/model.rs"]
mod model;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/packets.rs"]
mod packets;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/rig.rs"]
mod rig;
#[path = "../../drivers/virtio-net/tests/device/spread.rs"]
mod spread;
#[path = "virtqueues.rs"]
mod steps;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/virtio-net/tests/device/virtqueue.rs"]
mod virtqueue;
#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../drivers/nic/tests/card/wire.rs"]
mod wire;

pub use liar::run;
