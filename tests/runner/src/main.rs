//! `script-runner SCRIPT CONSOLE`: runs the script and tells the host, over the console, what became of it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use runner::output::Output;
use runner::script;

/// Where Redox has its shells.
const SHELLS: &str = "/usr/bin";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(file), Some(console), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: script-runner SCRIPT CONSOLE");
        return ExitCode::FAILURE;
    };
    match run(&file, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("script-runner: cannot run {} with {}: {error}", file.display(), console.display());
            ExitCode::FAILURE
        }
    }
}

fn run(file: &Path, console: &Path) -> io::Result<()> {
    script::run(file, Path::new(SHELLS), &Output::open(console)?)
}
