//! A small scheme to test with: a message board whose readers wait, a text, and a few odd things.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use redox_scheme::Id;
use scheme::errno::{EACCES, EAGAIN, EAGAIN_NOW, EAGAIN_READ, EBADF, EINVAL, ENOENT, ENOTDIR};
use scheme::flag::{F_SETFL, MODE_DIR, MODE_FILE, O_ACCMODE, O_CREAT, O_DIRECTORY, O_STAT, O_TRUNC};
use scheme::{
    CallerCtx, DirentBuf, DirentKind, Error, EventFlags, NewFdFlags, Notifier, OpenResult, Result,
    SchemeSync, Stat, directory, text,
};

/// What can be opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// The directory of all.
    Root,
    /// `rooms`, a directory.
    Rooms,
    /// `board`: a message written is read once by everyone who has it open.
    Board,
    /// `rooms/note`: a text that is read and written in place.
    Note,
    /// `secret`: for uid 0 only.
    Secret,
    /// `gate` and `new gate`: opened once the gate is, until when an open waits. The new one is not found by
    /// a lookup.
    Gate,
    /// Any path that begins with a slash.
    Slash(String),
}

/// One open handle.
#[derive(Debug)]
pub struct Handle {
    pub node: Node,
    pub messages: VecDeque<Vec<u8>>,
    pub status: usize,
}

/// The scheme.
pub struct Toy {
    pub notifier: Notifier,
    pub handles: BTreeMap<usize, Handle>,
    pub note: Vec<u8>,
    pub gate_is_open: bool,
    /// How often somebody tried the gate, and who waits there.
    pub tries: usize,
    pub waiting: Vec<Id>,
    /// The newest handle's number.
    pub last: usize,
}

/// A message that its writer can only leave once somebody else has left another.
pub const WAITING_WRITE: &[u8] = b"after you";

const NAMES: [(&str, DirentKind); 3] =
    [("board", DirentKind::Regular), ("rooms", DirentKind::Directory), ("secret", DirentKind::Regular)];

impl Toy {
    pub fn new(notifier: Notifier) -> Self {
        Self {
            notifier,
            handles: BTreeMap::new(),
            note: b"hello\n".to_vec(),
            gate_is_open: false,
            tries: 0,
            waiting: Vec::new(),
            last: 0,
        }
    }

    fn add(&mut self, node: Node, status: usize) -> Result<OpenResult> {
        let flags = if node == Node::Note { NewFdFlags::POSITIONED } else { NewFdFlags::empty() };
        self.last += 1;
        self.handles.insert(self.last, Handle { node, messages: VecDeque::new(), status });
        Ok(OpenResult::ThisScheme { number: self.last, flags })
    }

    fn handle(&mut self, id: usize) -> Result<&mut Handle> {
        self.handles.get_mut(&id).ok_or(Error::new(EBADF))
    }

    fn pass_gate(&mut self, ctx: &CallerCtx) -> Result<()> {
        self.tries += 1;
        if self.gate_is_open {
            return Ok(());
        }
        self.waiting.push(ctx.id);
        Err(Error::new(EAGAIN))
    }

    /// How many handles are open beside the root.
    pub fn open_handles(&self) -> usize {
        self.handles.len() - 1
    }
}

impl SchemeSync for Toy {
    fn scheme_root(&mut self) -> Result<usize> {
        match self.add(Node::Root, 0)? {
            OpenResult::ThisScheme { number, .. } => Ok(number),
            _ => Err(Error::new(EINVAL)),
        }
    }

    fn openat(
        &mut self,
        _: usize,
        path: &str,
        flags: usize,
        status: u32,
        ctx: &CallerCtx,
    ) -> Result<OpenResult> {
        if path.ends_with("gate") && flags & O_STAT == 0 {
            self.pass_gate(ctx)?;
        }
        let node = match path {
            "" => Node::Root,
            "rooms" => Node::Rooms,
            "board" => Node::Board,
            "rooms/note" => Node::Note,
            "gate" => Node::Gate,
            "new gate" if flags & O_CREAT != 0 => Node::Gate,
            "secret" if ctx.uid == 0 => Node::Secret,
            "secret" => return Err(Error::new(EACCES)),
            path if path.starts_with('/') => Node::Slash(path.to_owned()),
            _ => return Err(Error::new(ENOENT)),
        };
        if flags & O_DIRECTORY != 0 && !matches!(node, Node::Root | Node::Rooms) {
            return Err(Error::new(ENOTDIR));
        }
        if flags & O_TRUNC != 0 && node == Node::Note {
            self.note.clear();
        }
        let known = O_ACCMODE | O_CREAT | O_TRUNC | O_DIRECTORY | O_STAT | status as usize;
        assert_eq!(flags & !known & !scheme::flag::O_EXCL & !scheme::flag::O_NOFOLLOW, 0, "{flags:#x}");
        self.add(node, status as usize)
    }

