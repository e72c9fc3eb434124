//! What the drivers of Realtek's Ethernet controllers share: registers, filters, descriptor rings, and a device's life.
//! How one family differs from the others is its [`Family`].
//!
//! Registers and descriptors have the names of Realtek's data sheets of the RTL8139C+ and of the RTL8169 (rev. 1.21).

pub mod descriptors;
pub mod device;
mod eeprom;
pub mod family;
pub mod filter;
mod receive;
pub mod registers;
pub mod rings;
pub mod tasks;
mod transmit;
pub mod wake;

pub use device::Device;
pub use family::Family;
pub use rings::Rings;
