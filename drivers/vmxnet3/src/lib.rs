//! Driver for VMware's vmxnet3, a network device for virtual machines that QEMU has, too. There is no data sheet: names
//! and layouts are those of VMware's public header, `vmxnet3_defs.h`.

mod configuration;
mod descriptors;
mod device;
mod receive;
pub mod registers;
mod ring;
pub mod shared;
mod spread;
mod statistics;
mod transmit;

pub use device::Device;
