//! Answers requests: the network scheme.

mod delivery;

use std::time::Instant;

use scheme::errno::{EACCES, EAGAIN, EBADF, EINVAL, EISDIR, ENOENT, ENOTDIR, EOPNOTSUPP};
use scheme::flag::{O_ACCMODE, O_DIRECTORY, O_RDONLY, O_STAT, O_WRONLY};
use scheme::{Error, EventFlags, Notifier, Result};
use slab::Slab;

use crate::attributes;
use crate::driver::Link;
use crate::memory::TAP_BUFFERS;
use crate::node::Node;
use crate::outgoing;
use crate::port::SharedPort;
use crate::rate_limit::RateLimit;
use crate::streams::Streams;
use crate::taps::{Lost, Taps};

/// One device as a directory of files, for root.
///
/// The handles and what each needs stand here; frames wait in [`Taps`]. The device itself is on the other side
/// of the port.
pub struct NetworkScheme {
    pub(crate) name: String,
    pub(crate) port: SharedPort,
    notifier: Notifier,
    handles: Slab<Handle>,
    pub(crate) taps: Taps,
    pub(crate) streams: Streams,
    /// Some handle waits for room to send.
    room_wanted: bool,
    /// The link and the report that pollers have been told of.
    told_link: Link,
    told_report: u64,
    /// How many self tests they have been told of.
    told_tests: u64,
    /// When a frame was last read.
    pub(crate) last_read: Instant,
    losses: RateLimit,
    pub(crate) refusals: RateLimit,
}

pub(crate) struct Handle {
    pub(crate) node: Node,
    /// As opened, with the changes of `F_SETFL`.
    pub(crate) flags: usize,
    content: Content,
}

impl Handle {
    /// It is for frames, not for text.
    pub(crate) fn is_for_frames(&self) -> bool {
        matches!(self.content, Content::Frames { .. })
    }

    /// What is read of it goes on where the last read ended.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.content, Content::Frames { .. } | Content::Capture(_))
    }

    /// It can be listed.
    pub(crate) fn is_directory(&self) -> bool {
        self.node == Node::Root && matches!(self.content, Content::Nothing)
    }

    /// It can be written.
    pub(crate) fn is_writable(&self) -> bool {
        is_for_writing(self.flags)
    }
}

enum Content {
    /// Only looked at (`O_STAT`), or a directory.
    Nothing,
    /// Frames. `tap` is where a reader's frames wait; `wants_room` if a write did not fit.
    Frames { tap: Option<usize>, wants_room: bool },
    /// Bytes that are made when they are read from their beginning.
    Attribute(Attribute),
    /// How many frames a tap has lost.
    Lost(Lost),
    /// Frames both ways.
    Capture(usize),
}

#[derive(Default)]
struct Attribute {
    bytes: Vec<u8>,
    /// The report that the next read from the beginning waits for.
    report: Option<u64>,
    /// The link that this handle has read.
    seen_link: Option<Link>,
}

/// Refusals that are logged in a second.
const REFUSALS: u32 = 10;

impl NetworkScheme {
    /// The scheme `name` for the device behind `port`. `notifier` is its server's.
    pub fn new(name: String, port: SharedPort, notifier: Notifier) -> Self {
        let (told_link, last_read) = {
            let port = port.borrow();
            (port.link, port.now)
        };
        Self {
            name,
            port,
            notifier,
            handles: Slab::new(),
            taps: Taps::new(TAP_BUFFERS.into()),
            streams: Streams::default(),
            room_wanted: false,
            told_link,
            told_report: 0,
            told_tests: 0,
            last_read,
            losses: RateLimit::new(1),
            refusals: RateLimit::new(REFUSALS),
        }
    }

    /// The handle of the root directory.
    pub fn root(&mut self) -> usize {
        self.insert(Node::Root, 0, Content::Nothing)
    }

    /// Opens `path`, below the root's handle `at`, for user `uid`.
    pub fn open(&mut self, at: usize, path: &str, flags: usize, uid: u32) -> Result<usize> {
        let node = self.node_at(at, path, uid)?;
        let for_writing = is_for_writing(flags);
        let content = match node {
            _ if flags & O_STAT != 0 => Content::Nothing,
            Node::Root if flags & O_DIRECTORY != 0 || !for_writing => Content::Nothing,
            _ if flags & O_DIRECTORY != 0 => return Err(Error::new(ENOTDIR)),
            Node::Root | Node::Frame | Node::Vnet => self.open_frames(flags),
            node if node.is_pipe() => return Err(Error::new(EOPNOTSUPP)),
            _ if !self.supports(node) => return Err(Error::new(EOPNOTSUPP)),
            _ if for_writing && !node.is_writable() => return Err(Error::new(EACCES)),
            Node::Capture => self.open_capture()?,
            _ => Content::Attribute(Attribute::default()),
        };
        Ok(self.insert(node, flags, content))
    }

