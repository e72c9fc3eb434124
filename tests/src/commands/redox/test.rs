//! `./x redox test`.

use std::ffi::OsString;

use super::{Base, Programs};
use crate::commands::test;

/// Runs the integration tests in Redox: with our drivers and netd, and with each over or under the stock ones.
///
/// `./x test redox` does the same with the image that the environment variable REDOX_IMAGE names.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    programs: Programs,
    /// Only tests whose names contain one of these
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
}

/// Runs the tests, and says how many passed and failed.
pub fn run(arguments: &Arguments) -> crate::commands::Result {
    let tally = test::redox(&arguments.base.path()?, &arguments.programs.folder()?, &arguments.names)?;
    Ok(test::report(&tally))
}
