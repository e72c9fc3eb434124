//! What netd takes from outside, as fuzz targets: each has a `run`, which panics at what must not be.
//!
//! The targets take inputs apart with [`input::Input`], which makes something of any bytes.

pub mod config;
pub mod dhcp;
pub mod dns;
pub mod drivers;
pub mod e1000;
pub mod e1000e;
pub mod frames;
pub mod fuse;
pub mod igb;
pub mod input;
pub mod ipv6;
pub mod ixgbe;
pub mod netcfg;
pub mod pcid;
pub mod rtl8139;
pub mod rtl8168;
pub mod sockets;
pub mod virtio_net;
pub mod vmxnet3;
mod wire;

#[allow(dead_code, reason = "its tests use the rest")]
#[path = "../../scheme/tests/toy/mod.rs"]
mod toy;
