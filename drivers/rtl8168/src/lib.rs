//! Driver for Realtek's RTL8169, RTL8168, RTL8111 and RTL8125 Ethernet controllers (data sheet of the RTL8169, rev. 1.21).
//! There are public data sheets of the early ones alone; what later ones have besides is named as in the registers'
//! definitions of Realtek's own drivers.

pub mod chips;
mod family;
mod moderation;
mod phy;
pub mod registers;
mod tally;

pub use family::Rtl8168;

/// An RTL8168, or one of its family.
pub type Device<R> = realtek::Device<R, Rtl8168>;
