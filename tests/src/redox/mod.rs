//! Redox itself: our programs built for it, put into an image of it, and booted.

pub mod bench;
pub mod build;
pub mod filesystem;
pub mod guest;
pub mod image;
pub mod install;
pub mod partition;
pub mod run;
pub mod script;
pub mod stock;
pub mod toolchain;

#[cfg(test)]
mod recipe;
