//! What netd takes from outside, as fuzz targets: each has a `run`, which panics at what must not be.
//!
//! The targets take inputs apart with [`input::Input`], which makes something of any bytes.

pub mod config;
mod devices;
pub mod dhcp;
pub mod dns;
pub mod drivers;
pub mod frames;
pub mod fuse;
pub mod input;
pub mod ipv6;
pub mod netcfg;
pub mod pcid;
mod requests;
pub mod sockets;
mod wire;

pub use devices::{e1000, e1000e, igb, ixgbe, rtl8139, rtl8168, virtio_net, virtio_net_packed, vmxnet3};

#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../scheme/tests/toy/mod.rs"]
mod toy;
