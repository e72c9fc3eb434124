//! Finding and reading the `pcid.d` files.
//!
//! Redox joins all files into one document, in which one error loses every driver; here each file stands
//! alone, and one that cannot be read is reported beside the drivers of the others.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Driver;
use crate::document::{self, Content, FileError, Schema};

const SCHEMA: Schema = &[(
    "drivers",
    Content::Tables(&[
        ("name", Content::Value),
        ("class", Content::Value),
        ("subclass", Content::Value),
        ("interface", Content::Value),
        ("vendor", Content::Value),
        ("device", Content::Value),
        ("ids", Content::Value),
        ("device_id_range", Content::Value),
        ("command", Content::Value),
    ]),
)];

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    drivers: Vec<Driver>,
}

/// The drivers of all `*.toml` files in `directories`, in the order of the files' names, and what is wrong
/// with the files that gave none. A file replaces one of the same name in an earlier directory. A directory
/// that does not exist is an empty one.
pub fn load<P: AsRef<Path>>(directories: &[P]) -> (Vec<Driver>, Vec<FileError>) {
    let mut files = BTreeMap::new();
    let mut errors = Vec::new();
    for directory in directories {
        match list(directory.as_ref()) {
            Ok(found) => files.extend(found),
            Err(source) => errors.push(FileError::Read { path: directory.as_ref().to_owned(), source }),
        }
    }

    let mut drivers = Vec::new();
    for path in files.into_values() {
        match read(&path) {
            Ok(found) => drivers.extend(found),
            Err(error) => errors.push(error),
        }
    }
    (drivers, errors)
}

fn list(directory: &Path) -> io::Result<BTreeMap<OsString, PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|end| end == "toml")) {
            files.insert(name.to_owned(), path);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<Driver>, FileError> {
    let text =
        fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

/// The drivers in `text`, whose errors are reported as those of the file `path`.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Driver>, FileError> {
    let file: File = document::parse(path, text, SCHEMA)?;
    Ok(file.drivers)
}
