//! Operations that wait: kept by what they wait for, until that changes, time is up or their caller is.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

use redox_scheme::Id;

use crate::errno::{EAGAIN, EAGAIN_NOW, EAGAIN_READ, EAGAIN_WRITE};
use crate::{Error, EventFlags, Notifier};

/// Whether a scheme says by `error` that the operation cannot go on yet.
pub(crate) fn must_wait(error: Error) -> bool {
    matches!(error.errno, EAGAIN | EAGAIN_READ | EAGAIN_WRITE)
}

/// The changes of its handle that an operation waits for: those that its scheme named by `error`, or `usual`.
pub(crate) fn direction(error: Error, usual: EventFlags) -> EventFlags {
    match error.errno {
        EAGAIN_READ => EventFlags::EVENT_READ,
        EAGAIN_WRITE => EventFlags::EVENT_WRITE,
        _ => usual,
    }
}

/// A scheme's error as its caller is told.
pub(crate) fn outward(error: Error) -> Error {
    match error.errno {
        EAGAIN_NOW | EAGAIN_READ | EAGAIN_WRITE => Error::new(EAGAIN),
        _ => error,
    }
}

/// How often a flush looks for what its own retries posted.
const FLUSH_ROUNDS: usize = 4;

/// What a parked operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Waits {
    /// A change of the handle that it goes to.
    ForHandle(usize),
    /// [`Notifier::retry`] with its request: an `openat`, all of which go to the root.
    ForRetry(Id),
}

/// Whoever carries parked operations out and answers them.
pub(crate) trait Resume<K, T> {
    /// Tries `operation` again, and answers it; or gives it back, because it must wait on.
    fn resume(&mut self, key: K, operation: T) -> Option<T>;
    /// Answers `operation`, whose time is up, with `EAGAIN`.
    fn expire(&mut self, key: K, operation: T);
    /// Wakes those who poll `handle` for one of `flags`.
    fn wake(&mut self, handle: usize, flags: EventFlags);
}

/// The parked operations `T` of one scheme, each named by the key `K` of its request.
///
/// What waits for the same is tried again in the order of their arrival. A change of one handle costs nothing
/// for the operations parked on others.
#[derive(Debug)]
pub(crate) struct Parking<K, T> {
    notifier: Notifier,
    flushed: Instant,
    parked: HashMap<Waits, Vec<Parked<K, T>>>,
    waits: HashMap<K, Waits>,
    deadlines: BTreeSet<(Instant, K)>,
    limits: HashMap<usize, Limits>,
}

#[derive(Debug)]
struct Parked<K, T> {
    key: K,
    direction: EventFlags,
    deadline: Option<Instant>,
    operation: T,
}

/// How long the operations of one handle may stay parked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Limits {
    /// The shorter limit, for an operation that goes in both directions.
    fn of(self, direction: EventFlags) -> Option<Duration> {
        let read = self.read.filter(|_| direction.contains(EventFlags::EVENT_READ));
        let write = self.write.filter(|_| direction.contains(EventFlags::EVENT_WRITE));
        read.into_iter().chain(write).min()
    }
}

impl<K: Copy + Eq + Hash + Ord, T> Parking<K, T> {
    /// Nothing parked; what the scheme posts comes by `notifier`.
    pub(crate) fn new(notifier: Notifier, now: Instant) -> Self {
        Self {
            notifier,
            flushed: now,
            parked: HashMap::new(),
            waits: HashMap::new(),
            deadlines: BTreeSet::new(),
            limits: HashMap::new(),
        }
    }

    /// Parks `operation` until what it waits for changes, a handle in one of the directions given.
    pub(crate) fn park(&mut self, key: K, waits: Waits, direction: EventFlags, operation: T, now: Instant) {
        self.take_limits();
        let limit = match waits {
            Waits::ForHandle(handle) => self.limits.get(&handle).and_then(|limits| limits.of(direction)),
            Waits::ForRetry(_) => None,
        };
        let deadline = limit.and_then(|limit| now.checked_add(limit));
        self.deadlines.extend(deadline.map(|deadline| (deadline, key)));
        self.waits.insert(key, waits);
        self.parked.entry(waits).or_default().push(Parked { key, direction, deadline, operation });
    }

