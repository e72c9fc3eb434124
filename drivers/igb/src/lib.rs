//! Driver for Intel's 82576, I350, I210 and I211 gigabit Ethernet controllers (82576EB Gigabit Ethernet Controller
//! Datasheet, "82576" below).

mod family;
pub mod registers;

pub use family::Igb;

/// An 82576, or one of its family.
pub type Device<R> = intel::Device<R, Igb>;
