//! Wakes the event loop from other threads, at most once until it has looked.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// A pipe that holds a byte while the loop has something to look at.
pub struct Waker {
    reader: PipeReader,
    writer: PipeWriter,
    pending: AtomicBool,
}

impl Waker {
    /// An idle one.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self { reader, writer, pending: AtomicBool::new(false) })
    }

    /// Makes the descriptor readable, if it is not.
    pub fn wake(&self) {
        if !self.pending.swap(true, Ordering::AcqRel)
            && let Err(error) = (&self.writer).write_all(&[0])
        {
            log::error!("cannot wake the event loop: {error}");
        }
    }

    /// Takes the byte, if there is one: the same event may be told twice. What is done after this call is
    /// announced anew.
    pub fn take(&self) -> io::Result<()> {
        if !self.pending.load(Ordering::Acquire) {
            return Ok(());
        }
        (&self.reader).read_exact(&mut [0])?;
        self.pending.store(false, Ordering::Release);
        Ok(())
    }

    /// What to wait for.
    pub fn as_raw_fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}
