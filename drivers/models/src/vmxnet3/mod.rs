//! A vmxnet3.

mod device;
mod spread;

pub use device::{Card, Faults, Vmxnet3};
