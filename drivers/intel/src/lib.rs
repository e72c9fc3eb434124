//! What the drivers of Intel's gigabit Ethernet controllers share: registers, the EEPROM, filters, statistics, rings,
//! and a device's life. How one family differs from the others is its [`Family`].
//!
//! Registers have the names of Intel's manuals: PCI/PCI-X Family of Gigabit Ethernet Controllers Software
//! Developer's Manual ("8254x SDM"), 82574 GbE Controller Family Datasheet ("82574"), 82576EB Gigabit Ethernet
//! Controller Datasheet ("82576"). Where a section is named without a manual, it is the first one's.

pub mod chip;
mod counters;
pub mod descriptors;
mod device;
mod eeprom;
pub mod family;
mod filter;
pub mod phy;
mod receive;
pub mod registers;
mod transmit;

pub use chip::Chip;
pub use device::Device;
pub use family::Family;
