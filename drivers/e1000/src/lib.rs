//! Driver for Intel's 8254x gigabit Ethernet controllers (PCI/PCI-X Family of Gigabit Ethernet Controllers
//! Software Developer's Manual, "8254x SDM" below).

mod chip;
mod counters;
mod descriptors;
mod device;
mod eeprom;
mod filter;
mod receive;
pub mod registers;
mod transmit;

pub use device::Device;
