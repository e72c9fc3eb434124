//! What the drivers of Intel's Ethernet controllers share: rings, filters, statistics, the EEPROM and LEDs; and of the
//! gigabit controllers registers and a device's life. How one family of those differs from the others is its [`Family`].
//!
//! Registers have the names of Intel's manuals: PCI/PCI-X Family of Gigabit Ethernet Controllers Software
//! Developer's Manual ("8254x SDM"), 82574 GbE Controller Family Datasheet ("82574"), 82576EB Gigabit Ethernet
//! Controller Datasheet ("82576"). Where a section is named without a manual, it is the first one's.

pub mod advanced;
pub mod chip;
pub mod counters;
pub mod descriptors;
mod device;
pub mod eeprom;
pub mod family;
pub mod filter;
pub mod leds;
pub mod phy;
pub mod receive;
pub mod registers;
pub mod rings;
pub mod rss;
pub mod transmit;
pub mod wake;

pub use chip::Chip;
pub use device::Device;
pub use family::Family;
