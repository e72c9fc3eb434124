//! What the socket schemes have in common: handles, flags, blocking, timeouts, listings.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;
use std::time::Duration;

use redox_scheme::Id as RequestId;
use scheme::errno::{EAGAIN, EBADF, EFAULT, EINPROGRESS, EINVAL, EISDIR, ENOTDIR, EOPNOTSUPP, ESPIPE};
use scheme::flag::{
    F_GETFL, F_SETFL, MODE_DIR, MODE_FILE, O_ACCMODE, O_DIRECTORY, O_FCNTL_MASK, O_NONBLOCK, O_STAT,
};
use scheme::{
    CallerCtx, DirentBuf, DirentKind, Error, EventFlags, NewFdFlags, Notifier, OpenResult, Result,
    SchemeSync, Stat, TimeSpec, directory,
};
use slab::Slab;

use crate::stack::{Readiness, SocketError, Stack};

/// The stack, which all schemes share on their one thread.
pub type SharedStack = Rc<RefCell<Stack>>;

/// What is asked of a handle, beside the operation itself.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Who opened it.
    pub uid: u32,
    /// The caller wants no waiting.
    pub nonblocking: bool,
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
    /// `SO_RCVTIMEO` or `SO_SNDTIMEO` of another handle.
    Timeout {
        of: usize,
        direction: EventFlags,
        value: Option<Duration>,
    },
}

struct Handle<N> {
    kind: Kind<N>,
    flags: usize,
    uid: u32,
}

/// An `openat` that waits for its connection.
struct Pending<N> {
    node: N,
    /// The handle that it is relative to, on which it is parked.
    parent: usize,
}

/// One of the socket schemes.
pub struct SocketScheme<P: Protocol> {
    stack: SharedStack,
    notifier: Notifier,
    handles: Slab<Handle<P::Node>>,
    by_key: HashMap<P::Key, Vec<usize>>,
    pending: HashMap<RequestId, Pending<P::Node>>,
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
            for pending in self.pending.values().filter(|pending| P::key(&pending.node) == Some(*key)) {
                self.notifier.post(pending.parent, EventFlags::EVENT_WRITE);
            }
        }
        !changes.is_empty()
    }

    /// Closes the connections whose `openat` was given up by its caller. To be called when the operations
    /// that were posted have been tried again: what is settled then and still pending has no caller.
    pub fn drop_unclaimed(&mut self) {
        let mut stack = self.stack.borrow_mut();
        self.pending.retain(|_, pending| {
            let waits = P::settled(&mut stack, &mut pending.node) == Err(Error::new(EAGAIN));
            if !waits && let Some(key) = P::key(&pending.node) {
                P::left(&mut stack, key, &[]);
            }
            waits
        });
    }

    fn insert(&mut self, kind: Kind<P::Node>, flags: usize, uid: u32) -> OpenResult {
        let key = match &kind {
            Kind::Socket(node) => P::key(node),
            _ => None,
        };
        let number = self.handles.insert(Handle { kind, flags, uid });
        if let Some(key) = key {
            self.by_key.entry(key).or_default().push(number);
        }
        OpenResult::ThisScheme { number, flags: NewFdFlags::empty() }
    }

    /// `openat` of a socket: a retried one goes on where it stood.
    fn open_socket(&mut self, fd: usize, path: &str, flags: usize, ctx: &CallerCtx) -> Result<OpenResult> {
        let caller = Caller { uid: ctx.uid, nonblocking: flags & O_NONBLOCK != 0 };
        let mut stack = self.stack.borrow_mut();
        let mut node = match self.pending.remove(&ctx.id) {
            Some(pending) => pending.node,
            None => P::open(&mut stack, path, caller)?,
        };
        match P::settled(&mut stack, &mut node) {
            Err(error) if error.errno == EAGAIN && !caller.nonblocking => {
                self.pending.insert(ctx.id, Pending { node, parent: fd });
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
                Ok(self.insert(Kind::Socket(node), flags, ctx.uid))
            }
        }
    }

    fn dup_socket(&mut self, id: usize, path: &[u8]) -> Result<OpenResult> {
        let handle = self.handles.get_mut(id).ok_or(Error::new(EBADF))?;
        let (flags, uid) = (handle.flags, handle.uid);
        let Kind::Socket(node) = &mut handle.kind else { return Err(Error::new(EBADF)) };
        let before = P::key(node);
        let caller = Caller { uid, nonblocking: flags & O_NONBLOCK != 0 };
        let made = P::dup(&mut self.stack.borrow_mut(), node, path, caller);
        let after = P::key(node);
        self.moved(id, before, after);
        Ok(self.insert(Kind::Socket(made?), flags, uid))
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
        let limit = parse_time(text)?;
        let Kind::Timeout { of, direction, value } = &mut self.handle(id)?.kind else {
            return Err(Error::new(EBADF));
        };
        *value = limit;
        let (of, direction) = (*of, *direction);
        self.notifier.set_timeout(of, direction, limit);
        Ok(text.len())
    }
}

