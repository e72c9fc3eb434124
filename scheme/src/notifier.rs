//! How a scheme tells its server that a handle has changed.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use redox_scheme::Id;

use crate::EventFlags;

/// Shared between a scheme, which posts, and the [`Server`](crate::Server), which acts on it after each
/// batch of requests and at each [`Server::flush`](crate::Server::flush).
///
/// A post does two things: it retries the operations parked on the handle, and it is an edge for those who
/// poll it. An `openat` has no handle yet: it is named by its request. So the cost of a change is that of the
/// handles and opens it names, however many others there are.
#[derive(Clone, Debug, Default)]
pub struct Notifier(Rc<RefCell<Pending>>);

#[derive(Debug, Default)]
struct Pending {
    /// Edges since the last flush, united per handle.
    posted: HashMap<usize, EventFlags>,
    /// Opens to try again at the next flush.
    retried: BTreeSet<Id>,
    /// Opens that wait no longer, until the scheme takes them.
    given_up: Vec<Id>,
    /// Changed limits on how long an operation may stay parked, by handle and direction.
    timeouts: Vec<(usize, EventFlags, Option<Duration>)>,
}

impl Notifier {
    /// The handle `id` may now be ready for `flags` ([`EventFlags::EVENT_READ`], [`EventFlags::EVENT_WRITE`]).
    pub fn post(&self, id: usize, flags: EventFlags) {
        let mut pending = self.0.borrow_mut();
        *pending.posted.entry(id).or_insert(EventFlags::empty()) |= flags;
    }

    /// The `openat` that was answered with `EAGAIN` under [`CallerCtx::id`](crate::CallerCtx) may now go on.
    /// Nothing happens if it waits no longer.
    pub fn retry(&self, open: Id) {
        self.0.borrow_mut().retried.insert(open);
    }

    /// The `openat`s that were answered with `EAGAIN` and wait no longer, because their callers gave up or
    /// did not want to wait. The next request may have the same id, so a scheme that keeps something for those
    /// that wait takes these before it looks for its own; they are kept until then.
    pub fn take_given_up(&self) -> Vec<Id> {
        std::mem::take(&mut self.0.borrow_mut().given_up)
    }

    /// Limits how long an operation on `id` may stay parked before it is answered with `EAGAIN`
    /// (`SO_RCVTIMEO` with `EVENT_READ`, `SO_SNDTIMEO` with `EVENT_WRITE`); `None` lifts the limit.
    /// It holds for operations parked later, until the handle is closed.
    pub fn set_timeout(&self, id: usize, direction: EventFlags, limit: Option<Duration>) {
        self.0.borrow_mut().timeouts.push((id, direction, limit));
    }

    /// Tells the scheme that an `openat` waits no longer, as its server does.
    pub fn give_up(&self, open: Id) {
        let mut pending = self.0.borrow_mut();
        pending.retried.remove(&open);
        pending.given_up.push(open);
    }

    /// Whether there are edges or opens to take.
    pub(crate) fn has_posted(&self) -> bool {
        let pending = self.0.borrow();
        !pending.posted.is_empty() || !pending.retried.is_empty()
    }

    /// Drops what was posted for a handle that is closed, and lifts its limits: the next handle may have its
    /// number.
    pub(crate) fn forget(&self, id: usize) {
        let mut pending = self.0.borrow_mut();
        pending.posted.remove(&id);
        pending.timeouts.retain(|&(handle, ..)| handle != id);
        pending.timeouts.push((id, EventFlags::EVENT_READ | EventFlags::EVENT_WRITE, None));
    }

    /// Takes the edges since the last call.
    pub(crate) fn take_posted(&self) -> HashMap<usize, EventFlags> {
        std::mem::take(&mut self.0.borrow_mut().posted)
    }

    /// Takes the opens to try again.
    pub(crate) fn take_retried(&self) -> BTreeSet<Id> {
        std::mem::take(&mut self.0.borrow_mut().retried)
    }

    /// Takes the limits since the last call, which hold for whatever is parked from now on.
    pub(crate) fn take_timeouts(&self) -> Vec<(usize, EventFlags, Option<Duration>)> {
        std::mem::take(&mut self.0.borrow_mut().timeouts)
    }
}
