//! `./x redox test`.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use testbed::redox::stock::{self, Verdict};
use testbed::sockets::CHECKS;

use super::{Base, Programs};
use crate::commands::test;

/// Runs the integration tests in Redox: with our drivers and netd, and with each over or under the stock ones.
///
/// With `--stock` it tells which checks of std's and C's sockets the image's own drivers and network stack pass, a boot for
/// each. `./x test redox` does the same with the image that the environment variable REDOX_IMAGE names.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    programs: Programs,
    /// Runs the checks of sockets over the image's own drivers and network stack
    #[arg(long)]
    stock: bool,
    /// Only tests whose names contain one of these
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
}

/// Runs the tests, and says how many passed and failed.
pub fn run(arguments: &Arguments) -> crate::commands::Result {
    let (base, programs) = (arguments.base.path()?, arguments.programs.folder()?);
    if arguments.stock {
        return checks_over_stock(&base, &programs, &arguments.names);
    }
    Ok(test::report(&test::redox(&base, &programs, &arguments.names)?))
}

/// Prints a table of what the stock parts pass. That they fail is no failure.
fn checks_over_stock(base: &Path, programs: &Path, names: &[OsString]) -> crate::commands::Result {
    let is_named = |check: &str| names.iter().any(|name| check.contains(&*name.to_string_lossy()));
    println!("| check | Redox's own stack |\n|---|---|");
    for check in CHECKS.into_iter().filter(|check| names.is_empty() || is_named(check)) {
        match stock::try_check(base, programs, check)? {
            Verdict::Passed => println!("| `{check}` | passes |"),
            Verdict::Failed(why) => println!("| `{check}` | fails: {why} |"),
        }
    }
    Ok(ExitCode::SUCCESS)
}