    /// The node `path` below the root's handle `at`, which user `uid` may open.
    pub(crate) fn node_at(&self, at: usize, path: &str, uid: u32) -> Result<Node> {
        if self.handle(at)?.node != Node::Root {
            return Err(Error::new(ENOTDIR));
        }
        if uid != 0 {
            return Err(Error::new(EACCES));
        }
        Node::named(path.trim_matches('/')).ok_or(Error::new(ENOENT))
    }

    /// A handle that tells how many frames the reader `id` has lost.
    pub fn open_lost(&mut self, id: usize) -> Result<usize> {
        let handle = self.handle(id)?;
        let Content::Frames { tap: Some(tap), .. } = &handle.content else {
            return Err(Error::new(EINVAL));
        };
        let lost = self.taps.lost(*tap).ok_or(Error::new(EBADF))?;
        Ok(self.insert(handle.node, O_RDONLY, Content::Lost(lost)))
    }

    /// Closes handle `id`.
    pub fn close(&mut self, id: usize) {
        let Some(handle) = self.handles.try_remove(id) else { return };
        let mut port = self.port.borrow_mut();
        match handle.content {
            Content::Frames { tap, .. } => {
                port.users -= 1;
                if let Some(tap) = tap {
                    self.taps.close(tap);
                }
            }
            Content::Capture(capture) => port.captures.end(capture),
            Content::Nothing | Content::Attribute(_) | Content::Lost(_) => (),
        }
    }

    /// The next frame, or the part of an attribute that begins at `offset`.
    pub fn read(&mut self, id: usize, buf: &mut [u8], offset: u64) -> Result<usize> {
        let handle = self.handle(id)?;
        if !is_for_reading(handle.flags) {
            return Err(Error::new(EBADF));
        }
        match &handle.content {
            Content::Nothing if handle.node == Node::Root => Err(Error::new(EISDIR)),
            Content::Nothing => Err(Error::new(EBADF)),
            Content::Frames { tap, .. } => {
                let (tap, form) = (tap.ok_or(Error::new(EBADF))?, handle.node.form());
                let count = self.taps.read(tap, buf, form).ok_or(Error::new(EAGAIN))?;
                self.follow_reader();
                Ok(count)
            }
            Content::Attribute(_) => self.read_attribute(id, buf, offset),
            Content::Lost(lost) => scheme::text::read_at(format!("{}\n", lost.get()).as_bytes(), buf, offset),
            Content::Capture(capture) => {
                let mut port = self.port.borrow_mut();
                let now = port.now;
                port.captures.read(*capture, buf, now)
            }
        }
    }

    /// Sends a frame, or changes an attribute.
    pub fn write(&mut self, id: usize, bytes: &[u8]) -> Result<usize> {
        let handle = self.handle(id)?;
        if !is_for_writing(handle.flags) {
            return Err(Error::new(EBADF));
        }
        match handle.content {
            Content::Frames { .. } => self.send(id, handle.node, bytes),
            Content::Attribute(_) => self.write_attribute(handle.node, bytes),
            Content::Nothing | Content::Lost(_) | Content::Capture(_) => Err(Error::new(EBADF)),
        }
    }

    /// What handle `id` is ready for, out of `wanted`.
    pub fn ready(&mut self, id: usize, wanted: EventFlags) -> Result<EventFlags> {
        let handle = self.handle(id)?;
        let is_frames = handle.is_for_frames();
        let mut ready = EventFlags::empty();
        if is_for_reading(handle.flags) && self.is_readable(handle) {
            ready |= EventFlags::EVENT_READ;
        }
        if is_for_writing(handle.flags) {
            if !is_frames || self.has_room() {
                ready |= EventFlags::EVENT_WRITE;
            } else if wanted.contains(EventFlags::EVENT_WRITE) {
                self.want_room(id);
            }
        }
        Ok(ready & wanted)
    }

    /// A frame was read.
    fn follow_reader(&mut self) {
        let mut port = self.port.borrow_mut();
        self.last_read = port.now;
        port.reading = self.taps.are_all_behind().then_some(port.now);
    }

