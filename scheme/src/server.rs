//! Serves a [`SchemeSync`] under a name.

use std::os::fd::RawFd;
use std::time::Instant;

use crate::{Notifier, SchemeSync, system};

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

/// A scheme under its name, from the first request to the last. Dropping it takes the name back, and answers
/// those who wait with `ENODEV`.
///
/// An operation that answers `EAGAIN` on a handle without `O_NONBLOCK` is parked, and tried again when
/// the scheme posts its handle ([`Notifier::post`]); it ends with the answer, with its timeout, or with its
/// caller's interruption. An `openat` has no handle: it waits until the scheme names its
/// [`CallerCtx::id`](crate::CallerCtx) ([`Notifier::retry`]). A retry has the same id as the first try.
///
/// A handle's `O_NONBLOCK` is that of the request at hand; the scheme's `fcntl` is told when it changes.
pub struct Server<S> {
    name: String,
    inner: system::Server<S>,
}

impl<S: SchemeSync> Server<S> {
    /// Registers `name` (mounts `/scheme/<name>` on Linux) and serves `scheme` there. A stale name that a dead
    /// server left behind is replaced; a live server's is not (`EEXIST`). `notifier` is the one that the
    /// scheme posts to.
    pub fn new(name: &str, scheme: S, notifier: Notifier) -> Result<Self, ServeError> {
        Ok(Self { name: name.to_owned(), inner: system::Server::new(name, scheme, notifier)? })
    }

    /// Readable when requests wait.
    pub fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }

    /// Answers the requests that wait, then does what [`flush`](Self::flush) does. It stops after some dozens,
    /// so that busy clients leave time for the daemon's other work: see [`resume`](Self::resume). An error means that the scheme is gone (unmounted from outside, say).
    pub fn process(&mut self, now: Instant) -> Result<(), ServeError> {
        let result = self.inner.process(now);
        result.map_err(|source| self.failure("read requests", source))
    }

    /// Goes on where [`process`](Self::process) stopped, if it did: to be called in each turn of the event loop.
    /// On Redox a descriptor's event comes once, so nothing else tells of the requests that are left;
    /// [`deadline`](Self::deadline) sees to it that the turn comes at once. On Linux the descriptor stays
    /// readable, and nothing happens here.
    pub fn resume(&mut self, now: Instant) -> Result<(), ServeError> {
        let result = self.inner.resume(now);
        result.map_err(|source| self.failure("read requests", source))
    }

    /// Carries out what the scheme has posted: retries parked operations, wakes pollers, times out those
    /// that waited too long.
    pub fn flush(&mut self, now: Instant) -> Result<(), ServeError> {
        let result = self.inner.flush(now);
        result.map_err(|source| self.failure("answer requests", source))
    }

    /// When [`resume`](Self::resume) and [`flush`](Self::flush) must be called next, at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.inner.deadline()
    }

    /// The scheme served.
    pub fn scheme(&mut self) -> &mut S {
        self.inner.scheme()
    }

    fn failure(&self, action: &'static str, source: std::io::Error) -> ServeError {
        ServeError::System { action, name: self.name.clone(), source }
    }
}
