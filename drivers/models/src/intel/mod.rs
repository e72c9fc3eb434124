//! Controllers of Intel's that are much alike.

pub mod advanced;
pub(crate) mod context;
pub mod controller;
pub mod e1000;
pub mod e1000e;
pub(crate) mod eeprom;
mod extended;
pub mod igb;
pub(crate) mod register_file;
pub(crate) mod rss;
