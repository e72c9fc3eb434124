//! Frames one after another through a pipe: each behind its length (2 bytes, little-endian). Many pass by one system
//! call, and whoever reads or writes does not wait for the other.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};

use scheme::errno::EAGAIN;

use crate::frame::Form;
use crate::taps::Taps;

/// Bytes of a length.
const LENGTH: usize = size_of::<u16>();

/// The longest frame that a length tells, with it.
const LONGEST: usize = LENGTH + u16::MAX as usize;

/// A sender's frames are read by so many system calls before it is another one's turn.
const READS: usize = 4;

/// Received frames are written in pieces of about this many bytes.
const PIECE: usize = 32 * 1024;

/// The writing end of a pipe, by which a reader gets received frames.
pub struct Receiver {
    pipe: File,
    /// Where its frames wait.
    pub tap: usize,
    form: Form,
    /// Bytes that the pipe has not taken yet, from `written` on.
    pending: Vec<u8>,
    written: usize,
}

/// The reading end of a pipe, by which frames come that are to be sent.
pub struct Sender {
    pipe: File,
    form: Form,
    buffer: Vec<u8>,
    /// The bytes in it that have come and are not done with.
    rest: Range<usize>,
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is no more to do.
    Idle,
    /// There may be more to do, after others had their turn.
    More,
    /// The other side must go on first: the pipe's reader, or the device.
    Blocked,
    /// The pipe's other end is closed.
    Ended,
}

impl Receiver {
    /// Writes the frames of `tap` in this form into `pipe`, which does not wait.
    pub fn new(pipe: File, tap: usize, form: Form) -> Self {
        Self { pipe, tap, form, pending: Vec::new(), written: 0 }
    }

    /// Writes what waits in `taps`, as much as the pipe takes.
    pub fn write(&mut self, taps: &mut Taps) -> Progress {
        loop {
            if self.written == self.pending.len() {
                self.fill(taps);
                if self.pending.is_empty() {
                    return Progress::Idle;
                }
            }
            match self.pipe.write(self.pending.get(self.written..).unwrap_or_default()) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Blocked,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Progress::Ended,
            }
        }
    }

    /// Whether the pipe's reader is gone, as far as that shows while there is nothing to write.
    pub fn is_closed(&mut self) -> bool {
        self.pipe.write(&[]).is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }

    fn fill(&mut self, taps: &mut Taps) {
        self.pending.clear();
        self.written = 0;
        while self.pending.len() < PIECE
            && let Some(length) = taps.next_length(self.tap, self.form)
        {
            let begin = self.pending.len();
            let length = length.min(u16::MAX.into());
            self.pending.extend((length as u16).to_le_bytes());
            self.pending.resize(begin + LENGTH + length, 0);
            let room = self.pending.get_mut(begin + LENGTH..).unwrap_or_default();
            taps.read(self.tap, room, self.form);
        }
    }
}

impl Sender {
    /// Reads frames in this form from `pipe`, which does not wait.
    pub fn new(pipe: File, form: Form) -> Self {
        Self { pipe, form, buffer: vec![0; LONGEST], rest: 0..0 }
    }

    /// Gives `send` each frame that has come, until it answers `EAGAIN`, upon which the frame is kept. What else it
    /// thinks of a frame is its own business.
    pub fn read(&mut self, mut send: impl FnMut(&[u8], Form) -> scheme::Result<usize>) -> Progress {
        for _ in 0..READS {
            while let Some(frame) = next_frame(&self.buffer, &self.rest) {
                if send(frame, self.form).is_err_and(|error| error.errno == EAGAIN) {
                    return Progress::Blocked;
                }
                self.rest.start += LENGTH + frame.len();
            }
            // What begins here and is not whole moves to the front, behind which there is room for all of it.
            self.buffer.copy_within(self.rest.clone(), 0);
            self.rest = 0..self.rest.len();
            let room = self.buffer.get_mut(self.rest.end..).unwrap_or_default();
            match self.pipe.read(room) {
                Ok(0) => return Progress::Ended,
                Ok(count) => self.rest.end += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Idle,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Progress::Ended,
            }
        }
        Progress::More
    }
}

/// The first frame of what has come, if all of it is there.
fn next_frame<'a>(buffer: &'a [u8], come: &Range<usize>) -> Option<&'a [u8]> {
    let (length, rest) = buffer.get(come.clone())?.split_first_chunk()?;
    rest.get(..u16::from_le_bytes(*length).into())
}

impl AsRawFd for Receiver {
    fn as_raw_fd(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }
}

impl AsRawFd for Sender {
    fn as_raw_fd(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
