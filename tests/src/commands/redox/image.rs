//! `./x redox image`.

use std::path::PathBuf;
use std::process::ExitCode;

use testbed::redox::filesystem::Change;
use testbed::redox::image;
use testbed::redox::install::{self, Parts};

use super::{Base, Programs};

/// Copies an image of Redox, with our drivers, netd and netcfg in the place of its own.
///
/// They take the stock ones' places by name: the drivers in /usr/lib/drivers, their entries in pcid.d, and the unit
/// 10_smolnetd.service. Nothing else is touched. Neither root nor a mount is needed.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    base: Base,
    /// The image to make
    #[arg(long, value_name = "IMAGE")]
    out: PathBuf,
    #[command(flatten)]
    programs: Programs,
}

/// Makes the image, and tells what changed.
pub fn run(arguments: &Arguments) -> crate::commands::Result {
    let base = arguments.base.path()?;
    let items = install::items(Parts::All, &arguments.programs.folder()?)?;
    for change in image::make(&base, &arguments.out, &items)? {
        match change {
            Change::Added(path) => println!("added {path}"),
            Change::Replaced(path) => println!("replaced {path}"),
        }
    }
    Ok(ExitCode::SUCCESS)
}
