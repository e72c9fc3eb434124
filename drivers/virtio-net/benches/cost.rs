//! What the driver costs, beside the model of its device: `./x bench nic`.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to say")]
#![allow(dead_code, unused_imports, reason = "the models serve the tests, too")]

#[path = "../../nic/tests/card/cost.rs"]
mod cost;
#[path = "../../nic/tests/card/flows.rs"]
mod flows;
#[path = "../tests/device/model.rs"]
mod model;
#[path = "../../nic/tests/card/packets.rs"]
mod packets;
#[path = "../tests/device/spread.rs"]
mod spread;
#[path = "../tests/device/virtqueue.rs"]
mod virtqueue;
#[path = "../../nic/tests/card/wire.rs"]
mod wire;

fn main() {
    cost::measure();
}
