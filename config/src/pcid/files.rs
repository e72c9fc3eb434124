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
use toml::de::{DeTable, DeValue};

use super::{Driver, KEYS};

/// Why a file, or a directory of files, gives no drivers.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No TOML, or a value of the wrong kind.
    #[error("{}:{line}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A key that means nothing here.
    #[error("{}:{line}: unknown key `{key}`, did you mean `{nearest}`?", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The key as it is written.
        key: String,
        /// The known key most like it.
        nearest: &'static str,
    },
}

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
    let invalid = |error: toml::de::Error| FileError::Invalid {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    };
    let document = DeTable::parse(text).map_err(invalid)?;
    if let Some((key, start, nearest)) = unknown_key(document.get_ref()) {
        return Err(FileError::UnknownKey {
            path: path.to_owned(),
            line: line_of(text, start),
            key,
            nearest,
        });
    }
    let file: File = toml::from_str(text).map_err(invalid)?;
    Ok(file.drivers)
}

/// The first key that means nothing, where it begins, and the known key most like it.
fn unknown_key(document: &DeTable<'_>) -> Option<(String, usize, &'static str)> {
    let tables = document.iter().filter_map(|(_, value)| match value.get_ref() {
        DeValue::Array(elements) => Some(elements),
        _ => None,
    });
    let in_tables = tables
        .flat_map(|elements| elements.iter())
        .filter_map(|element| element.get_ref().as_table())
        .filter_map(|table| unknown_in(table, &KEYS));
    unknown_in(document, &["drivers"]).into_iter().chain(in_tables).min_by_key(|(_, start, _)| *start)
}

fn unknown_in(table: &DeTable<'_>, known: &[&'static str]) -> Option<(String, usize, &'static str)> {
    table
        .keys()
        .filter(|key| !known.contains(&key.get_ref().as_ref()))
        .min_by_key(|key| key.span().start)
        .and_then(|key| {
            let nearest = known.iter().min_by_key(|name| strsim::damerau_levenshtein(name, key.get_ref()))?;
            Some((key.get_ref().to_string(), key.span().start, *nearest))
        })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