    /// Carries out what the scheme has posted: tries operations again and wakes pollers. Then ends what has
    /// waited too long.
    pub(crate) fn flush(&mut self, now: Instant, resume: &mut impl Resume<K, T>) {
        self.flushed = now;
        self.take_limits();
        for _ in 0..FLUSH_ROUNDS {
            if !self.notifier.has_posted() {
                break;
            }
            for (handle, flags) in self.notifier.take_posted() {
                self.retry(Waits::ForHandle(handle), flags, resume);
                resume.wake(handle, flags);
            }
            for open in self.notifier.take_retried() {
                self.retry(Waits::ForRetry(open), EventFlags::all(), resume);
            }
        }
        while let Some((key, operation)) = self.take_expired(now) {
            resume.expire(key, operation);
        }
    }

    /// When the next flush is due, at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.notifier.has_posted() {
            return Some(self.flushed);
        }
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// Tries each operation that waits for `waits` in one of the directions `flags`.
    fn retry(&mut self, waits: Waits, flags: EventFlags, resume: &mut impl Resume<K, T>) {
        let Some(parked) = self.parked.remove(&waits) else { return };
        let retry = |entry: Parked<K, T>| {
            let Parked { key, direction, deadline, operation } = entry;
            if !direction.intersects(flags) {
                return Some(Parked { key, direction, deadline, operation });
            }
            match resume.resume(key, operation) {
                Some(operation) => Some(Parked { key, direction, deadline, operation }),
                None => {
                    self.waits.remove(&key);
                    forget(&mut self.deadlines, deadline, key);
                    None
                }
            }
        };
        let parked: Vec<_> = parked.into_iter().filter_map(retry).collect();
        if !parked.is_empty() {
            self.parked.insert(waits, parked);
        }
    }

    /// An operation that cannot go on and would wait for `waits` does not wait, or no longer.
    pub(crate) fn give_up(&self, waits: Waits) {
        if let Waits::ForRetry(open) = waits {
            self.notifier.give_up(open);
        }
    }

    /// Takes out the operation of one request, if it is parked.
    pub(crate) fn cancel(&mut self, key: K) -> Option<T> {
        let waits = self.waits.remove(&key)?;
        self.give_up(waits);
        let parked = self.parked.get_mut(&waits)?;
        let position = parked.iter().position(|entry| entry.key == key)?;
        let entry = parked.remove(position);
        if parked.is_empty() {
            self.parked.remove(&waits);
        }
        forget(&mut self.deadlines, entry.deadline, key);
        Some(entry.operation)
    }

    /// Takes out one operation whose time is up.
    fn take_expired(&mut self, now: Instant) -> Option<(K, T)> {
        let &(deadline, key) = self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.deadlines.pop_first();
        self.cancel(key).map(|operation| (key, operation))
    }

    /// Limits how long operations parked on `handle` from now on may wait.
    fn set_limit(&mut self, handle: usize, direction: EventFlags, limit: Option<Duration>) {
        let limits = self.limits.entry(handle).or_default();
        if direction.contains(EventFlags::EVENT_READ) {
            limits.read = limit;
        }
        if direction.contains(EventFlags::EVENT_WRITE) {
            limits.write = limit;
        }
        if *limits == Limits::default() {
            self.limits.remove(&handle);
        }
    }

    fn take_limits(&mut self) {
        for (handle, direction, limit) in self.notifier.take_timeouts() {
            self.set_limit(handle, direction, limit);
        }
    }

    /// Takes out all that is parked, for the end of its server.
    pub(crate) fn take_all(&mut self) -> Vec<(K, T)> {
        self.waits.clear();
        self.deadlines.clear();
        let parked = self.parked.drain().flat_map(|(_, parked)| parked);
        parked.map(|entry| (entry.key, entry.operation)).collect()
    }

    /// Forgets what a closed handle had posted and limited, and takes out what is still parked on it.
    pub(crate) fn close(&mut self, handle: usize) -> Vec<(K, T)> {
        self.notifier.forget(handle);
        self.limits.remove(&handle);
        let parked = self.parked.remove(&Waits::ForHandle(handle)).unwrap_or_default();
        for entry in &parked {
            self.waits.remove(&entry.key);
            forget(&mut self.deadlines, entry.deadline, entry.key);
        }
        parked.into_iter().map(|entry| (entry.key, entry.operation)).collect()
    }
}

/// Takes out an operation's deadline; most have none.
fn forget<K: Ord>(deadlines: &mut BTreeSet<(Instant, K)>, deadline: Option<Instant>, key: K) {
    if let Some(deadline) = deadline {
        deadlines.remove(&(deadline, key));
    }
}

#[cfg(test)]
mod tests;
