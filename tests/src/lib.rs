//! The test bed: a guest under QEMU in which the drivers and netd run, and the host's side of its links.

pub mod bench;
pub mod cpio;
pub mod debian;
pub mod features;
pub mod guest;
pub mod image;
pub mod kernel;
pub mod linux_peer;
pub mod machine;
pub mod monitor;
pub mod nic;
pub mod pcap;
pub mod peer;
pub mod programs;
pub mod qemu;
pub mod redox;
pub mod run;
pub mod running;
pub mod server;
pub mod sockets;
pub mod station;
mod supply;

use std::io;
use std::path::{Path, PathBuf};

/// Why the test bed could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Something that the test bed needs is not there.
    #[error("{0}")]
    Missing(String),
    /// Programs do not build; cargo has said why.
    #[error("the programs do not build (see above)")]
    Build,
    /// A Redox image cannot be used.
    #[error("{}: {reason}", image.display())]
    Image {
        /// Which one.
        image: PathBuf,
        /// Why.
        reason: redox::filesystem::Refusal,
    },
    /// The guest did not do what it should.
    #[error("{0}")]
    Guest(String),
    /// The Linux at the other end of its link did not.
    #[error("{0}")]
    Peer(String),
}

/// The test bed's results.
pub type Result<T> = std::result::Result<T, Error>;

/// Names action and path in an [`io::Error`].
pub(crate) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::File { action, path: path.to_owned(), source })
    }
}

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The workspace's target folder, where all that the test bed makes is kept.
pub fn target() -> PathBuf {
    workspace().join("target")
}

/// The path that an environment variable names, which `./x` sets.
pub(crate) fn variable(name: &'static str) -> Result<PathBuf> {
    match std::env::var_os(name) {
        Some(value) if !value.is_empty() => Ok(value.into()),
        _ => Err(Error::Missing(format!("{name} is not set: run this through ./x, which sets it"))),
    }
}