    pub(crate) fn has_room(&self) -> bool {
        self.port.borrow().pools.transmit.is_half_free()
    }

    pub(crate) fn handle(&self, id: usize) -> Result<&Handle> {
        self.handles.get(id).ok_or(Error::new(EBADF))
    }

    pub(crate) fn handle_mut(&mut self, id: usize) -> Result<&mut Handle> {
        self.handles.get_mut(id).ok_or(Error::new(EBADF))
    }

    fn insert(&mut self, node: Node, flags: usize, content: Content) -> usize {
        self.handles.insert(Handle { node, flags, content })
    }

    fn open_frames(&mut self, flags: usize) -> Content {
        let tap = is_for_reading(flags).then(|| self.taps.open());
        self.port.borrow_mut().users += 1;
        Content::Frames { tap, wants_room: false }
    }

    fn open_capture(&mut self) -> Result<Content> {
        let mut port = self.port.borrow_mut();
        let model = port.info.model;
        port.captures.begin(model, &self.name).map(Content::Capture)
    }

    fn send(&mut self, id: usize, node: Node, bytes: &[u8]) -> Result<usize> {
        let sent = outgoing::queue(&self.port, &mut self.refusals, bytes, node.form());
        if sent.is_err_and(|error| error.errno == EAGAIN) {
            self.want_room(id);
        }
        sent
    }

    fn want_room(&mut self, id: usize) {
        if let Some(Handle { content: Content::Frames { wants_room, .. }, .. }) = self.handles.get_mut(id) {
            *wants_room = true;
            self.room_wanted = true;
        }
    }

    fn read_attribute(&mut self, id: usize, buf: &mut [u8], offset: u64) -> Result<usize> {
        let Some(Handle { node, content: Content::Attribute(attribute), .. }) = self.handles.get_mut(id)
        else {
            return Err(Error::new(EBADF));
        };
        if offset == 0 {
            let mut port = self.port.borrow_mut();
            if node.needs_report() {
                if attribute.report.is_none() {
                    port.requests.eeprom |= *node == Node::Eeprom;
                    port.requests.registers |= *node == Node::Registers;
                }
                let wanted = *attribute.report.get_or_insert_with(|| port.request_report());
                if port.report_made < wanted {
                    return Err(Error::new(EAGAIN));
                }
                attribute.report = None;
            }
            if *node == Node::SelfTest && port.requests.self_test {
                return Err(Error::new(EAGAIN));
            }
            attribute.seen_link = Some(port.link);
            attribute.bytes = node.render(&port);
        }
        scheme::text::read_at(&attribute.bytes, buf, offset)
    }

    fn write_attribute(&mut self, node: Node, written: &[u8]) -> Result<usize> {
        let mut port = self.port.borrow_mut();
        let now = port.now;
        let outcome = match node.is_request() {
            true => port.requests.write(node, written, now),
            false => attributes::changed(&port, node, written).map(|settings| port.change(settings)),
        };
        match outcome {
            Ok(()) => Ok(written.len()),
            Err(reason) => {
                let name = node.name();
                self.refusals.warn(port.now, || format!("`{name}` keeps its value: {reason}"));
                Err(Error::new(reason.errno()))
            }
        }
    }

    /// The device has something for the node.
    fn supports(&self, node: Node) -> bool {
        self.port.borrow().info.facilities.supports(node) != Some(false)
    }

    fn is_readable(&self, handle: &Handle) -> bool {
        match &handle.content {
            Content::Nothing => false,
            Content::Frames { tap, .. } => tap.is_some_and(|tap| self.taps.is_ready(tap)),
            Content::Attribute(attribute) => {
                let port = self.port.borrow();
                match handle.node {
                    Node::SelfTest => !port.requests.self_test,
                    Node::Link => attribute.seen_link != Some(port.link),
                    _ => attribute.report.is_none_or(|report| port.report_made >= report),
                }
            }
            Content::Lost(_) => true,
            Content::Capture(capture) => self.port.borrow().captures.is_ready(*capture),
        }
    }
}

fn is_for_reading(flags: usize) -> bool {
    // Neither bit is what plain `open` without an access mode gives.
    flags & O_ACCMODE & O_RDONLY != 0 || flags & O_ACCMODE == 0
}

pub(crate) fn is_for_writing(flags: usize) -> bool {
    flags & O_ACCMODE & O_WRONLY != 0
}
