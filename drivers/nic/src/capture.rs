//! Captures: copies of the frames that come and go, for those who look on.

use std::time::Instant;

use scheme::errno::{EAGAIN, EBADF, EBUSY};
use scheme::pcapng::{Direction, LinkType, Queue, Stream};
use scheme::{Error, Result};
use slab::Slab;

use crate::frame::{Form, Frame, VLAN_TAG};

/// Those at a time: each takes a copy of every frame.
const CAPTURES: usize = 8;

/// All captures of a device.
pub struct Captures {
    own: Slab<Capture>,
    /// Frames' times are counted from then.
    began: Instant,
    /// When that was, in microseconds after 1970-01-01.
    epoch: u64,
    /// Frames were recorded of which nobody was told.
    has_news: bool,
}

/// One reader's.
struct Capture {
    stream: Stream,
    queue: Queue,
}

impl Captures {
    /// None yet. The time `began` was `epoch` microseconds after 1970-01-01.
    pub fn new(began: Instant, epoch: u64) -> Self {
        Self { own: Slab::new(), began, epoch, has_news: false }
    }

    /// Begins one of every frame from now on, by the driver `application` of the interface `name`.
    ///
    /// # Errors
    /// `EBUSY` if there are as many as there may be.
    pub fn begin(&mut self, application: &str, name: &str) -> Result<usize> {
        if self.own.len() >= CAPTURES {
            return Err(Error::new(EBUSY));
        }
        let stream = Stream::new(application, name, LinkType::Ethernet);
        Ok(self.own.insert(Capture { stream, queue: Queue::default() }))
    }

    /// Ends one.
    pub fn end(&mut self, id: usize) {
        self.own.try_remove(id);
    }

    /// Shows all of them a frame, as it is on the wire.
    pub fn record(&mut self, direction: Direction, frame: &Frame, now: Instant) {
        if self.own.is_empty() {
            return;
        }
        let mut bytes = vec![0; frame.len() + VLAN_TAG];
        let length = frame.read(&mut bytes, Form::Plain);
        bytes.truncate(length);
        let at = self.micros(now);
        for (_, capture) in &mut self.own {
            capture.queue.push(direction, at, &bytes);
        }
        self.has_news = true;
    }

    /// Reads what there is for the reader of one.
    ///
    /// # Errors
    /// `EAGAIN` if there is nothing.
    pub fn read(&mut self, id: usize, buffer: &mut [u8], now: Instant) -> Result<usize> {
        let now = self.micros(now);
        let capture = self.own.get_mut(id).ok_or(Error::new(EBADF))?;
        capture.stream.fill(&mut capture.queue, buffer.len(), self.epoch, now);
        match capture.stream.read(buffer) {
            0 if !buffer.is_empty() => Err(Error::new(EAGAIN)),
            count => Ok(count),
        }
    }

    /// There is something to read for the reader of one.
    pub fn is_ready(&self, id: usize) -> bool {
        self.own.get(id).is_some_and(|own| own.stream.has_rest() || !own.queue.is_empty())
    }

    /// Whether frames were recorded since this was last asked.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Microseconds since the beginning.
    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }
}
