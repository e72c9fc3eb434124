//! The commands.

pub mod bench;
pub mod features;
pub mod fuzz;
pub mod redox;
pub mod run;
mod script;
mod terminal;
pub mod test;

/// A command's end: its exit status, or why there is none.
pub type Result = std::result::Result<std::process::ExitCode, Box<dyn std::error::Error>>;
