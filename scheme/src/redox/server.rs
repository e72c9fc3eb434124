//! Serves a scheme over its socket: requests come and responses go in batches, and what must wait is parked.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use redox_scheme::scheme::{Op, SchemeResponse, SchemeState};
use redox_scheme::{Id, Request, RequestKind, Response, SignalBehavior, Socket};

use super::handles::Handles;
use super::heir;
use super::registration::{io_error, register, unregister};
use crate::errno::{EAGAIN, EBADF, ECANCELED, EINTR, ENODEV, EOPNOTSUPP};
use crate::parking::{Parking, Resume, Waits, direction, must_wait, outward};
use crate::{CallerCtx, Error, EventFlags, Notifier, OpenResult, Result, SchemeSync, ServeError};

/// How many requests are answered at once, before what they caused is carried out and others have their turn.
const BATCH: usize = 64;
/// How long responses wait that the socket did not take; no event tells when it does.
const REWRITE: Duration = Duration::from_millis(1);

/// An operation that waits, and whose it is.
type Waiting = (CallerCtx, Op);

/// An operation that could not go on, and the error by which its scheme said so.
type Attempted = (Waiting, Error);

/// A registered scheme.
pub(crate) struct Server<S> {
    name: String,
    service: Service<S>,
    requests: Vec<Request>,
    parking: Parking<Id, Waiting>,
    /// When a full batch was read, after which more requests may wait: each request's event came before.
    unfinished: Option<Instant>,
    /// When the responses are written again that the socket did not take.
    rewrite: Option<Instant>,
}

/// How many of the requests that waited were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    All,
    More,
}

/// The scheme, and where its answers go.
struct Service<S> {
    scheme: S,
    socket: Socket,
    state: SchemeState,
    handles: Handles,
    responses: VecDeque<Response>,
}

impl<S: SchemeSync> Server<S> {
    pub(crate) fn new(
        name: &str,
        mut scheme: S,
        notifier: Notifier,
    ) -> std::result::Result<Self, ServeError> {
        let failure = |action| {
            move |error| ServeError::System { action, name: name.to_owned(), source: io_error(error) }
        };
        let socket = Socket::nonblock().map_err(failure("create a socket"))?;
        register(&socket, name, &mut scheme).map_err(failure("register the name"))?;
        if let Err(error) = heir::bequeath(socket.inner().raw() as RawFd) {
            log::warn!("/scheme/{name}: who waits in it when this process is killed will wait on: {error}");
        }
        Ok(Self {
            name: name.to_owned(),
            service: Service {
                scheme,
                socket,
                state: SchemeState::new(),
                handles: Handles::default(),
                responses: VecDeque::with_capacity(BATCH),
            },
            requests: Vec::with_capacity(BATCH),
            parking: Parking::new(notifier, Instant::now()),
            unfinished: None,
            rewrite: None,
        })
    }

    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.service.socket.inner().raw() as RawFd
    }

    pub(crate) fn process(&mut self, now: Instant) -> io::Result<()> {
        self.unfinished = (self.read_requests()? == Waited::More).then_some(now);
        let mut requests = std::mem::take(&mut self.requests);
        for request in requests.drain(..) {
            self.handle(request, now);
        }
        self.requests = requests;
        self.flush(now)
    }

    pub(crate) fn resume(&mut self, now: Instant) -> io::Result<()> {
        if self.unfinished.is_some() { self.process(now) } else { Ok(()) }
    }

    pub(crate) fn flush(&mut self, now: Instant) -> io::Result<()> {
        self.parking.flush(now, &mut self.service);
        self.service.write_responses().map_err(io_error)?;
        self.rewrite = (!self.service.responses.is_empty()).then(|| now + REWRITE);
        Ok(())
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.parking.deadline(), self.unfinished, self.rewrite].into_iter().flatten().min()
    }

    pub(crate) fn scheme(&mut self) -> &mut S {
        &mut self.service.scheme
    }

    fn handle(&mut self, request: Request, now: Instant) {
        match request.kind() {
            RequestKind::Call(call) => {
                let caller = call.caller();
                match call.op() {
                    Ok(op) => self.start(caller, op, now),
                    Err(call) => self.service.responses.push_back(Response::err(EOPNOTSUPP, call)),
                }
            }
            RequestKind::RecvFd(receive) => {
                let caller = receive.caller();
                self.start(caller, receive.op(), now);
            }
            RequestKind::SendFd(send) => {
                let result = self.service.scheme.on_sendfd(&send);
                self.service.responses.push_back(Response::new(result.map_err(outward), send));
            }
            RequestKind::Cancellation(cancelled) => {
                // One that is not parked was answered already.
                if let Some((_, op)) = self.parking.cancel(cancelled.id) {
                    self.service.responses.push_back(Response::err(ECANCELED, op));
                }
            }
            RequestKind::OnClose { id } => self.close(id),
            // Nobody waits for an answer to the others.
            _ => {}
        }
    }

    /// Carries an operation out for the first time, and parks it if it must wait.
    fn start(&mut self, caller: CallerCtx, op: Op, now: Instant) {
        let Some(((caller, op), error)) = self.service.attempt(caller, op) else { return };
        if self.service.handles.is_nonblocking(&op) {
            self.parking.give_up(waits(&op, caller.id));
            return self.service.responses.push_back(Response::err(EAGAIN, op));
        }
        let (id, waits, direction) =
            (caller.id, waits(&op, caller.id), direction(error, usual_direction(&op)));
        self.parking.park(id, waits, direction, (caller, op), now);
    }

    fn close(&mut self, id: usize) {
        self.service.scheme.on_close(id);
        self.service.handles.close(id);
        for (_, (_, op)) in self.parking.close(id) {
            self.service.responses.push_back(Response::err(EBADF, op));
        }
    }
}

