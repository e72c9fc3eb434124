//! What goes into a Redox image: programs and configuration, each with its place.

use std::fs;
use std::path::{Path, PathBuf};

use config::pcid;

use crate::{Context, Error, Result};

/// Permissions of programs.
pub const PROGRAM: u16 = 0o755;

/// Permissions of other files.
pub const PLAIN: u16 = 0o644;

/// The programs beside the drivers, which go to `/usr/bin`.
const PROGRAMS: [&str; 2] = ["netd", "netcfg"];

/// A file that goes into an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where to.
    pub path: String,
    /// Where a file of the same name would go before it; if there is one, it is replaced too.
    pub shadow: Option<String>,
    /// Its permissions.
    pub mode: u16,
    /// What is in it.
    pub content: Vec<u8>,
}

impl Item {
    /// A file in one place only.
    pub fn new(path: &str, mode: u16, content: Vec<u8>) -> Self {
        Self { path: path.to_owned(), shadow: None, mode, content }
    }
}

/// What of ours goes into an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Everything.
    All,
    /// The drivers, under the stock network stack.
    Drivers,
    /// netd, over the stock drivers.
    Netd,
    /// Nothing.
    Stock,
}

/// The files of these parts: programs from the folder `programs`, and their configuration.
pub fn items(parts: Parts, programs: &Path) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    if matches!(parts, Parts::All | Parts::Drivers) {
        for driver in drivers(&configuration("pcid.d"))? {
            let name = driver.file_name().unwrap_or_default().to_string_lossy().into_owned();
            items.push(Item::new(&driver.to_string_lossy(), PROGRAM, program(programs, &name)?));
        }
        items.extend(configuration_items("pcid.d")?);
    }
    if matches!(parts, Parts::All | Parts::Netd) {
        for name in PROGRAMS {
            items.push(Item::new(&format!("/usr/bin/{name}"), PROGRAM, program(programs, name)?));
        }
        items.extend(configuration_items("init.d")?);
        // Before Redox's own files in /etc/net, whose address is QEMU's.
        let file = configuration("net").join("netd.toml");
        items.push(Item::new("/etc/net/netd.toml", PLAIN, fs::read(&file).context("read", &file)?));
    }
    Ok(items)
}

/// Our drivers' entries in pcid.d, with these arguments for each driver.
pub fn with_arguments(arguments: &[&str]) -> Result<Vec<Item>> {
    let more: String = arguments.iter().map(|argument| format!(", \"{argument}\"")).collect();
    let mut items = configuration_items("pcid.d")?;
    for item in &mut items {
        let lines = String::from_utf8_lossy(&item.content);
        let lines = lines.lines().map(|line| match line.strip_suffix(']') {
            Some(command) if line.starts_with("command = ") => format!("{command}{more}]\n"),
            _ => format!("{line}\n"),
        });
        item.content = lines.collect::<String>().into_bytes();
    }
    Ok(items)
}

/// The folder of configuration that is called this here and there.
fn configuration(folder: &str) -> PathBuf {
    crate::workspace().join("config").join(folder)
}

/// The files of a folder of configuration.
fn configuration_items(folder: &str) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for file in files(&configuration(folder))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        items.push(Item {
            path: format!("/usr/lib/{folder}/{name}"),
            shadow: Some(format!("/etc/{folder}/{name}")),
            mode: PLAIN,
            content: fs::read(&file).context("read", &file)?,
        });
    }
    Ok(items)
}

/// One of our programs for Redox.
pub fn program(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let content = fs::read(&path).map_err(|error| {
        let (path, built) = (path.display(), "./x redox build makes it, in target/redox");
        Error::Missing(format!("cannot read {path}: {error}; {built}"))
    })?;
    if !content.starts_with(b"\x7fELF") || is_for_linux(&content) {
        let reason = "is no program for Redox; `./x redox build` makes it, in target/redox";
        return Err(Error::Missing(format!("{} {reason}", path.display())));
    }
    Ok(content)
}

/// Whether the ELF program names Linux's loader, or has the note that Linux's C library leaves.
fn is_for_linux(program: &[u8]) -> bool {
    let head = program.get(..4096).unwrap_or(program);
    let contains = |mark: &[u8]| head.windows(mark.len()).any(|window| window == mark);
    // NT_GNU_ABI_TAG (type 1) for Linux (0).
    contains(b"ld-linux") || contains(b"\x01\0\0\0GNU\0\0\0\0\0")
}

/// The drivers that the pcid.d files start, each once, in order.
fn drivers(folder: &Path) -> Result<Vec<PathBuf>> {
    let (drivers, errors) = pcid::load(&[folder]);
    if let Some(error) = errors.into_iter().next() {
        return Err(Error::Missing(error.to_string()));
    }
    let mut drivers: Vec<_> = drivers.into_iter().map(|driver| driver.command.program()).collect();
    drivers.sort();
    drivers.dedup();
    Ok(drivers)
}

/// The files in a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context("list", folder)?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with `content` as each of the programs.
    fn programs(content: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let drivers = drivers(&configuration("pcid.d")).unwrap();
        let names = drivers.iter().filter_map(|driver| driver.file_name()?.to_str());
        for name in names.chain(PROGRAMS) {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn paths(parts: Parts) -> Vec<String> {
        let folder = programs(b"\x7fELF a program for Redox");
        items(parts, folder.path()).unwrap().into_iter().map(|item| item.path).collect()
    }

    #[test]
    fn everything_has_the_place_of_its_stock_counterpart() {
        let all = paths(Parts::All);
        for expected in [
            "/usr/lib/drivers/e1000d",
            "/usr/lib/pcid.d/e1000d.toml",
            "/usr/lib/init.d/10_smolnetd.service",
            "/usr/bin/netd",
            "/usr/bin/netcfg",
        ] {
            assert!(all.contains(&expected.to_owned()), "{expected} in {all:?}");
        }
    }

    #[test]
    fn the_parts_make_the_whole() {
        assert_eq!([paths(Parts::Drivers), paths(Parts::Netd)].concat(), paths(Parts::All));
        assert_eq!(paths(Parts::Stock), [""; 0]);
    }

    #[test]
    fn a_program_for_another_system_is_refused() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        for content in [&own[..], b"#!/bin/sh"] {
            let folder = programs(content);
            let error = items(Parts::All, folder.path()).unwrap_err().to_string();
            assert!(error.contains("is no program for Redox"), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        let error = items(Parts::All, empty.path()).unwrap_err().to_string();
        assert!(error.contains("cannot read") && error.contains("./x redox build"), "{error}");
    }
}
