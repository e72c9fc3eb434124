//! A way in for the fuzz targets: a scheme served over any descriptor, without a mount.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use super::filesystem::FileSystem;
use super::session::Session;
use super::translate::io_error;
use crate::{Notifier, SchemeSync};

/// A scheme whose requests come from anywhere.
pub struct Unmounted<S>(Session<S>);

impl<S: SchemeSync> Unmounted<S> {
    /// Serves `scheme`, called `name`, over `device`, which must not block.
    pub fn new(device: OwnedFd, name: &str, mut scheme: S, notifier: Notifier) -> io::Result<Self> {
        let root = scheme.scheme_root().map_err(io_error)?;
        Ok(Self(Session::new(device, FileSystem::new(name, scheme, root, notifier.clone()), notifier)))
    }

    /// As [`Server::process`](crate::Server::process).
    pub fn process(&mut self, now: Instant) -> io::Result<()> {
        self.0.process(now)
    }
}
