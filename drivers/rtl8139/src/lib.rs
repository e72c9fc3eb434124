//! Driver for Realtek's RTL8139 Fast Ethernet controllers (data sheets of the RTL8139C and the RTL8139C+). The C+ is driven
//! by descriptor rings, its predecessors by their one receive buffer.

mod classic;
mod family;
mod media;
pub mod registers;
mod rings;

pub use family::Rtl8139;

/// An RTL8139.
pub type Device<R> = realtek::Device<R, Rtl8139>;
