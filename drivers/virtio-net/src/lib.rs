//! Driver for virtio network devices on PCI (Virtual I/O Device Version 1.2, "virtio 1.2" below), through the modern
//! interface, with split or packed virtqueues.

mod control;
mod device;
mod header;
mod negotiation;
mod queue;
mod receive;
pub mod registers;
pub mod ring;
mod spread;
mod transmit;
mod transport;

pub use device::Device;
