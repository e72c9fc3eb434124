//! A virtio network device.

mod device;
pub mod madness;
mod spread;
mod virtqueue;

pub use device::{Card, Faults, VirtioNet};
pub use spread::Spread;
