//! Driver for Realtek's RTL8139C+ Fast Ethernet controllers (RTL8139C+ data sheet, "the data sheet" below). The
//! device is driven in its C+ mode: by descriptor rings, not by the one receive buffer of its predecessors.

mod descriptors;
mod device;
mod filter;
mod media;
mod receive;
pub mod registers;
mod transmit;

pub use device::Device;
