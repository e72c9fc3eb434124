//! The event loop by epoll.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::{Event, Interest, Token};

/// How many events one wait can tell.
const MOST_EVENTS: usize = 64;

pub(crate) struct EventLoop {
    epoll: OwnedFd,
    ready: Vec<epoll::Event>,
    termination: Option<(UnixStream, Token)>,
}

impl EventLoop {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, ready: Vec::with_capacity(MOST_EVENTS), termination: None })
    }

    pub(crate) fn register(&mut self, fd: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        let flags = match interest {
            Interest::Read => EventFlags::IN | EventFlags::RDHUP,
            Interest::ReadWrite => EventFlags::IN | EventFlags::RDHUP | EventFlags::OUT,
        };
        Ok(epoll::add(&self.epoll, borrow(&fd)?, EventData::new_u64(token as u64), flags)?)
    }

    pub(crate) fn deregister(&mut self, fd: RawFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, borrow(&fd)?)?)
    }

    pub(crate) fn register_termination(&mut self, token: Token) -> io::Result<()> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        for signal in [libc::SIGTERM, libc::SIGINT] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        let data = EventData::new_u64(token as u64);
        epoll::add(&self.epoll, receiver.as_fd(), data, EventFlags::IN)?;
        self.termination = Some((receiver, token));
        Ok(())
    }

    pub(crate) fn wait_until(
        &mut self,
        deadline: Option<Instant>,
        now: Instant,
        events: &mut Vec<Event>,
    ) -> io::Result<()> {
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // A timeout too long to be told is as good as none.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        self.ready.clear();
        let room = rustix::buffer::spare_capacity(&mut self.ready);
        match epoll::wait(&self.epoll, room, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        events.extend(self.ready.iter().map(|event| Event { token: event.data.u64() as Token }));
        self.drain_termination(events)
    }

    fn drain_termination(&self, events: &[Event]) -> io::Result<()> {
        let Some((receiver, token)) = &self.termination else { return Ok(()) };
        if events.iter().all(|event| event.token != *token) {
            return Ok(());
        }
        match rustix::io::read(receiver, &mut [0; 64]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A descriptor's number for one system call, which fails if it is not open.
fn borrow(fd: &RawFd) -> io::Result<BorrowedFd<'_>> {
    if *fd < 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: it is not negative, and nothing but its number is used.
    Ok(unsafe { BorrowedFd::borrow_raw(*fd) })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::time::{Duration, Instant};

    use crate::{Event, EventLoop, Interest};

    const LONG: Option<Duration> = Some(Duration::from_secs(10));
    const SHORT: Option<Duration> = Some(Duration::from_millis(20));

    #[test]
    fn a_readable_descriptor_is_told_until_it_is_deregistered() {
        let (receiver, mut sender) = UnixStream::pair().unwrap();
        let mut events = Vec::new();
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.register(receiver.as_raw_fd(), 7, Interest::Read).unwrap();
        event_loop.wait(SHORT, &mut events).unwrap();
        assert_eq!(events, []);
        sender.write_all(b"x").unwrap();
        event_loop.wait(LONG, &mut events).unwrap();
        assert_eq!(events, [Event { token: 7 }]);
        event_loop.deregister(receiver.as_raw_fd()).unwrap();
        event_loop.wait(SHORT, &mut events).unwrap();
        assert_eq!(events, []);
    }

    #[test]
    fn a_wait_ends_in_time() {
        let mut event_loop = EventLoop::new().unwrap();
        let start = Instant::now();
        event_loop.wait(SHORT, &mut Vec::new()).unwrap();
        assert!((SHORT.unwrap()..LONG.unwrap()).contains(&start.elapsed()));
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        assert!(EventLoop::new().unwrap().register(-1, 0, Interest::Read).is_err());
    }

    #[test]
    fn termination_is_an_event() {
        let mut events = Vec::new();
        let mut event_loop = EventLoop::new().unwrap();
        event_loop.register_termination(9).unwrap();
        signal_hook::low_level::raise(libc::SIGTERM).unwrap();
        event_loop.wait(LONG, &mut events).unwrap();
        assert_eq!(events, [Event { token: 9 }]);
        event_loop.wait(SHORT, &mut events).unwrap();
        assert_eq!(events, []);
    }
}
