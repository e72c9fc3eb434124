//! `./x redox build`.

use std::process::ExitCode;

use testbed::redox::build;

/// Builds the drivers, netd and netcfg for Redox (x86_64-unknown-redox).
///
/// std is built along from its source. The linker is the Redox toolchain's x86_64-unknown-redox-gcc: in the folder
/// that the environment variable REDOX_TOOLCHAIN names, on the PATH, or where redoxer keeps it.
#[derive(clap::Args, Debug)]
pub struct Arguments {}

/// Builds, and tells where the programs are.
pub fn run(_: &Arguments) -> crate::commands::Result {
    println!("{}", build::build()?.display());
    Ok(ExitCode::SUCCESS)
}
