//! Linux: a scheme is a FUSE file system, spoken without a library, since none lets a blocked caller be
//! interrupted.

mod abi;
mod body;
mod caller;
pub(crate) mod client;
mod connection;
mod control;
pub(crate) mod event_loop;
mod files;
mod filesystem;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod mount;
mod names;
mod nodes;
mod operation;
pub(crate) mod pipe;
mod pollers;
mod request;
mod session;
#[cfg(test)]
mod tests;
mod tokens;
mod translate;
mod tree;

use std::io;
use std::os::fd::RawFd;
use std::time::Instant;

use crate::{Notifier, SchemeSync, ServeError};
use filesystem::FileSystem;
use mount::Mount;
use session::Session;

/// A mounted scheme.
pub(crate) struct Server<S> {
    session: Session<S>,
    /// Undone after the session: whoever still waits is told that the scheme is gone.
    _mount: Mount,
}

impl<S: SchemeSync> Server<S> {
    pub(crate) fn new(name: &str, mut scheme: S, notifier: Notifier) -> Result<Self, ServeError> {
        let root = scheme.scheme_root().map_err(|error| ServeError::System {
            action: "get the root",
            name: name.to_owned(),
            source: translate::io_error(error),
        })?;
        let (mount, device) = Mount::new(name)?;
        let session = Session::new(device, FileSystem::new(name, scheme, root, notifier.clone()), notifier);
        Ok(Self { session, _mount: mount })
    }

    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.session.as_raw_fd()
    }

    pub(crate) fn process(&mut self, now: Instant) -> io::Result<()> {
        self.session.process(now)
    }

    /// Nothing: the device stays readable while requests wait.
    pub(crate) fn resume(&mut self, _: Instant) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn flush(&mut self, now: Instant) -> io::Result<()> {
        self.session.flush(now);
        Ok(())
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.session.deadline()
    }

    pub(crate) fn scheme(&mut self) -> &mut S {
        self.session.scheme()
    }
}
