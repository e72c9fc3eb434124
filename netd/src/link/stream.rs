//! The frames of a driver that hands out pipes: many pass by one system call, and nobody waits for the driver.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::time::Instant;

use scheme::Interest;
use scheme::vnet::{self, Form, Header};

use super::form;
use super::worker::FRAME;
use super::{Events, PATIENCE};
use crate::stack::packet::Packet;

/// Bytes of the length (little-endian) before each frame.
const LENGTH: usize = size_of::<u16>();
/// Bytes that are read at a time: all that a pipe holds.
const PIECE: usize = 64 * 1024;
/// Frames are collected up to about so many bytes before they are written.
const BATCH: usize = 32 * 1024;

/// The driver's `receive` and `transmit`, as the worker has opened them.
#[derive(Debug)]
pub struct Pipes {
    /// Received frames come from here.
    pub receive: File,
    /// Frames to be sent go here.
    pub transmit: File,
    /// How frames stand in both.
    pub form: Form,
}

/// Both directions, as the event loop moves them.
pub struct Stream {
    pipes: Pipes,
    /// The driver may have written something.
    readable: bool,
    incoming: Vec<u8>,
    /// The bytes in `incoming` that have come and are not done with.
    rest: Range<usize>,
    outgoing: Vec<u8>,
    /// How much of `outgoing` the driver has.
    written: usize,
    /// Since when the pipe to the driver is full, while its link is up.
    refusing: Option<Instant>,
    /// That pipe's events are waited for.
    watched: bool,
}

impl Stream {
    /// Waits for the events of `pipes`, which do not block.
    pub fn new(pipes: Pipes, events: &mut Events<'_>) -> Result<Self, String> {
        events.watch(pipes.receive.as_raw_fd(), Interest::Read).map_err(|error| unwatchable(&error))?;
        Ok(Self {
            pipes,
            readable: true,
            incoming: vec![0; PIECE + vnet::SIZE + FRAME],
            rest: 0..0,
            outgoing: Vec::new(),
            written: 0,
            refusing: None,
            watched: false,
        })
    }

    /// There was an event.
    pub fn wake(&mut self) {
        self.readable = true;
    }

    /// Gives `take` the frames that have come, as many as one read brings. Whether there may be more.
    pub fn receive(&mut self, mut take: impl FnMut(Header, &[u8])) -> Result<bool, String> {
        if !self.readable {
            return Ok(false);
        }
        let room = self.incoming.get_mut(self.rest.end..).unwrap_or_default();
        let room_size = room.len();
        match self.pipes.receive.read(room) {
            Ok(0) => return Err("its frames have ended".to_owned()),
            Ok(count) => {
                self.rest.end += count;
                // What comes after a short read has an event of its own.
                self.readable = count == room_size;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) => return Err(format!("cannot read its frames: {error}")),
        }
        while let Some((length, frame)) = next_frame(&self.incoming, &self.rest) {
            if length > self.pipes.form.header() + FRAME {
                return Err(format!("it says that a frame has {length} bytes"));
            }
            let Some(frame) = frame else { break };
            let (said, frame) = form::open(self.pipes.form, frame).ok_or("it gives what is no frame")?;
            take(said, frame);
            self.rest.start += LENGTH + length;
        }
        self.incoming.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        Ok(self.readable)
    }

    /// Gives the driver the frames that `next` has, as many as its pipe takes; it may rightly take none while its
    /// link is not up.
    pub fn send(
        &mut self,
        mut next: impl FnMut() -> Option<Packet>,
        is_up: bool,
        now: Instant,
    ) -> Result<(), String> {
        loop {
            if self.written == self.outgoing.len() {
                self.outgoing.clear();
                self.written = 0;
                while self.outgoing.len() < BATCH
                    && let Some(frame) = next()
                {
                    // What is longer than a length can tell no MTU allows.
                    let form = self.pipes.form;
                    if !form::suits(form, &frame) {
                        continue;
                    }
                    let Ok(length) = u16::try_from(form::length(form, &frame)) else { continue };
                    self.outgoing.extend(length.to_le_bytes());
                    form::append(form, frame, &mut self.outgoing);
                }
                if self.outgoing.is_empty() {
                    return Ok(());
                }
            }
            match self.pipes.transmit.write(self.outgoing.get(self.written..).unwrap_or_default()) {
                Ok(count) => {
                    self.written += count;
                    self.refusing = None;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.refused(is_up, now),
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(format!("cannot write frames: {error}")),
            }
        }
    }

    fn refused(&mut self, is_up: bool, now: Instant) -> Result<(), String> {
        let since = *self.refusing.get_or_insert(now);
        if !is_up {
            self.refusing = Some(now);
        } else if now.saturating_duration_since(since) >= PATIENCE {
            return Err("it takes no frames".to_owned());
        }
        Ok(())
    }

    /// When the driver has taken no frames for too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.refusing.map(|since| since + PATIENCE)
    }

    /// Waits for room in the pipe to the driver, while there is none.
    pub fn watch(&mut self, events: &mut Events<'_>) -> Result<(), String> {
        let wanted = self.refusing.is_some();
        if wanted != self.watched {
            let fd = self.pipes.transmit.as_raw_fd();
            let changed = match wanted {
                true => events.watch(fd, Interest::ReadWrite),
                false => events.forget(fd),
            };
            changed.map_err(|error| unwatchable(&error))?;
            self.watched = wanted;
        }
        Ok(())
    }

    /// Waits for nothing any more.
    pub fn end(self, events: &mut Events<'_>) {
        let fds =
            [Some(self.pipes.receive.as_raw_fd()), self.watched.then(|| self.pipes.transmit.as_raw_fd())];
        for fd in fds.into_iter().flatten() {
            if let Err(error) = events.forget(fd) {
                log::debug!("a driver's pipe is still waited for: {error}");
            }
        }
    }
}

fn unwatchable(error: &std::io::Error) -> String {
    format!("cannot wait for its frames: {error}")
}

/// The length of the first frame of what has come, and the frame, as far as they are there.
fn next_frame<'a>(buffer: &'a [u8], come: &Range<usize>) -> Option<(usize, Option<&'a [u8]>)> {
    let (length, rest) = buffer.get(come.clone())?.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes(*length));
    Some((length, rest.get(..length)))
}
