//! Driver for Intel's 8254x gigabit Ethernet controllers (PCI/PCI-X Family of Gigabit Ethernet Controllers
//! Software Developer's Manual, "8254x SDM" below).

mod family;

pub use family::E1000;

/// An 8254x.
pub type Device<R> = intel::Device<R, E1000>;
