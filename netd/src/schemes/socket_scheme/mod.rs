//! What the socket schemes have in common: handles, flags, blocking, timeouts, listings.

mod serve;
mod timeout;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::{Rc, Weak};

use redox_scheme::Id as RequestId;
use scheme::errno::{EAGAIN, EBADF, EFAULT, EISDIR, EOPNOTSUPP};
use scheme::flag::O_NONBLOCK;
use scheme::{CallerCtx, DirentKind, Error, EventFlags, NewFdFlags, Notifier, OpenResult, Result};
use slab::Slab;

use self::timeout::Limits;
use crate::stack::{Readiness, Stack};

/// The stack, which all schemes share on their one thread.
pub type SharedStack = Rc<RefCell<Stack>>;

/// What is asked of a handle, beside the operation itself.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Who opened it.
    pub uid: u32,
    /// The caller wants no waiting.
    pub nonblocking: bool,
    /// Other handles stand for the same socket.
    pub shares: bool,
}

/// What makes one socket scheme different from the others.
pub trait Protocol {
    /// A handle's view of a socket.
    type Node: Clone;
    /// The socket of the stack behind it, which several handles may share.
    type Key: Copy + Eq + Hash;

    /// The scheme's name.
    const NAME: &'static str;

    /// The socket behind `node`, if there is one yet.
    fn key(node: &Self::Node) -> Option<Self::Key>;
    /// Whether `path` can be opened, and is a directory. Nothing is opened.
    fn probe(path: &str) -> Result<DirentKind>;
    /// The names in the directory `path`.
    fn names(path: &str) -> &'static [&'static str];
    /// Opens `path`.
    fn open(stack: &mut Stack, path: &str, caller: Caller) -> Result<Self::Node>;
    /// Whether `node` is settled: `EAGAIN` while its connection is being made.
    fn settled(stack: &mut Stack, node: &mut Self::Node) -> Result<()>;
    /// A new handle made from `node`, which may change.
    fn dup(stack: &mut Stack, node: &mut Self::Node, path: &[u8], caller: Caller) -> Result<Self::Node>;
    /// What is ready.
    fn readiness(stack: &Stack, node: &Self::Node) -> Readiness;
    /// Reads.
    fn read(stack: &mut Stack, node: &mut Self::Node, buffer: &mut [u8]) -> Result<usize>;
    /// Writes.
    fn write(stack: &mut Stack, node: &mut Self::Node, data: &[u8]) -> Result<usize>;
    /// A socket call of relibc's: its verb is `metadata[0]`.
    fn call(
        _stack: &mut Stack,
        _node: &mut Self::Node,
        _payload: &mut [u8],
        _metadata: &[u64],
    ) -> Result<usize> {
        Err(Error::new(EOPNOTSUPP))
    }
    /// What `fpath` says after the scheme's name.
    fn path(stack: &Stack, node: &Self::Node) -> String;
    /// A handle of the socket was closed, or now stands for another; `rest` are the handles that are left.
    fn left(stack: &mut Stack, key: Self::Key, rest: &[Self::Node]);
    /// The sockets that became ready.
    fn take_changes(stack: &mut Stack) -> Vec<(Self::Key, Readiness)>;
}

enum Kind<N> {
    Directory {
        path: String,
    },
    /// Opened to be looked at alone.
    Probe {
        path: String,
    },
    Socket(N),
    /// `SO_RCVTIMEO` or `SO_SNDTIMEO` of another handle, while that is open.
    Timeout {
        of: usize,
        direction: EventFlags,
        limits: Weak<Cell<Limits>>,
    },
}

struct Handle<N> {
    kind: Kind<N>,
    flags: usize,
    uid: u32,
    limits: Rc<Cell<Limits>>,
}

impl<N> Handle<N> {
    fn new(kind: Kind<N>, flags: usize, uid: u32) -> Self {
        Self { kind, flags, uid, limits: Rc::default() }
    }
}

/// One of the socket schemes.
pub struct SocketScheme<P: Protocol> {
    stack: SharedStack,
    notifier: Notifier,
    handles: Slab<Handle<P::Node>>,
    by_key: HashMap<P::Key, Vec<usize>>,
    /// The sockets of the `openat`s that wait for their connections.
    pending: HashMap<RequestId, P::Node>,
}

impl<P: Protocol> SocketScheme<P> {
    /// The scheme of `P` over `stack`; it tells `notifier` what becomes ready.
    pub fn new(stack: SharedStack, notifier: Notifier) -> Self {
        Self { stack, notifier, handles: Slab::new(), by_key: HashMap::new(), pending: HashMap::new() }
    }

    /// Posts the handles of the sockets that became ready. Whether there was one.
    pub fn post_changes(&mut self) -> bool {
        let changes = P::take_changes(&mut self.stack.borrow_mut());
        for (key, readiness) in &changes {
            for id in self.by_key.get(key).into_iter().flatten() {
                self.notifier.post(*id, event_flags(*readiness));
            }
            for (open, _) in self.pending.iter().filter(|(_, node)| P::key(node) == Some(*key)) {
                self.notifier.retry(*open);
            }
        }
        !changes.is_empty()
    }

    /// Closes the connections whose `openat` waits no longer: another one may have its id.
    pub fn drop_unclaimed(&mut self) {
        for open in self.notifier.take_given_up() {
            if let Some(key) = self.pending.remove(&open).as_ref().and_then(P::key) {
                P::left(&mut self.stack.borrow_mut(), key, &[]);
            }
        }
    }

