//! TOML files with errors for people: the file, the line, and what was meant or expected.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// Why a file, or a directory of files, cannot be used.
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

/// The keys that a table may have, and what may stand there.
pub type Schema = &'static [(&'static str, Content)];

/// What may stand under a key.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// Anything that its type takes; keys in it are the user's own.
    Value,
    /// A table with these keys, or an array of such tables.
    Tables(Schema),
}

/// The `T` in `text`, whose tables have keys of `schema` only. Errors are reported as those of the file `path`.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str, schema: Schema) -> Result<T, FileError> {
    let invalid = |error: toml::de::Error| FileError::Invalid {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    };
    let document = DeTable::parse(text).map_err(invalid)?;
    if let Some((key, start, nearest)) = unknown_key(document.get_ref(), schema) {
        return Err(FileError::UnknownKey {
            path: path.to_owned(),
            line: line_of(text, start),
            key,
            nearest,
        });
    }
    toml::from_str(text).map_err(invalid)
}

/// Where a value stands: from the outermost key or place in an array to the innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a table, under this key.
    Key(&'static str),
    /// In an array, counted from 0.
    Item(usize),
}

/// An error about the value at `path` in `text`, whose file is called `file`.
pub fn invalid_at(file: &Path, text: &str, path: &[Place], reason: String) -> FileError {
    let start = DeTable::parse(text).ok().and_then(|document| start_of(document.get_ref(), path));
    FileError::Invalid { path: file.to_owned(), line: line_of(text, start.unwrap_or(0)), reason }
}

fn start_of(table: &DeTable<'_>, path: &[Place]) -> Option<usize> {
    let [Place::Key(key), path @ ..] = path else { return None };
    let (_, mut value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    for (position, place) in path.iter().enumerate() {
        value = match (place, value.get_ref()) {
            (Place::Item(item), DeValue::Array(values)) => values.get(*item)?,
            (Place::Key(_), DeValue::Table(table)) => return start_of(table, path.get(position..)?),
            _ => return None,
        };
    }
    Some(value.span().start)
}

/// The first key that means nothing, where it begins, and the known key most like it.
fn unknown_key(table: &DeTable<'_>, schema: Schema) -> Option<(String, usize, &'static str)> {
    let content = |key: &str| schema.iter().find(|(name, _)| *name == key).map(|(_, content)| *content);
    let own = table.keys().filter(|key| content(key.get_ref()).is_none()).filter_map(|key| {
        let nearest =
            schema.iter().min_by_key(|(name, _)| strsim::damerau_levenshtein(name, key.get_ref()))?;
        Some((key.get_ref().to_string(), key.span().start, nearest.0))
    });
    let inner = table.iter().filter_map(|(key, value)| match content(key.get_ref())? {
        Content::Tables(schema) => unknown_in(value.get_ref(), schema),
        Content::Value => None,
    });
    own.chain(inner).min_by_key(|(_, start, _)| *start)
}

fn unknown_in(value: &DeValue<'_>, schema: Schema) -> Option<(String, usize, &'static str)> {
    match value {
        DeValue::Table(table) => unknown_key(table, schema),
        DeValue::Array(values) => values.iter().find_map(|value| unknown_in(value.get_ref(), schema)),
        _ => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
