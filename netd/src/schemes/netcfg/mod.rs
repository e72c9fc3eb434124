//! `netcfg`: the configuration as a tree of text files, stock's and ours.

mod command;
mod document;
mod events;
mod handle;
mod lease;
mod parse;
mod setting;
mod stream;
mod text;
mod tree;

use std::collections::BTreeSet;

use config::netd::Config;
use scheme::errno::{EACCES, EAGAIN, EBADF, ENOENT, ENOSPC, ENOTDIR, EOPNOTSUPP};
use scheme::flag::{O_ACCMODE, O_DIRECTORY, O_RDONLY, O_STAT, O_WRONLY};
use scheme::{
    CallerCtx, DirentBuf, DirentKind, Error, EventFlags, NewFdFlags, Notifier, OpenResult, Result,
    SchemeSync, Stat, directory,
};
use slab::Slab;
use smoltcp::time::Instant;

use self::events::Events;
use self::handle::{Change, Handle, Writing};
use self::parse::Refusal;
use self::setting::Asked;
use self::stream::Sources;
use self::tree::Node;
use super::socket_scheme::{SharedStack, put};
use crate::intent::Intent;

/// Bytes that one handle may write.
const WRITE_BUFFER: usize = 65_536;

/// The scheme.
pub struct Netcfg {
    stack: SharedStack,
    notifier: Notifier,
    intent: Intent,
    handles: Slab<Handle>,
    revision: u64,
    events: Events,
    /// The handles with a reader.
    readers: BTreeSet<usize>,
    /// What drivers were asked.
    asked: Vec<Asked>,
    epoch: u64,
}

impl Netcfg {
    /// The configuration of `stack`, which is brought to `config` first. Its time 0 was `epoch` microseconds
    /// after 1970-01-01; who polls a file is told of its changes by `notifier`.
    pub fn new(stack: SharedStack, notifier: Notifier, config: Config, epoch: u64) -> Self {
        let mut intent = Intent::new(config);
        intent.follow(&mut stack.borrow_mut());
        let events = Events::new(&stack.borrow());
        let (handles, readers, asked) = (Slab::new(), BTreeSet::new(), Vec::new());
        Self { stack, notifier, intent, handles, revision: 0, events, readers, asked, epoch }
    }

    /// Brings the stack to what is wanted, if either has changed.
    pub fn follow(&mut self) {
        self.intent.follow(&mut self.stack.borrow_mut());
    }

    /// netd ends: what is to be given back is.
    pub fn leave(&mut self) {
        self.intent.leave(&mut self.stack.borrow_mut());
    }

    /// When [`follow`](Self::follow) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.intent.deadline()
    }

    /// Posts the handles that are watched and whose text is another one now, and those that have something new to read.
    pub fn post_changes(&mut self) {
        self.hear_answers();
        let stack = self.stack.borrow();
        if std::mem::replace(&mut self.revision, stack.revision) != stack.revision {
            self.events.note_changes(&stack);
            for (id, handle) in &self.handles {
                if handle.is_watched && handle.is_outdated(&stack, &self.intent) {
                    self.notifier.post(id, EventFlags::EVENT_READ);
                }
            }
        }
        for id in &self.readers {
            let reader = self.handles.get(*id).and_then(|handle| handle.reader.as_ref());
            if reader.is_some_and(|reader| reader.is_ready(&stack, &self.events)) {
                self.notifier.post(*id, EventFlags::EVENT_READ);
            }
        }
    }

    /// Lets those go on whose driver has answered. What it refused is not wanted any more.
    fn hear_answers(&mut self) {
        let mut stack = self.stack.borrow_mut();
        for asked in std::mem::take(&mut self.asked) {
            let Some(answer) = asked.answer(&stack) else {
                self.asked.push(asked);
                continue;
            };
            let waiting = asked.handle.and_then(|id| Some((id, self.handles.get_mut(id)?)));
            if let Some((id, handle)) = waiting {
                handle.state = Writing::Answered(answer.clone());
                self.notifier.post(id, EventFlags::EVENT_READ | EventFlags::EVENT_WRITE);
            }
            if answer.is_err() {
                asked.take_back(&mut self.intent, &mut stack);
            }
        }
    }

    fn handle(&mut self, id: usize) -> Result<&mut Handle> {
        self.handles.get_mut(id).ok_or(Error::new(EBADF))
    }

    fn insert(&mut self, path: String, node: Node, flags: usize, snapshot: Vec<u8>) -> usize {
        let (text, state, is_watched, reader) = (Vec::new(), Writing::Open, false, None);
        self.handles.insert(Handle { path, node, flags, snapshot, text, state, is_watched, reader })
    }

    /// Takes what was written to a handle, a line or a whole configuration, as its change.
    fn take_text(&mut self, id: usize) -> Result<()> {
        let handle = self.handles.get_mut(id).ok_or(Error::new(EBADF))?;
        let bytes = std::mem::take(&mut handle.text);
        if bytes.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        let change: Result<_, Refusal> = match (&handle.state, &handle.node) {
            (Writing::Open, Node::Leaf(leaf)) => leaf.parse(text.trim(), &self.stack.borrow(), &self.intent),
            (Writing::Open, Node::Document(document)) => document
                .parse(&text)
                .map(|(config, limit)| Change::Config(config, limit))
                .map_err(Refusal::from),
            _ => Err("a second line".to_owned().into()),
        };
        match change {
            Ok(change) => {
                handle.state = Writing::Ready { text: summary(&text), change };
                Ok(())
            }
            Err(refusal) => Err(handle.refuse(refusal)),
        }
    }

    fn commit(&mut self, id: usize) -> Result<()> {
        self.take_text(id)?;
        let handle = self.handle(id)?;
        let (text, change) = match std::mem::replace(&mut handle.state, Writing::Done) {
            Writing::Ready { text, change } => (text, change),
            Writing::Open => {
                handle.state = Writing::Open;
                return Ok(());
            }
            Writing::Asked => {
                handle.state = Writing::Asked;
                return Err(Error::new(EAGAIN));
            }
            Writing::Answered(Ok(())) => return Ok(()),
            Writing::Answered(Err(reason)) => return Err(handle.refuse(reason.into())),
            Writing::Done => return Err(Error::new(EBADF)),
        };
        log::info!("netcfg: {} is now {text:?}", handle.path);
        let mut stack = self.stack.borrow_mut();
        match change {
            Change::Setting(interface, setting) => {
                self.asked.push(Asked::ask(id, interface, setting, &mut self.intent, &mut stack));
                if let Some(handle) = self.handles.get_mut(id) {
                    handle.state = Writing::Asked;
                }
                return Err(Error::new(EAGAIN));
            }
            Change::Command(command) => command.carry_out(&mut self.intent, &mut stack),
            Change::Config(config, limit) => {
                let now = stack.network.now;
                self.intent.apply(config, limit, now);
                self.intent.follow(&mut stack);
            }
        }
        Ok(())
    }
}

