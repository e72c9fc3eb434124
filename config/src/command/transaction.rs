//! Whole configurations.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use config::netd;

use super::node;
use crate::node::{Failure, Node, change, list};

/// The first line of what is saved.
const ORIGIN: &str = "# What netd ran when `netcfg save` wrote this; docs/netcfg.md tells every key.\n";

/// Puts the configuration in `file` in place of the one that runs, on trial for `limit` seconds if that is said.
pub fn apply(file: &Path, limit: Option<u64>) -> Result<(), Failure> {
    let text = fs::read_to_string(file).map_err(|source| Failure::Read { path: file.to_owned(), source })?;
    // netd checks it again, but does not know the file's name.
    netd::parse(file, &text)?;
    list(&node(""))?;
    match limit {
        None => change(&node("config/apply"), &text),
        Some(seconds) => {
            change(&node("config/try"), &format!("{seconds}\n{text}"))?;
            eprintln!("On trial for {seconds} s. `netcfg confirm` keeps it; else what was before returns.");
            Ok(())
        }
    }
}

/// Keeps what is on trial.
pub fn confirm() -> Result<(), Failure> {
    list(&node(""))?;
    change(&node("config/confirm"), "yes\n")
}

/// Writes the configuration that runs to `file`. Readers see the old file or the new one.
pub fn save(file: &Path) -> Result<(), Failure> {
    list(&node(""))?;
    let running = Node::read(node("config/running"))?;
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let write = || -> io::Result<()> {
        let mut output = File::create(new)?;
        output.write_all(ORIGIN.as_bytes())?;
        output.write_all(running.text().as_bytes())?;
        output.sync_all()?;
        fs::rename(new, file)
    };
    write().map_err(|source| Failure::Write { path: file.to_owned(), source })
}
