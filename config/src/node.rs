//! Files of the schemes, as the command reads and writes them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The scheme is not there, or not for this user.
    #[error("cannot list {}: {source}: is netd running? Start it, or see its log", path.display())]
    NoScheme {
        /// What was tried.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Who asks is not root.
    #[error("cannot open {}: only root can do that", path.display())]
    NotRoot {
        /// The file.
        path: PathBuf,
    },
    /// The file is there to be read alone.
    #[error("{} cannot be changed", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// What was written makes no sense there, as its server says.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// A file says what it should not.
    #[error("{} says `{text}` where a number is expected", path.display())]
    NoNumber {
        /// The file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// There is nothing to do it with.
    #[error("{0}")]
    Missing(String),
    /// The configuration's file.
    #[error(transparent)]
    File(#[from] config::netd::FileError),
    /// Nobody reads any more what is written.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
}

/// A file's text; nothing if there is no such file, or if it says that there is nothing.
pub struct Node {
    path: PathBuf,
    text: String,
}

impl Node {
    /// Reads the file at `path`.
    pub fn read(path: PathBuf) -> Result<Self, Failure> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { path, text: String::new() }),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Failure::NotRoot { path }),
            Err(source) => Err(Failure::Read { path, source }),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines that say something.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        const NOTHING: [&str; 3] = ["", "Not configured", "Device not found"];
        self.text.lines().map(str::trim).filter(|line| !NOTHING.contains(line))
    }

    /// The first line.
    pub fn value(&self) -> Option<String> {
        self.lines().next().map(str::to_owned)
    }

    /// The first line, if it is a number.
    pub fn number(&self) -> Result<Option<u64>, Failure> {
        self.lines().next().map(|text| self.parse(text)).transpose()
    }

    /// The value of the line `name value`.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// The number in the line `name number`.
    pub fn number_field(&self, name: &str) -> Result<Option<u64>, Failure> {
        self.field(name).map(|text| self.parse(&text)).transpose()
    }

    /// The lines `name value`.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines().map(|line| line.split_once(' ').unwrap_or((line, "")))
    }

    /// A number that it says.
    pub fn parse<T: FromStr>(&self, text: &str) -> Result<T, Failure> {
        text.parse().map_err(|_| Failure::NoNumber { path: self.path.clone(), text: text.to_owned() })
    }
}

/// The names in a directory, in order.
pub fn list(directory: &Path) -> Result<Vec<String>, Failure> {
    let list = || -> io::Result<Vec<String>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut names = list().map_err(|source| Failure::NoScheme { path: directory.to_owned(), source })?;
    names.sort();
    Ok(names)
}

/// Writes `text` to the file at `path`, and asks why if it is refused.
pub fn change(path: &Path, text: &str) -> Result<(), Failure> {
    let failure = |source: io::Error| match source.kind() {
        ErrorKind::PermissionDenied if is_read_only(path) => Failure::ReadOnly { path: path.to_owned() },
        ErrorKind::PermissionDenied => Failure::NotRoot { path: path.to_owned() },
        _ => Failure::Write { path: path.to_owned(), source },
    };
    let mut file = File::options().read(true).write(true).open(path).map_err(failure)?;
    match file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        Ok(()) => Ok(()),
        Err(error) => {
            Err(reason(&mut file).map_or_else(|| failure(error), |reason| Failure::Refused { reason }))
        }
    }
}

fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().readonly())
}

fn reason(file: &mut File) -> Option<String> {
    let mut reason = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut reason)).ok()?;
    Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty())
}
