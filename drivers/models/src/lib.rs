//! Models of the devices, from the other side of their registers, and what drives them: for the tests, the benchmarks and
//! the fuzz targets of their drivers.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::new_without_default, reason = "a device is switched on")]

pub mod cost;
pub mod driven;
pub mod flows;
pub mod intel;
mod interrupt;
pub mod ixgbe;
pub mod madness;
pub mod packets;
pub mod realtek;
pub mod rig;
pub mod virtio_net;
pub mod vmxnet3;
pub mod wire;
