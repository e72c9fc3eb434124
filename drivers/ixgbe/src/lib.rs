//! Driver for Intel's 82599, X540 and X550 ten gigabit Ethernet controllers (82599 10 GbE Controller Datasheet, "82599"
//! below). The rings are those of Intel's gigabit controllers; nearly all other registers are not.

pub mod chips;
mod counters;
mod descriptors;
mod device;
mod loopback;
mod media;
pub mod registers;
mod setup;
mod spread;
mod wake;

pub use device::Device;
