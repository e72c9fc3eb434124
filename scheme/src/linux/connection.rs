//! The device that requests come from and replies go to.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::io::Errno;
use zerocopy::IntoBytes;

use super::abi::{InHeader, NOTIFY_POLL, NotifyPollWakeupOut, OutHeader, WriteIn};
use super::translate::negated;
use crate::Error;

/// The longest read and the longest write, in bytes. Longer ones are cut by the kernel.
pub(super) const MAX_DATA: usize = 128 * 1024;

/// Room for the longest request.
const REQUEST_ROOM: usize = MAX_DATA + size_of::<InHeader>() + size_of::<WriteIn>();

/// One end of a FUSE connection.
#[derive(Debug)]
pub(super) struct Connection {
    device: OwnedFd,
}

impl Connection {
    /// Talks over `device`, which must not block.
    pub(super) fn new(device: OwnedFd) -> Self {
        Self { device }
    }

    /// A buffer for [`receive`](Self::receive). Memory that no request reached is never touched.
    pub(super) fn request_buffer() -> Vec<u8> {
        vec![0; REQUEST_ROOM]
    }

    /// Readable when requests wait.
    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }

    /// Reads one request into `buffer`; `None` if none waits. An error means that the mount is gone.
    pub(super) fn receive<'b>(&self, buffer: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
        loop {
            match rustix::io::read(&self.device, &mut *buffer) {
                Ok(0) => return Err(Errno::NODEV.into()),
                Ok(length) => return Ok(buffer.get(..length)),
                // The request was taken back before it was read.
                Err(Errno::INTR | Errno::NOENT) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Answers request `unique` with `body`.
    pub(super) fn reply(&self, unique: u64, body: &[u8]) {
        self.send(unique, 0, body);
    }

    /// Answers request `unique` with an error.
    pub(super) fn fail(&self, unique: u64, error: Error) {
        self.send(unique, negated(error), &[]);
    }

    /// Has the kernel poll the file with the poll handle `kh` again.
    pub(super) fn wake(&self, kh: u64) {
        self.send(0, NOTIFY_POLL, NotifyPollWakeupOut { kh }.as_bytes());
    }

    fn send(&self, unique: u64, error: i32, body: &[u8]) {
        // Bodies are at most MAX_DATA and a few structures long.
        let header = OutHeader { len: (size_of::<OutHeader>() + body.len()) as u32, error, unique };
        let message = [IoSlice::new(header.as_bytes()), IoSlice::new(body)];
        match rustix::io::retry_on_intr(|| rustix::io::writev(&self.device, &message)) {
            // Whoever asked is gone.
            Ok(_) | Err(Errno::NOENT) => {}
            // Told by the next read, too.
            Err(Errno::NODEV) => {}
            Err(error) => log::warn!("cannot answer FUSE request {unique} ({} bytes): {error}", header.len),
        }
    }
}
