//! Serves a file system over a connection: requests come, replies go, and what must wait is parked.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::time::Instant;

use super::abi::{InterruptIn, opcode};
use super::caller;
use super::connection::Connection;
use super::filesystem::{FileSystem, Served};
use super::operation::Operation;
use super::request::Request;
use crate::errno::{EAGAIN, EBADF, EINTR};
use crate::parking::{Parking, Retry, must_wait, outward};
use crate::{CallerCtx, Error, EventFlags, Notifier, SchemeSync};

/// How many requests are answered before what they caused is carried out.
const BATCH: usize = 64;
/// How often a flush looks for what its own retries posted.
const FLUSH_ROUNDS: usize = 4;
/// How many interruptions are kept for requests that have not come yet.
const EARLY_INTERRUPTIONS: usize = 32;

/// An operation that waits, and whose it is.
type Waiting = (CallerCtx, Operation<'static>);

/// A served file system.
pub(super) struct Session<S> {
    pub file_system: FileSystem<S>,
    connection: Connection,
    buffer: Vec<u8>,
    parking: Parking<u64, Waiting>,
    interrupted_early: VecDeque<u64>,
    notifier: Notifier,
    flushed: Instant,
}

impl<S: SchemeSync> Session<S> {
    /// Serves `file_system` over `device`.
    pub(super) fn new(device: OwnedFd, file_system: FileSystem<S>, notifier: Notifier) -> Self {
        Self {
            file_system,
            connection: Connection::new(device),
            buffer: Connection::request_buffer(),
            parking: Parking::default(),
            interrupted_early: VecDeque::new(),
            notifier,
            flushed: Instant::now(),
        }
    }

    /// Readable when requests wait.
    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.connection.as_raw_fd()
    }

    /// Answers the requests that wait, in batches with a flush after each. An error means that the mount is
    /// gone.
    pub(super) fn process(&mut self, now: Instant) -> io::Result<()> {
        loop {
            let more = self.process_batch(now)?;
            self.flush(now);
            if !more {
                return Ok(());
            }
        }
    }

    /// Answers one batch; true if more may wait.
    fn process_batch(&mut self, now: Instant) -> io::Result<bool> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut result = Ok(true);
        for _ in 0..BATCH {
            match self.connection.receive(&mut buffer) {
                Ok(Some(bytes)) => self.handle(bytes, now),
                Ok(None) => {
                    result = Ok(false);
                    break;
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.buffer = buffer;
        result
    }

    /// Carries out what the scheme has posted, and ends what has waited too long.
    pub(super) fn flush(&mut self, now: Instant) {
        self.flushed = now;
        self.parking.set_limits(self.notifier.take_timeouts());
        for _ in 0..FLUSH_ROUNDS {
            for (handle, flags) in self.notifier.take_posted() {
                self.changed(handle, flags);
            }
            if !self.notifier.has_posted() {
                break;
            }
        }
        while let Some((unique, _)) = self.parking.expire(now) {
            self.connection.fail(unique, Error::new(EAGAIN));
        }
    }

    /// When `flush` must be called next, at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.notifier.has_posted() { Some(self.flushed) } else { self.parking.deadline() }
    }

    /// Retries what waits for `handle`, and wakes those who poll it.
    fn changed(&mut self, handle: usize, flags: EventFlags) {
        let Self { parking, file_system, connection, .. } = self;
        parking.retry(handle, flags, |unique, (caller, operation)| {
            match file_system.perform(caller, operation) {
                Err(error) if must_wait(error) => return Retry::Blocked,
                Err(error) => connection.fail(unique, outward(error)),
                Ok(length) => connection.reply(unique, file_system.body.get(length)),
            }
            Retry::Done
        });
        file_system.pollers.wake(handle, flags, |kh| connection.wake(kh));
    }

    fn handle(&mut self, bytes: &[u8], now: Instant) {
        let Some(request) = Request::parse(bytes) else {
            log::warn!("ignored a malformed FUSE request of {} bytes", bytes.len());
            return;
        };
        if request.header.opcode == opcode::INTERRUPT {
            return self.interrupt(&request);
        }
        let unique = request.header.unique;
        let caller = match caller::context(&request.header) {
            Ok(caller) => caller,
            Err(error) => return self.connection.fail(unique, error),
        };
        match self.file_system.serve(&request, &caller) {
            Ok(Served::Reply(length)) => self.connection.reply(unique, self.file_system.body.get(length)),
            Ok(Served::Nothing) => {}
            Ok(Served::Start(operation)) => self.start(unique, caller, operation, now),
            Ok(Served::Closed(handle)) => {
                self.closed(handle);
                self.connection.reply(unique, &[]);
            }
            Err(error) => self.connection.fail(unique, outward(error)),
        }
    }

    /// Carries an operation out for the first time, and parks it if it must wait.
    fn start(&mut self, unique: u64, caller: CallerCtx, mut operation: Operation<'_>, now: Instant) {
        match self.file_system.perform(&caller, &mut operation) {
            Ok(length) => self.connection.reply(unique, self.file_system.body.get(length)),
            Err(error) if !must_wait(error) => self.connection.fail(unique, outward(error)),
            Err(_) if operation.is_nonblocking() => self.connection.fail(unique, Error::new(EAGAIN)),
            Err(_) if self.was_interrupted(unique) => self.connection.fail(unique, Error::new(EINTR)),
            Err(_) => {
                self.parking.set_limits(self.notifier.take_timeouts());
                let (handle, direction) = (operation.handle, operation.direction());
                self.parking.park(unique, handle, direction, (caller, operation.into_owned()), now);
            }
        }
    }

    /// Ends the operation that its caller no longer waits for. One that is not parked was answered already,
    /// or comes yet.
    fn interrupt(&mut self, request: &Request<'_>) {
        let Ok((argument, _)) = request.argument::<InterruptIn>() else { return };
        if self.parking.cancel(argument.unique).is_some() {
            return self.connection.fail(argument.unique, Error::new(EINTR));
        }
        if self.interrupted_early.len() == EARLY_INTERRUPTIONS {
            self.interrupted_early.pop_front();
        }
        self.interrupted_early.push_back(argument.unique);
    }

    fn was_interrupted(&mut self, unique: u64) -> bool {
        let position = self.interrupted_early.iter().position(|&early| early == unique);
        position.and_then(|position| self.interrupted_early.remove(position)).is_some()
    }

    fn closed(&mut self, handle: usize) {
        self.notifier.forget(handle);
        for (unique, _) in self.parking.close(handle) {
            self.connection.fail(unique, Error::new(EBADF));
        }
    }
}