/// The first line, for the log.
fn summary(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

impl SchemeSync for Netcfg {
    fn scheme_root(&mut self) -> Result<usize> {
        Ok(self.insert(String::new(), Node::Directory(Vec::new()), 0, Vec::new()))
    }

    fn openat(
        &mut self,
        fd: usize,
        path: &str,
        flags: usize,
        fcntl_flags: u32,
        ctx: &CallerCtx,
    ) -> Result<OpenResult> {
        let parent = self.handle(fd)?;
        if !matches!(parent.node, Node::Directory(_)) {
            return Err(Error::new(ENOTDIR));
        }
        let path = format!("{}/{path}", parent.path).trim_matches('/').to_owned();
        let mut flags = flags | fcntl_flags as usize;
        if flags & O_STAT != 0 {
            // Looking is open to all, so nothing else is open to who only looks.
            flags &= !O_ACCMODE;
        }
        let node = tree::resolve(&path, &self.stack.borrow()).ok_or(Error::new(ENOENT))?;
        if flags & O_DIRECTORY != 0 && !matches!(node, Node::Directory(_)) {
            return Err(Error::new(ENOTDIR));
        }
        let (mut snapshot, mut reader) = (Vec::new(), None);
        if flags & O_STAT == 0 {
            check_access(&node, flags, ctx.uid)?;
            match &node {
                Node::Directory(_) | Node::Document(_) => (),
                Node::Leaf(leaf) => {
                    snapshot = leaf.text(&self.stack.borrow(), &self.intent).unwrap_or_default().into_bytes()
                }
                Node::Stream(stream) => {
                    reader = Some(stream.open(&mut self.stack.borrow_mut(), &self.events)?)
                }
            }
        }
        let flags_of_file = match &node {
            Node::Stream(_) => NewFdFlags::empty(),
            Node::Directory(_) | Node::Leaf(_) | Node::Document(_) => NewFdFlags::POSITIONED,
        };
        let number = self.insert(path, node, flags, snapshot);
        if let Some(handle) = self.handles.get_mut(number).filter(|_| reader.is_some()) {
            handle.reader = reader;
            self.readers.insert(number);
        }
        Ok(OpenResult::ThisScheme { number, flags: flags_of_file })
    }

    fn read(
        &mut self,
        id: usize,
        buf: &mut [u8],
        offset: u64,
        _flags: u32,
        _ctx: &CallerCtx,
    ) -> Result<usize> {
        let handle = self.handles.get_mut(id).ok_or(Error::new(EBADF))?;
        if let Some(reader) = &mut handle.reader {
            let sources = Sources { events: &self.events, epoch: self.epoch };
            return reader.read(buf, &mut self.stack.borrow_mut(), sources);
        }
        match &handle.node {
            // Stock's programs read a directory for its names.
            Node::Directory(names) => {
                let names: String = names.iter().map(|name| format!("{name}\n")).collect();
                scheme::text::read_at(names.as_bytes(), buf, offset)
            }
            Node::Leaf(_) | Node::Stream(_) | Node::Document(_) => {
                scheme::text::read_at(&handle.snapshot, buf, offset)
            }
        }
    }

    fn write(&mut self, id: usize, buf: &[u8], _offset: u64, _flags: u32, _ctx: &CallerCtx) -> Result<usize> {
        let handle = self.handle(id)?;
        if handle.flags & O_ACCMODE & O_WRONLY == 0 || matches!(handle.state, Writing::Done) {
            return Err(Error::new(EBADF));
        }
        let stack = self.stack.clone();
        let handle = self.handle(id)?;
        if let Some(reader) = &mut handle.reader {
            return reader.write(buf, &mut stack.borrow_mut());
        }
        if handle.text.len() + buf.len() > WRITE_BUFFER {
            return Err(Error::new(ENOSPC));
        }
        if let Node::Document(_) = handle.node {
            handle.text.extend_from_slice(buf);
            return Ok(buf.len());
        }
        for piece in buf.split_inclusive(|byte| *byte == b'\n') {
            let handle = self.handle(id)?;
            handle.text.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.take_text(id)?;
            }
        }
        Ok(buf.len())
    }

    fn fcntl(&mut self, id: usize, cmd: usize, arg: usize, _ctx: &CallerCtx) -> Result<usize> {
        scheme::status::fcntl(&mut self.handle(id)?.flags, cmd, arg)
    }

    fn fevent(&mut self, id: usize, flags: EventFlags, _ctx: &CallerCtx) -> Result<EventFlags> {
        let stack = self.stack.clone();
        let handle = self.handles.get_mut(id).ok_or(Error::new(EBADF))?;
        handle.is_watched |= flags.contains(EventFlags::EVENT_READ);
        let changed = match &handle.reader {
            Some(reader) => reader.is_ready(&stack.borrow(), &self.events),
            None => handle.is_outdated(&stack.borrow(), &self.intent),
        };
        Ok(if changed { flags & EventFlags::EVENT_READ } else { EventFlags::empty() })
    }

    fn fpath(&mut self, id: usize, buf: &mut [u8], _ctx: &CallerCtx) -> Result<usize> {
        put(format!("/scheme/netcfg/{}", self.handle(id)?.path).as_bytes(), buf)
    }

    fn fstat(&mut self, id: usize, stat: &mut Stat, _ctx: &CallerCtx) -> Result<()> {
        let handle = self.handle(id)?;
        stat.st_mode = handle.node.mode();
        stat.st_nlink = 1;
        stat.st_size = handle.snapshot.len() as u64;
        Ok(())
    }

    fn ftruncate(&mut self, id: usize, _len: u64, _ctx: &CallerCtx) -> Result<()> {
        // What a shell's `>` does before it writes.
        self.handle(id).map(|_| ())
    }

    fn fsync(&mut self, id: usize, _ctx: &CallerCtx) -> Result<()> {
        self.commit(id)
    }

    fn dup(&mut self, _old_id: usize, _buf: &[u8], _ctx: &CallerCtx) -> Result<OpenResult> {
        Err(Error::new(EOPNOTSUPP))
    }

    fn getdents<'buf>(
        &mut self,
        id: usize,
        buf: DirentBuf<&'buf mut [u8]>,
        opaque_offset: u64,
    ) -> Result<DirentBuf<&'buf mut [u8]>> {
        let stack = self.stack.clone();
        let path = self.handle(id)?.path.clone();
        let Some(Node::Directory(names)) = tree::resolve(&path, &stack.borrow()) else {
            return Err(Error::new(ENOTDIR));
        };
        let entries = names.iter().map(|name| {
            let path = format!("{path}/{name}");
            match tree::resolve(path.trim_matches('/'), &stack.borrow()) {
                Some(Node::Directory(_)) => (name, DirentKind::Directory),
                _ => (name, DirentKind::Regular),
            }
        });
        directory::list(buf, opaque_offset, entries)
    }

    fn on_close(&mut self, id: usize) {
        // Nobody hears the error; what was wrong is in the log.
        let is_open = self.handles.get(id).is_some_and(|handle| !matches!(handle.state, Writing::Done));
        if is_open
            && let Err(error) = self.commit(id)
            && error.errno != EAGAIN
        {
            log::debug!("netcfg: a change was not made at close: {error}");
        }
        for asked in self.asked.iter_mut().filter(|asked| asked.handle == Some(id)) {
            asked.handle = None;
        }
        self.readers.remove(&id);
        if let Some(reader) = self.handles.try_remove(id).and_then(|handle| handle.reader) {
            reader.close(&mut self.stack.borrow_mut());
        }
    }
}

/// What can only be written can be opened for both, so that its writer may read why it was refused.
fn check_access(node: &Node, flags: usize, uid: u32) -> Result<()> {
    let reads = flags & O_ACCMODE & O_RDONLY != 0;
    let writes = flags & O_ACCMODE & O_WRONLY != 0;
    let others = if uid == 0 { 0o600 } else { 0o004 };
    let readable = node.mode() & others & 0o444 != 0;
    let writable = node.mode() & others & 0o200 != 0;
    match matches!(node, Node::Directory(_)) || if writes { writable } else { !reads || readable } {
        true => Ok(()),
        false => Err(Error::new(EACCES)),
    }
}
