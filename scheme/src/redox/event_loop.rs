//! The event loop by an event queue, and a time handle for its timeouts.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use event::{EventFlags, EventQueue};
use libredox::flag::CLOCK_MONOTONIC;

use crate::{Event, Interest, TimeSpec, Token};

/// The user data of the time handle's events. No token may be the same.
const TIME: usize = usize::MAX;

pub(crate) struct EventLoop {
    queue: EventQueue<usize>,
    /// `/scheme/time/4` (monotonic): becomes readable at the times written to it.
    time: File,
    /// The earliest time written that has not come yet.
    armed: Option<Duration>,
}

impl EventLoop {
    pub(crate) fn new() -> io::Result<Self> {
        let time =
            OpenOptions::new().read(true).write(true).open(format!("/scheme/time/{CLOCK_MONOTONIC}"))?;
        let queue = EventQueue::new()?;
        queue.subscribe(time.as_raw_fd() as usize, TIME, EventFlags::READ)?;
        Ok(Self { queue, time, armed: None })
    }

    pub(crate) fn register(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let flags = match interest {
            Interest::Read => EventFlags::READ,
            Interest::ReadWrite => EventFlags::READ | EventFlags::WRITE,
        };
        Ok(self.queue.subscribe(fd as usize, token, flags)?)
    }

    pub(crate) fn deregister(&mut self, fd: RawFd) -> io::Result<()> {
        Ok(self.queue.unsubscribe(fd as usize)?)
    }

    pub(crate) fn register_termination(&mut self, _: Token) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>, events: &mut Vec<Event>) -> io::Result<()> {
        if let Some(timeout) = timeout {
            self.arm(now()?.saturating_add(timeout))?;
        }
        match self.queue.next_event() {
            Ok(event) if event.user_data == TIME => self.armed = None,
            Ok(event) => events.push(Event { token: event.user_data }),
            Err(error) if error.is_interrupt() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Has the time handle wake the queue at `deadline`, if nothing does so earlier: an earlier wake is an
    /// empty wait, after which the handle is armed anew.
    fn arm(&mut self, deadline: Duration) -> io::Result<()> {
        if self.armed.is_some_and(|armed| armed <= deadline) {
            return Ok(());
        }
        let tv_sec = i64::try_from(deadline.as_secs()).unwrap_or(i64::MAX);
        // Less than a thousand million.
        let tv_nsec = deadline.subsec_nanos() as i32;
        self.time.write_all(&TimeSpec { tv_sec, tv_nsec })?;
        self.armed = Some(deadline);
        Ok(())
    }
}

/// The time since the system's start.
fn now() -> io::Result<Duration> {
    let time = libredox::call::clock_gettime(CLOCK_MONOTONIC)?;
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Ok(Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default()))
}