impl<S> Server<S> {
    /// Reads a batch of the requests that wait. An event follows each request into its queue, so those that a batch
    /// has room for are all that need to be looked for.
    fn read_requests(&mut self) -> io::Result<Waited> {
        match self.service.socket.read_requests(&mut self.requests, SignalBehavior::Interrupt) {
            Ok(()) if self.requests.is_empty() => Err(io_error(Error::new(ENODEV))),
            Ok(()) if self.requests.len() < self.requests.capacity() => Ok(Waited::All),
            Ok(()) | Err(Error { errno: EINTR }) => Ok(Waited::More),
            Err(Error { errno: EAGAIN }) => Ok(Waited::All),
            Err(error) => Err(io_error(error)),
        }
    }
}

/// Redox leaves the callers of a server that is gone waiting, so all are answered before it goes.
impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        if let Err(error) = unregister(&self.name) {
            log::warn!("cannot unlink /scheme/{}: {error}", self.name);
        }
        let waiting = self.parking.take_all();
        self.service.responses.extend(waiting.into_iter().map(|(_, (_, op))| Response::err(ENODEV, op)));
        while let Ok(answer) = self.read_requests() {
            self.service.responses.extend(self.requests.drain(..).filter_map(refuse));
            if answer == Waited::All {
                break;
            }
        }
        if let Err(error) = self.service.write_responses() {
            log::warn!("cannot tell the callers of /scheme/{} that it ends: {error}", self.name);
        }
    }
}

/// The answer to a request that came too late; `None` if nobody waits for one.
fn refuse(request: Request) -> Option<Response> {
    match request.kind() {
        RequestKind::Call(call) => Some(Response::err(ENODEV, call)),
        RequestKind::SendFd(send) => Some(Response::err(ENODEV, send)),
        RequestKind::RecvFd(receive) => Some(Response::err(ENODEV, receive)),
        _ => None,
    }
}

impl<S: SchemeSync> Service<S> {
    /// Carries `op` out and queues the response, or gives it back if it must wait.
    fn attempt(&mut self, caller: CallerCtx, mut op: Op) -> Option<Attempted> {
        let response = op.handle_sync_dont_consume(&caller, &mut self.scheme, &mut self.state);
        self.handles.learn(&op, &response);
        let response = match response {
            SchemeResponse::Opened(Ok(OpenResult::WouldBlock)) => {
                return Some(((caller, op), Error::new(EAGAIN)));
            }
            SchemeResponse::Opened(Err(error)) | SchemeResponse::Regular(Err(error)) if must_wait(error) => {
                return Some(((caller, op), error));
            }
            SchemeResponse::Opened(result) => Response::open_dup_like(result.map_err(outward), op),
            SchemeResponse::Regular(result) => Response::new(result.map_err(outward), op),
            SchemeResponse::RegularAndNotifyOnDetach(result) => {
                Response::new_notify_on_detach(result.map_err(outward), op)
            }
        };
        self.responses.push_back(response);
        None
    }
}

impl<S> Service<S> {
    fn write_responses(&mut self) -> Result<()> {
        while !self.responses.is_empty() {
            let before = self.responses.len();
            match self.socket.write_responses(&mut self.responses, SignalBehavior::Restart) {
                // The rest goes with the next flush.
                Ok(()) if self.responses.len() == before => break,
                Ok(()) => {}
                Err(Error { errno: EAGAIN }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<S: SchemeSync> Resume<Id, Waiting> for Service<S> {
    fn resume(&mut self, _: Id, (caller, op): Waiting) -> Option<Waiting> {
        self.attempt(caller, op).map(|(waiting, _)| waiting)
    }

    fn expire(&mut self, _: Id, (_, op): Waiting) {
        self.responses.push_back(Response::err(EAGAIN, op));
    }

    fn wake(&mut self, handle: usize, flags: EventFlags) {
        let edges = self.handles.interest(handle) & flags;
        if !edges.is_empty() {
            self.responses.push_back(Response::post_fevent(handle, edges.bits()));
        }
    }
}

/// What `op`, whose request is `request`, waits for.
fn waits(op: &Op, request: Id) -> Waits {
    match op {
        Op::OpenAt(_) => Waits::ForRetry(request),
        _ => Waits::ForHandle(op.file_id().unwrap_or(usize::MAX)),
    }
}

/// The changes of its handle that `op` waits for, unless its scheme says otherwise.
fn usual_direction(op: &Op) -> EventFlags {
    match op {
        Op::Read(_) => EventFlags::EVENT_READ,
        Op::Write(_) => EventFlags::EVENT_WRITE,
        _ => EventFlags::EVENT_READ | EventFlags::EVENT_WRITE,
    }
}
