//! Waiting for descriptors and for a point in time, the same on both systems.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// Names a registered descriptor in the events it causes.
pub type Token = usize;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Readable, or closed by its peer.
    Read,
    /// Readable or writable.
    ReadWrite,
}

/// One descriptor is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token given at registration.
    pub token: Token,
}

/// Descriptors and a timeout: epoll on Linux, an event queue with a time handle on Redox.
pub struct EventLoop {}

impl EventLoop {
    /// An empty loop.
    pub fn new() -> io::Result<Self> {
        todo!()
    }

    /// Reports `fd` under `token` while it is ready. The descriptor stays the caller's, who takes it out
    /// with [`deregister`](Self::deregister) before closing it.
    pub fn register(&mut self, _fd: RawFd, _token: Token, _interest: Interest) -> io::Result<()> {
        todo!()
    }

    /// Forgets `fd`.
    pub fn deregister(&mut self, _fd: RawFd) -> io::Result<()> {
        todo!()
    }

    /// Delivers `token` when the process is asked to end (SIGTERM, SIGINT), instead of dying of it.
    pub fn register_termination(&mut self, _token: Token) -> io::Result<()> {
        todo!()
    }

    /// Replaces `events` by what is ready, waiting for it up to `timeout` (without end if `None`).
    /// An interrupted wait is an empty one.
    pub fn wait(&mut self, _timeout: Option<Duration>, _events: &mut Vec<Event>) -> io::Result<()> {
        todo!()
    }
}