impl<P: Protocol> SchemeSync for SocketScheme<P> {
    fn scheme_root(&mut self) -> Result<usize> {
        Ok(self.handles.insert(Handle { kind: Kind::Directory { path: String::new() }, flags: 0, uid: 0 }))
    }

    fn openat(
        &mut self,
        fd: usize,
        path: &str,
        flags: usize,
        fcntl_flags: u32,
        ctx: &CallerCtx,
    ) -> Result<OpenResult> {
        let Kind::Directory { path: parent } = &self.handle(fd)?.kind else {
            return Err(Error::new(ENOTDIR));
        };
        let path = match parent.as_str() {
            "" => path.to_owned(),
            parent => format!("{parent}/{path}").trim_end_matches('/').to_owned(),
        };
        let flags = flags | fcntl_flags as usize;
        let is_socket = flags & O_ACCMODE != 0 && flags & (O_DIRECTORY | O_STAT) == 0;
        match P::probe(&path)? {
            DirentKind::Directory if !(path.is_empty() && is_socket) => {
                Ok(self.insert(Kind::Directory { path }, flags, ctx.uid))
            }
            _ if flags & O_DIRECTORY != 0 => Err(Error::new(ENOTDIR)),
            _ if flags & O_STAT != 0 => Ok(self.insert(Kind::Probe { path }, flags, ctx.uid)),
            _ => self.open_socket(fd, &path, flags, ctx),
        }
    }

    fn dup(&mut self, old_id: usize, buf: &[u8], _ctx: &CallerCtx) -> Result<OpenResult> {
        let direction = match buf {
            b"read_timeout" => EventFlags::EVENT_READ,
            b"write_timeout" => EventFlags::EVENT_WRITE,
            _ => return self.dup_socket(old_id, buf),
        };
        let handle = self.handle(old_id)?;
        let (flags, uid) = (handle.flags, handle.uid);
        Ok(self.insert(Kind::Timeout { of: old_id, direction, value: None }, flags, uid))
    }

    fn read(
        &mut self,
        id: usize,
        buf: &mut [u8],
        _offset: u64,
        _flags: u32,
        _ctx: &CallerCtx,
    ) -> Result<usize> {
        if let Kind::Timeout { value, .. } = &self.handle(id)?.kind {
            return write_time(*value, buf);
        }
        self.with_socket(id, |stack, node| P::read(stack, node, buf))
    }

    fn write(&mut self, id: usize, buf: &[u8], _offset: u64, _flags: u32, _ctx: &CallerCtx) -> Result<usize> {
        if let Kind::Timeout { .. } = self.handle(id)?.kind {
            return self.set_timeout(id, buf);
        }
        self.with_socket(id, |stack, node| P::write(stack, node, buf))
    }

    fn fsize(&mut self, _id: usize, _ctx: &CallerCtx) -> Result<u64> {
        Err(Error::new(ESPIPE))
    }

    fn fcntl(&mut self, id: usize, cmd: usize, arg: usize, _ctx: &CallerCtx) -> Result<usize> {
        let handle = self.handle(id)?;
        match cmd {
            F_GETFL => Ok(handle.flags),
            F_SETFL => {
                handle.flags = handle.flags & !O_FCNTL_MASK | arg & O_FCNTL_MASK;
                Ok(0)
            }
            _ => Err(Error::new(EINVAL)),
        }
    }

