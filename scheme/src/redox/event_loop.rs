//! The event loop by an event queue, and a time handle for its timeouts.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::mem::offset_of;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::time::{Duration, Instant};

use libredox::flag::{CLOCK_MONOTONIC, O_CLOEXEC, O_NONBLOCK, O_RDWR};
use syscall::flag::F_SETFL;

use crate::{Event, EventFlags, Interest, TimeSpec, Token};

/// The kernel's form of an event, and of a subscription.
type Raw = syscall::data::Event;

/// The token of the time handle's events. No other may be the same.
const TIME: Token = usize::MAX;

/// How many events one wait can tell.
const MOST_EVENTS: usize = 16;

pub(crate) struct EventLoop {
    queue: File,
    /// A read of the queue waits for an event.
    blocking: bool,
    /// `/scheme/time/4` (monotonic): becomes readable at the times written to it.
    time: File,
    /// A moment by both clocks, which are the same: the standard library hides its zero.
    epoch: (Instant, Duration),
    /// The earliest time written that has not come yet.
    armed: Option<Instant>,
}

impl EventLoop {
    pub(crate) fn new() -> io::Result<Self> {
        let time =
            OpenOptions::new().read(true).write(true).open(format!("/scheme/time/{CLOCK_MONOTONIC}"))?;
        let queue = libredox::call::open("/scheme/event", O_CLOEXEC | O_RDWR, 0)?;
        // SAFETY: the kernel has just made this descriptor for us.
        let queue = unsafe { File::from_raw_fd(queue as RawFd) };
        let epoch = (Instant::now(), system_time()?);
        let mut event_loop = Self { queue, blocking: true, time, epoch, armed: None };
        event_loop.subscribe(event_loop.time.as_raw_fd(), TIME, EventFlags::EVENT_READ)?;
        Ok(event_loop)
    }

    pub(crate) fn register(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let flags = match interest {
            Interest::Read => EventFlags::EVENT_READ,
            Interest::ReadWrite => EventFlags::EVENT_READ | EventFlags::EVENT_WRITE,
        };
        self.subscribe(fd, token, flags)
    }

    pub(crate) fn deregister(&mut self, fd: RawFd) -> io::Result<()> {
        self.subscribe(fd, 0, EventFlags::empty())
    }

    pub(crate) fn register_termination(&mut self, _: Token) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn wait_until(
        &mut self,
        deadline: Option<Instant>,
        now: Instant,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        let is_due = deadline.is_some_and(|deadline| deadline <= now);
        self.set_blocking(!is_due)?;
        if let Some(deadline) = deadline.filter(|_| !is_due) {
            self.arm(deadline)?;
        }
        let mut bytes = [0; MOST_EVENTS * size_of::<Raw>()];
        let length = match self.queue.read(&mut bytes) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => 0,
            Err(error) => return Err(error),
        };
        for event in bytes.get(..length).unwrap_or_default().chunks_exact(size_of::<Raw>()) {
            match token(event) {
                TIME => self.armed = None,
                // The kernel tells of each request of a scheme.
                token if events.iter().any(|known| known.token == token) => {}
                token => events.push(Event { token }),
            }
        }
        Ok(())
    }

    fn subscribe(&mut self, fd: RawFd, token: Token, flags: EventFlags) -> io::Result<()> {
        self.queue.write_all(&Raw { id: fd as usize, flags, data: token })
    }

    /// The time handle would wake the queue at the kernel's next tick only, milliseconds late.
    fn set_blocking(&mut self, blocking: bool) -> io::Result<()> {
        if self.blocking != blocking {
            let flags = if blocking { 0 } else { O_NONBLOCK as usize };
            libredox::call::fcntl(self.queue.as_raw_fd() as usize, F_SETFL, flags)?;
            self.blocking = blocking;
        }
        Ok(())
    }

    /// Has the time handle wake the queue at `deadline`, if nothing does so earlier: an earlier wake is an
    /// empty wait, after which the handle is armed anew.
    fn arm(&mut self, deadline: Instant) -> io::Result<()> {
        if self.armed.is_some_and(|armed| armed <= deadline) {
            return Ok(());
        }
        let (instant, time) = self.epoch;
        let at = time.saturating_add(deadline.saturating_duration_since(instant));
        let tv_sec = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
        // Less than a thousand million.
        let tv_nsec = at.subsec_nanos() as i32;
        self.time.write_all(&TimeSpec { tv_sec, tv_nsec })?;
        self.armed = Some(deadline);
        Ok(())
    }
}

/// What an event was registered with.
fn token(event: &[u8]) -> Token {
    let data = event.get(offset_of!(Raw, data)..).and_then(|rest| rest.first_chunk());
    data.map_or(TIME, |data| usize::from_ne_bytes(*data))
}

/// The time since the system's start.
fn system_time() -> io::Result<Duration> {
    let time = libredox::call::clock_gettime(CLOCK_MONOTONIC)?;
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Ok(Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default()))
}
