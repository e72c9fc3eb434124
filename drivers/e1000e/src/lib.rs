//! Driver for Intel's 82571 to 82583 gigabit Ethernet controllers, and for those in chipsets that come after them
//! (82574 GbE Controller Family Datasheet, "82574" below).

mod family;
pub mod registers;

pub use family::E1000e;

/// An 82574, or one of its family.
pub type Device<R> = intel::Device<R, E1000e>;