    fn fevent(&mut self, id: usize, flags: EventFlags, _ctx: &CallerCtx) -> Result<EventFlags> {
        let ready = self.with_socket(id, |stack, node| Ok(P::readiness(stack, node)));
        Ok(ready.map_or(EventFlags::empty(), event_flags) & flags)
    }

    fn fpath(&mut self, id: usize, buf: &mut [u8], _ctx: &CallerCtx) -> Result<usize> {
        let stack = self.stack.clone();
        let path = match &self.handle(id)?.kind {
            Kind::Directory { path } | Kind::Probe { path } => path.clone(),
            Kind::Socket(node) => P::path(&stack.borrow(), node),
            Kind::Timeout { .. } => return Err(Error::new(EBADF)),
        };
        put(format!("/scheme/{}/{path}", P::NAME).as_bytes(), buf)
    }

    fn fstat(&mut self, id: usize, stat: &mut Stat, _ctx: &CallerCtx) -> Result<()> {
        let handle = self.handle(id)?;
        stat.st_mode = match handle.kind {
            Kind::Directory { .. } => MODE_DIR | 0o755,
            Kind::Probe { .. } | Kind::Socket(_) | Kind::Timeout { .. } => MODE_FILE | 0o666,
        };
        stat.st_uid = handle.uid;
        stat.st_nlink = 1;
        Ok(())
    }

    fn call(&mut self, id: usize, payload: &mut [u8], metadata: &[u64], _ctx: &CallerCtx) -> Result<usize> {
        self.with_socket(id, |stack, node| P::call(stack, node, payload, metadata))
    }

    fn getdents<'buf>(
        &mut self,
        id: usize,
        buf: DirentBuf<&'buf mut [u8]>,
        opaque_offset: u64,
    ) -> Result<DirentBuf<&'buf mut [u8]>> {
        let Kind::Directory { path } = &self.handle(id)?.kind else { return Err(Error::new(ENOTDIR)) };
        let names = P::names(path).iter().map(|name| (*name, DirentKind::Directory));
        directory::list(buf, opaque_offset, names)
    }

    fn on_close(&mut self, id: usize) {
        let Some(handle) = self.handles.try_remove(id) else { return };
        if let Kind::Socket(node) = handle.kind
            && let Some(key) = P::key(&node)
        {
            self.leave(id, key);
        }
    }
}

/// Copies `text` to the start of `buf`; `EFAULT` if it does not fit.
pub fn put(text: &[u8], buf: &mut [u8]) -> Result<usize> {
    buf.get_mut(..text.len()).ok_or(Error::new(EFAULT))?.copy_from_slice(text);
    Ok(text.len())
}

/// What a handle of a connection in progress answers to another `connect`.
pub fn in_progress(error: SocketError, caller: Caller) -> Error {
    match error {
        SocketError::WouldBlock if caller.nonblocking => Error::new(EINPROGRESS),
        error => super::errno::errno(error),
    }
}

fn event_flags(readiness: Readiness) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::EVENT_READ, readiness.read);
    flags.set(EventFlags::EVENT_WRITE, readiness.write);
    flags
}

/// A TimeSpec as relibc writes it: seconds (i64) and nanoseconds (i32, then 4 bytes of nothing). Zero is no limit.
fn parse_time(text: &[u8]) -> Result<Option<Duration>> {
    let (seconds, rest) = text.split_first_chunk::<8>().ok_or(Error::new(EINVAL))?;
    let nanoseconds = rest.first_chunk::<4>().filter(|_| text.len() == size_of::<TimeSpec>());
    let nanoseconds = i32::from_ne_bytes(*nanoseconds.ok_or(Error::new(EINVAL))?);
    let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).map_err(|_| Error::new(EINVAL))?;
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000);
    let limit = Duration::new(seconds, nanoseconds.ok_or(Error::new(EINVAL))?);
    Ok((!limit.is_zero()).then_some(limit))
}

fn write_time(limit: Option<Duration>, buf: &mut [u8]) -> Result<usize> {
    let limit = limit.unwrap_or_default();
    let mut text = [0; size_of::<TimeSpec>()];
    text[..8].copy_from_slice(&limit.as_secs().to_ne_bytes());
    text[8..12].copy_from_slice(&limit.subsec_nanos().to_ne_bytes());
    let count = text.len().min(buf.len());
    buf[..count].copy_from_slice(&text[..count]);
    Ok(count)
}