    /// `timeout` limits the reads of the board to 100 ms; `wait` waits for a message; anything else is
    /// another handle of the same node.
    fn dup(&mut self, id: usize, path: &[u8], _: &CallerCtx) -> Result<OpenResult> {
        let handle = self.handle(id)?;
        let node = handle.node.clone();
        if path == b"wait" {
            handle.messages.pop_front().ok_or(Error::new(EAGAIN))?;
        }
        if path == b"timeout" {
            self.notifier.set_timeout(id, EventFlags::EVENT_READ, Some(Duration::from_millis(100)));
        }
        self.add(node, 0)
    }

    fn read(&mut self, id: usize, buf: &mut [u8], offset: u64, _: u32, _: &CallerCtx) -> Result<usize> {
        if self.handle(id)?.node == Node::Note {
            return text::read_at(&self.note, buf, offset);
        }
        assert_eq!(offset, u64::MAX, "the board has no offsets");
        let message = self.handle(id)?.messages.pop_front().ok_or(Error::new(EAGAIN))?;
        let length = message.len().min(buf.len());
        buf[..length].copy_from_slice(&message[..length]);
        Ok(length)
    }

    fn write(&mut self, id: usize, buf: &[u8], _: u64, _: u32, _: &CallerCtx) -> Result<usize> {
        let handle = self.handle(id)?;
        if buf == WAITING_WRITE && handle.messages.is_empty() {
            return Err(Error::new(EAGAIN));
        }
        match handle.node {
            Node::Note => self.note = buf.to_vec(),
            Node::Board => {
                for (&id, handle) in self.handles.iter_mut().filter(|(_, handle)| handle.node == Node::Board)
                {
                    handle.messages.push_back(buf.to_vec());
                    self.notifier.post(id, EventFlags::EVENT_READ | EventFlags::EVENT_WRITE);
                }
            }
            _ => return Err(Error::new(EINVAL)),
        }
        Ok(buf.len())
    }

    /// Metadata 1 waits for a message, 2 must not wait; otherwise the payload comes back reversed, with the
    /// sum of the metadata as the result.
    fn call(&mut self, id: usize, payload: &mut [u8], metadata: &[u64], _: &CallerCtx) -> Result<usize> {
        let empty = self.handle(id)?.messages.is_empty();
        match metadata {
            [1] if empty => Err(Error::new(EAGAIN_READ)),
            [2] if empty => Err(Error::new(EAGAIN_NOW)),
            _ => {
                payload.reverse();
                Ok(metadata.iter().sum::<u64>() as usize)
            }
        }
    }

    fn fcntl(&mut self, id: usize, cmd: usize, arg: usize, _: &CallerCtx) -> Result<usize> {
        let handle = self.handle(id)?;
        if cmd == F_SETFL {
            handle.status = arg;
        }
        Ok(0)
    }

    fn fevent(&mut self, id: usize, flags: EventFlags, _: &CallerCtx) -> Result<EventFlags> {
        let mut ready = EventFlags::EVENT_WRITE;
        ready.set(EventFlags::EVENT_READ, !self.handle(id)?.messages.is_empty());
        Ok(ready & flags)
    }

    fn fpath(&mut self, id: usize, buf: &mut [u8], _: &CallerCtx) -> Result<usize> {
        let path = format!("/scheme/toy/{:?}", self.handle(id)?.node);
        text::read_at(path.as_bytes(), buf, 0)
    }

    fn fstat(&mut self, id: usize, stat: &mut Stat, _: &CallerCtx) -> Result<()> {
        let note = self.note.len() as u64;
        *stat = match self.handle(id)?.node {
            Node::Root | Node::Rooms => Stat { st_mode: MODE_DIR | 0o755, ..Stat::default() },
            Node::Note => Stat { st_mode: MODE_FILE | 0o644, st_size: note, ..Stat::default() },
            _ => Stat { st_mode: MODE_FILE | 0o600, ..Stat::default() },
        };
        Ok(())
    }

    fn ftruncate(&mut self, id: usize, len: u64, _: &CallerCtx) -> Result<()> {
        self.handle(id)?;
        self.note.truncate(len as usize);
        Ok(())
    }

    fn getdents<'buf>(
        &mut self,
        id: usize,
        buf: DirentBuf<&'buf mut [u8]>,
        offset: u64,
    ) -> Result<DirentBuf<&'buf mut [u8]>> {
        match self.handle(id)?.node {
            Node::Root => directory::list(buf, offset, NAMES.into_iter()),
            Node::Rooms => directory::list(buf, offset, [("note", DirentKind::Regular)].into_iter()),
            _ => Err(Error::new(ENOTDIR)),
        }
    }

    fn on_close(&mut self, id: usize) {
        assert!(self.handles.remove(&id).is_some(), "handle {id} is closed twice");
    }
}
