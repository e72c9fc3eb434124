//! Serves a [`SchemeSync`] under a name.

use std::os::fd::RawFd;
use std::time::Instant;

use crate::{Notifier, SchemeSync};

/// Why a scheme could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The system refused.
    #[error("cannot {action} for scheme {name}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// The scheme's name.
        name: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A scheme under its name, from the first request to the last.
///
/// An operation that answers `EWOULDBLOCK` on a handle without `O_NONBLOCK` is parked, and tried again when
/// the scheme posts its handle ([`Notifier::post`]); it ends with the answer, with its timeout, or with its
/// caller's interruption.
pub struct Server<S> {
    scheme: S,
}

impl<S: SchemeSync> Server<S> {
    /// Registers `name` (mounts `/scheme/<name>` on Linux) and serves `scheme` there. A stale name that a dead
    /// server left behind is replaced. `notifier` is the one that the scheme posts to.
    pub fn new(_name: &str, _scheme: S, _notifier: Notifier) -> Result<Self, ServeError> {
        todo!()
    }

    /// Readable when requests wait.
    pub fn as_raw_fd(&self) -> RawFd {
        todo!()
    }

    /// Answers the requests that wait, then does what [`flush`](Self::flush) does. An error means that the
    /// scheme is gone (unmounted from outside, say).
    pub fn process(&mut self, _now: Instant) -> Result<(), ServeError> {
        todo!()
    }

    /// Carries out what the scheme has posted: retries parked operations, wakes pollers, times out those
    /// that waited too long.
    pub fn flush(&mut self, _now: Instant) -> Result<(), ServeError> {
        todo!()
    }

    /// When [`flush`](Self::flush) must be called next, at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// The scheme served.
    pub fn scheme(&mut self) -> &mut S {
        &mut self.scheme
    }
}
