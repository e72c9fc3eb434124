//! Files without an end: a read gives what there is, or waits.

use config::filter::Filter;
use scheme::errno::{EAGAIN, EBUSY, EINVAL, ENOENT, ENOSPC};
use scheme::{Error, Result, pcapng};

use super::events::{Cursor, Events};
use crate::stack::capture::{self, CaptureId};
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// The longest filter, in bytes.
const LONGEST_FILTER: usize = 1024;

/// Such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `events`.
    Events,
    /// `ifaces/<if>/pcap`.
    Capture(InterfaceId),
}

/// One who reads it.
pub enum Reader {
    /// Of `events`.
    Events(Cursor),
    /// Of `pcap`.
    Capture(CaptureReader),
}

/// What all readers share.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The last changes.
    pub events: &'a Events,
    /// When the stack's time was 0: microseconds after 1970-01-01.
    pub epoch: u64,
}

impl Stream {
    /// Its permission bits. Who sees others' packets is root.
    pub fn mode(self) -> u16 {
        match self {
            Self::Events => 0o444,
            Self::Capture(_) => 0o600,
        }
    }

    /// Begins to read it.
    pub fn open(self, stack: &mut Stack, events: &Events) -> Result<Reader> {
        match self {
            Self::Events => Ok(Reader::Events(events.cursor())),
            Self::Capture(interface) => CaptureReader::begin(interface, stack).map(Reader::Capture),
        }
    }
}

impl Reader {
    /// Whether a read would not wait.
    pub fn is_ready(&self, stack: &Stack, events: &Events) -> bool {
        match self {
            Self::Events(cursor) => events.has_news(cursor),
            Self::Capture(reader) => reader.is_ready(stack),
        }
    }

    /// Reads what there is.
    pub fn read(&mut self, buffer: &mut [u8], stack: &mut Stack, sources: Sources<'_>) -> Result<usize> {
        match self {
            Self::Events(cursor) => match sources.events.read(cursor, buffer) {
                0 if !buffer.is_empty() => Err(Error::new(EAGAIN)),
                count => Ok(count),
            },
            Self::Capture(reader) => reader.read(buffer, stack, sources.epoch),
        }
    }

    /// Writes a capture's filter.
    pub fn write(&mut self, text: &[u8], stack: &mut Stack) -> Result<usize> {
        match self {
            Self::Events(_) => Err(Error::new(EINVAL)),
            Self::Capture(reader) => reader.write(text, stack),
        }
    }

    /// Nobody reads any more.
    pub fn close(self, stack: &mut Stack) {
        if let Self::Capture(reader) = self
            && let Some(interface) = stack.network.interface_mut(reader.interface)
        {
            interface.captures.end(reader.id);
        }
    }
}

/// One who reads an interface's packets.
pub struct CaptureReader {
    interface: InterfaceId,
    id: CaptureId,
    stream: pcapng::Stream,
    /// A filter's beginning.
    line: Vec<u8>,
}

impl CaptureReader {
    fn begin(id: InterfaceId, stack: &mut Stack) -> Result<Self> {
        let interface = stack.network.interface_mut(id).ok_or(Error::new(ENOENT))?;
        let capture = interface.captures.begin().ok_or(Error::new(EBUSY))?;
        let stream = pcapng::Stream::new("netd", interface.name(), link_type(interface));
        Ok(Self { interface: id, id: capture, stream, line: Vec::new() })
    }

    fn is_ready(&self, stack: &Stack) -> bool {
        let interface = stack.network.interface(self.interface);
        let capture = interface.and_then(|interface| interface.captures.get(self.id));
        self.stream.has_rest() || capture.is_none_or(|capture| !capture.queue.is_empty())
    }

    /// 0 when the interface is no more.
    fn read(&mut self, buffer: &mut [u8], stack: &mut Stack, epoch: u64) -> Result<usize> {
        let now = capture::micros(stack.network.now);
        let interface = stack.network.interface_mut(self.interface);
        let capture = interface.and_then(|interface| interface.captures.get_mut(self.id));
        let is_gone = capture.is_none();
        if let Some(capture) = capture {
            self.stream.fill(&mut capture.queue, buffer.len(), epoch, now);
        }
        match self.stream.read(buffer) {
            0 if !is_gone && !buffer.is_empty() => Err(Error::new(EAGAIN)),
            count => Ok(count),
        }
    }

    fn write(&mut self, text: &[u8], stack: &mut Stack) -> Result<usize> {
        if self.line.len() + text.len() > LONGEST_FILTER {
            return Err(Error::new(ENOSPC));
        }
        self.line.extend(text);
        if !self.line.ends_with(b"\n") {
            return Ok(text.len());
        }
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let filter: Filter = line.parse().map_err(|error| {
            log::warn!("netcfg: a capture's filter is wrong: {error}");
            Error::new(EINVAL)
        })?;
        let interface = stack.network.interface_mut(self.interface);
        if let Some(capture) = interface.and_then(|interface| interface.captures.get_mut(self.id)) {
            capture.set_filter(filter);
        }
        Ok(text.len())
    }
}

fn link_type(interface: &Interface) -> pcapng::LinkType {
    match interface.is_loopback() {
        true => pcapng::LinkType::Raw,
        false => pcapng::LinkType::Ethernet,
    }
}
