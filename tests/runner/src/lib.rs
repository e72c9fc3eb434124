//! Runs a script inside Redox, and tells the host over the serial console what became of it.

pub mod frame;
pub mod line;
pub mod lines;
pub mod output;
pub mod script;
