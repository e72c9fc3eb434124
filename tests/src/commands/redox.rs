//! `./x redox`.

mod bench;
mod build;
mod image;
mod run;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use testbed::Error;
use testbed::redox::guest;

/// Builds for Redox, puts netd into an image of Redox, and boots it.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Arguments),
    Build(build::Arguments),
    Image(image::Arguments),
    Run(run::Arguments),
    Test(test::Arguments),
}

/// Does what is asked.
pub fn run(arguments: &Arguments) -> super::Result {
    match &arguments.command {
        Command::Bench(arguments) => bench::run(arguments),
        Command::Build(arguments) => build::run(arguments),
        Command::Image(arguments) => image::run(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Test(arguments) => test::run(arguments),
    }
}

/// The user's image of Redox.
#[derive(Args, Debug)]
struct Base {
    /// A disk image of Redox, with a partition table or bare; it is not changed. Without this, the one that the
    /// environment variable REDOX_IMAGE names
    #[arg(long, value_name = "IMAGE")]
    base: Option<PathBuf>,
}

impl Base {
    fn path(&self) -> Result<PathBuf, Error> {
        let named = self.base.clone().or_else(|| std::env::var_os(guest::IMAGE).map(PathBuf::from));
        named.ok_or_else(|| {
            let reason = "which image of Redox? Name one with --base or in REDOX_IMAGE (docs/redox.md tells which fit)";
            Error::Missing(reason.to_owned())
        })
    }
}

/// Our programs for Redox.
#[derive(Args, Debug)]
struct Programs {
    /// Takes the programs from here, instead of building them
    #[arg(long, value_name = "FOLDER")]
    bin: Option<PathBuf>,
}

impl Programs {
    fn folder(&self) -> Result<PathBuf, Error> {
        self.bin.clone().map_or_else(testbed::redox::build::build, Ok)
    }
}