    fn insert(&mut self, kind: Kind<P::Node>, flags: usize, uid: u32) -> usize {
        let key = match &kind {
            Kind::Socket(node) => P::key(node),
            _ => None,
        };
        let number = self.handles.insert(Handle::new(kind, flags, uid));
        if let Some(key) = key {
            self.by_key.entry(key).or_default().push(number);
        }
        number
    }

    /// `openat` of a socket: a retried one goes on where it stood.
    fn open_socket(&mut self, path: &str, flags: usize, ctx: &CallerCtx) -> Result<OpenResult> {
        let caller = Caller { uid: ctx.uid, nonblocking: flags & O_NONBLOCK != 0, shares: false };
        self.drop_unclaimed();
        let mut stack = self.stack.borrow_mut();
        let mut node = match self.pending.remove(&ctx.id) {
            Some(node) => node,
            None => P::open(&mut stack, path, caller)?,
        };
        match P::settled(&mut stack, &mut node) {
            Err(error) if error.errno == EAGAIN && !caller.nonblocking => {
                self.pending.insert(ctx.id, node);
                Err(error)
            }
            Err(error) if error.errno != EAGAIN => {
                if let Some(key) = P::key(&node) {
                    P::left(&mut stack, key, &[]);
                }
                Err(error)
            }
            _ => {
                drop(stack);
                Ok(opened(self.insert(Kind::Socket(node), flags, ctx.uid)))
            }
        }
    }

    /// relibc's sockets become others by `dup` and keep what was set of them; a connection that is accepted is
    /// a new socket.
    fn dup_socket(&mut self, id: usize, path: &[u8]) -> Result<OpenResult> {
        let handle = self.handles.get_mut(id).ok_or(Error::new(EBADF))?;
        let (flags, uid, limits) = (handle.flags, handle.uid, handle.limits.get());
        let Kind::Socket(node) = &mut handle.kind else { return Err(Error::new(EBADF)) };
        let before = P::key(node);
        let shares = before.and_then(|key| self.by_key.get(&key)).is_some_and(|ids| ids.len() > 1);
        let caller = Caller { uid, nonblocking: flags & O_NONBLOCK != 0, shares };
        let made = P::dup(&mut self.stack.borrow_mut(), node, path, caller);
        let after = P::key(node);
        self.moved(id, before, after);
        let number = self.insert(Kind::Socket(made?), flags, uid);
        if path != b"listen" {
            self.limit(number, limits);
        }
        Ok(opened(number))
    }

    /// The handle `id` stands for another socket than before.
    fn moved(&mut self, id: usize, before: Option<P::Key>, after: Option<P::Key>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.leave(id, before);
        }
        if let Some(after) = after {
            self.by_key.entry(after).or_default().push(id);
        }
    }

    fn leave(&mut self, id: usize, key: P::Key) {
        let Some(ids) = self.by_key.get_mut(&key) else { return };
        ids.retain(|other| *other != id);
        let rest: Vec<_> = ids
            .iter()
            .filter_map(|id| match &self.handles.get(*id)?.kind {
                Kind::Socket(node) => Some(node.clone()),
                _ => None,
            })
            .collect();
        if ids.is_empty() {
            self.by_key.remove(&key);
        }
        P::left(&mut self.stack.borrow_mut(), key, &rest);
    }

    fn handle(&mut self, id: usize) -> Result<&mut Handle<P::Node>> {
        self.handles.get_mut(id).ok_or(Error::new(EBADF))
    }

    /// Runs `operation` on the socket of the handle `id`, keeping track of which socket that is.
    fn with_socket<R>(
        &mut self,
        id: usize,
        operation: impl FnOnce(&mut Stack, &mut P::Node) -> Result<R>,
    ) -> Result<R> {
        let stack = self.stack.clone();
        let node = match &mut self.handle(id)?.kind {
            Kind::Socket(node) => node,
            Kind::Directory { .. } => return Err(Error::new(EISDIR)),
            Kind::Probe { .. } | Kind::Timeout { .. } => return Err(Error::new(EBADF)),
        };
        let before = P::key(node);
        let result = operation(&mut stack.borrow_mut(), node);
        let after = P::key(node);
        self.moved(id, before, after);
        result
    }

    fn set_timeout(&mut self, id: usize, text: &[u8]) -> Result<usize> {
        let limit = timeout::parse(text)?;
        let Kind::Timeout { of, direction, limits } = &self.handle(id)?.kind else {
            return Err(Error::new(EBADF));
        };
        let limits = limits.upgrade().ok_or(Error::new(EBADF))?.get().with(*direction, limit);
        let of = *of;
        self.limit(of, limits);
        Ok(text.len())
    }

    /// Limits how long operations on the handle `id` wait.
    fn limit(&mut self, id: usize, limits: Limits) {
        let Some(handle) = self.handles.get_mut(id) else { return };
        handle.limits.set(limits);
        self.notifier.set_timeout(id, EventFlags::EVENT_READ, limits.of(EventFlags::EVENT_READ));
        self.notifier.set_timeout(id, EventFlags::EVENT_WRITE, limits.of(EventFlags::EVENT_WRITE));
    }
}

fn opened(number: usize) -> OpenResult {
    OpenResult::ThisScheme { number, flags: NewFdFlags::empty() }
}

/// Copies `text` to the start of `buf`; `EFAULT` if it does not fit.
pub fn put(text: &[u8], buf: &mut [u8]) -> Result<usize> {
    buf.get_mut(..text.len()).ok_or(Error::new(EFAULT))?.copy_from_slice(text);
    Ok(text.len())
}

fn event_flags(readiness: Readiness) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::EVENT_READ, readiness.read);
    flags.set(EventFlags::EVENT_WRITE, readiness.write);
    flags
}
