//! Driver for Realtek's RTL8139C+ Fast Ethernet controllers (RTL8139C+ data sheet, "the data sheet" below). The
//! device is driven in its C+ mode: by descriptor rings, not by the one receive buffer of its predecessors.

mod family;
mod media;
pub mod registers;

pub use family::Rtl8139;

/// An RTL8139C+.
pub type Device<R> = realtek::Device<R, Rtl8139>;
