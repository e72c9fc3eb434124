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
use crate::errno::{EAGAIN, EBADF, EINTR, ENODEV};
use crate::parking::{Parking, Resume, direction, must_wait, outward};
use crate::{CallerCtx, Error, EventFlags, Notifier, Result, SchemeSync};

/// How many requests are answered at once, before what they caused is carried out and others have their turn.
const BATCH: usize = 64;
/// How many interruptions are kept for requests that have not come yet.
const EARLY_INTERRUPTIONS: usize = 32;

/// An operation that waits, and whose it is.
type Waiting = (CallerCtx, Operation<'static>);

/// A served file system.
pub(super) struct Session<S> {
    service: Service<S>,
    buffer: Vec<u8>,
    parking: Parking<u64, Waiting>,
    interrupted_early: VecDeque<u64>,
}

/// The file system, and where its answers go.
struct Service<S> {
    file_system: FileSystem<S>,
    connection: Connection,
}

impl<S: SchemeSync> Session<S> {
    /// Serves `file_system` over `device`.
    pub(super) fn new(device: OwnedFd, file_system: FileSystem<S>, notifier: Notifier) -> Self {
        Self {
            service: Service { file_system, connection: Connection::new(device) },
            buffer: Connection::request_buffer(),
            parking: Parking::new(notifier, Instant::now()),
            interrupted_early: VecDeque::new(),
        }
    }

    /// Readable when requests wait.
    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.service.connection.as_raw_fd()
    }

    /// The scheme served.
    pub(super) fn scheme(&mut self) -> &mut S {
        &mut self.service.file_system.scheme
    }

    /// Answers the requests that wait, or a batch of them, and flushes. An error means that the mount is gone.
    pub(super) fn process(&mut self, now: Instant) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.process_batch(&mut buffer, now);
        self.buffer = buffer;
        self.flush(now);
        result
    }

    fn process_batch(&mut self, buffer: &mut [u8], now: Instant) -> io::Result<()> {
        for _ in 0..BATCH {
            match self.service.connection.receive(buffer)? {
                Some(bytes) => self.handle(bytes, now),
                None => break,
            }
        }
        Ok(())
    }

    /// Carries out what the scheme has posted, and ends what has waited too long.
    pub(super) fn flush(&mut self, now: Instant) {
        self.parking.flush(now, &mut self.service);
    }

    /// When `flush` must be called next, at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.parking.deadline()
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
        if let Err(error) = self.serve(&request, now) {
            self.service.connection.fail(unique, outward(error));
        }
    }

    fn serve(&mut self, request: &Request<'_>, now: Instant) -> Result<()> {
        let unique = request.header.unique;
        let caller = caller::context(&request.header)?;
        match self.service.file_system.serve(request, &caller)? {
            Served::Reply(length) => self.service.reply(unique, length),
            Served::Nothing => {}
            Served::Start(operation) => self.start(unique, caller, operation, now)?,
            Served::Closed(handle) => {
                self.closed(handle);
                self.service.reply(unique, 0);
            }
        }
        Ok(())
    }

    /// Carries an operation out for the first time, and parks it if it must wait.
    fn start(
        &mut self,
        unique: u64,
        caller: CallerCtx,
        mut operation: Operation<'_>,
        now: Instant,
    ) -> Result<()> {
        match self.service.file_system.perform(&caller, &mut operation) {
            Ok(length) => self.service.reply(unique, length),
            Err(error) if !must_wait(error) => return Err(error),
            Err(error) if operation.is_nonblocking() => {
                self.parking.give_up(operation.waits(caller.id));
                return Err(error);
            }
            Err(_) if self.was_interrupted(unique) => {
                self.parking.give_up(operation.waits(caller.id));
                return Err(Error::new(EINTR));
            }
            Err(error) => {
                let (waits, direction) =
                    (operation.waits(caller.id), direction(error, operation.direction()));
                self.parking.park(unique, waits, direction, (caller, operation.into_owned()), now);
            }
        }
        Ok(())
    }

    /// Ends the operation that its caller no longer waits for. One that is not parked was answered already,
    /// or comes yet.
    fn interrupt(&mut self, request: &Request<'_>) {
        let Ok((argument, _)) = request.argument::<InterruptIn>() else { return };
        if self.parking.cancel(argument.unique).is_some() {
            return self.service.connection.fail(argument.unique, Error::new(EINTR));
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
        for (unique, _) in self.parking.close(handle) {
            self.service.connection.fail(unique, Error::new(EBADF));
        }
    }
}

impl<S> Drop for Session<S> {
    fn drop(&mut self) {
        for (unique, _) in self.parking.take_all() {
            self.service.connection.fail(unique, Error::new(ENODEV));
        }
    }
}

impl<S> Service<S> {
    /// Answers request `unique` with the first `length` bytes of the body.
    fn reply(&self, unique: u64, length: usize) {
        self.connection.reply(unique, self.file_system.body.get(length));
    }
}

impl<S: SchemeSync> Resume<u64, Waiting> for Service<S> {
    fn resume(&mut self, unique: u64, (caller, mut operation): Waiting) -> Option<Waiting> {
        match self.file_system.perform(&caller, &mut operation) {
            Ok(length) => self.reply(unique, length),
            Err(error) if must_wait(error) => return Some((caller, operation)),
            Err(error) => self.connection.fail(unique, outward(error)),
        }
        None
    }

    fn expire(&mut self, unique: u64, _: Waiting) {
        self.connection.fail(unique, Error::new(EAGAIN));
    }

    fn wake(&mut self, handle: usize, flags: EventFlags) {
        self.file_system.pollers.wake(handle, flags, |kh| self.connection.wake(kh));
    }
}
