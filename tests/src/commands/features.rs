//! `./x features`.

use std::fs;
use std::process::ExitCode;

use testbed::features;

/// Writes the matrix of what the drivers do into README, from their files features.toml.
#[derive(clap::Args, Debug)]
pub struct Arguments {}

/// Writes it.
pub fn run(Arguments {}: &Arguments) -> super::Result {
    let path = testbed::workspace().join("README.md");
    let readme = fs::read_to_string(&path)?;
    fs::write(path, features::with_matrix(&readme, &features::all()?)?)?;
    Ok(ExitCode::SUCCESS)
}
