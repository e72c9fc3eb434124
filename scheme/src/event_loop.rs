//! Waiting for descriptors and for a point in time, the same on both systems.

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::system::event_loop as system;

/// Names a registered descriptor in the events it causes.
pub type Token = usize;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Readable, or closed by its peer.
    Read,
    /// Readable or writable. To be registered while there is something to write, since a descriptor with room
    /// is reported again and again.
    ReadWrite,
}

/// One descriptor is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token given at registration.
    pub token: Token,
}

/// Descriptors and a timeout: epoll on Linux, an event queue with a time handle on Redox.
///
/// Redox tells a change once. So take all that a descriptor has (until `EAGAIN`) before waiting again, or
/// wait with a timeout of zero.
pub struct EventLoop(system::EventLoop);

impl EventLoop {
    /// An empty loop.
    pub fn new() -> io::Result<Self> {
        system::EventLoop::new().map(Self)
    }

    /// Reports `fd` under `token` (any but `usize::MAX`) while it is ready. The descriptor stays the caller's, who takes it out
    /// with [`deregister`](Self::deregister) before closing it.
    pub fn register(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.0.register(fd, token, interest)
    }

    /// Forgets `fd`.
    pub fn deregister(&mut self, fd: RawFd) -> io::Result<()> {
        self.0.deregister(fd)
    }

    /// Delivers `token` when the process is asked to end (SIGTERM, SIGINT), instead of dying of it.
    ///
    /// On Redox nothing is delivered, and the process dies of the signal: the kernel then frees what it holds.
    pub fn register_termination(&mut self, token: Token) -> io::Result<()> {
        self.0.register_termination(token)
    }

    /// Replaces `events` by what is ready, waiting for it up to `timeout` (without end if `None`).
    /// An interrupted wait is an empty one.
    pub fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        let now = Instant::now();
        self.wait_until(timeout.and_then(|timeout| now.checked_add(timeout)), now, events)
    }

    /// Waits up to `deadline` instead. `now` is when the caller has looked at the clock last: a look costs Redox a
    /// system call.
    pub fn wait_until(
        &mut self,
        deadline: Option<Instant>,
        now: Instant,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        events.clear();
        self.0.wait_until(deadline, now, events)
    }
}
