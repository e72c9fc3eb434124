//! A script: run by the system's shell, or where there is none, line by line by ourselves.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::frame::Message;
use crate::lines;
use crate::output::Output;

/// The shells that understand a POSIX script.
const SHELLS: [&str; 4] = ["sh", "dash", "bash", "ash"];

/// Runs the script, and tells the host its output and its status.
pub fn run(script: &Path, shells: &Path, output: &Output) -> io::Result<()> {
    output.say(&Message::Begin)?;
    let status = match shell(shells) {
        Some(shell) => output.run(Command::new(shell).arg(script).stdin(Stdio::null()), None)?,
        None => lines::run(script, output)?,
    };
    output.say(&Message::Status(status))
}

fn shell(folder: &Path) -> Option<PathBuf> {
    SHELLS.iter().map(|name| folder.join(name)).find(|path| path.exists())
}
