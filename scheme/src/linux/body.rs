//! The body of the reply that is being made: one buffer for all replies.

use zerocopy::{Immutable, IntoBytes};

use super::abi::{CreateOut, IoctlOut};
use super::connection::MAX_DATA;

/// The buffer. Memory that no reply reached is never touched.
#[derive(Debug)]
pub(super) struct Body(Vec<u8>);

impl Body {
    /// A buffer with room for the longest read and for each structure.
    pub(super) fn new() -> Self {
        const { assert!(size_of::<CreateOut>() < MAX_DATA) }
        Self(vec![0; MAX_DATA])
    }

    /// Room for at most `size` bytes of data.
    pub(super) fn data(&mut self, size: usize) -> &mut [u8] {
        let size = size.min(self.0.len());
        &mut self.0[..size]
    }

    /// The first `length` bytes.
    pub(super) fn get(&self, length: usize) -> &[u8] {
        self.0.get(..length).unwrap_or(&self.0)
    }

    /// Makes `value` the body, and gives its length.
    pub(super) fn put<T: IntoBytes + Immutable>(&mut self, value: &T) -> usize {
        self.write(0, value.as_bytes())
    }

    /// Makes the answer to an ioctl the body: `value` with `data` behind it.
    pub(super) fn ioctl<T: IntoBytes + Immutable>(&mut self, value: &T, data: &[u8]) -> usize {
        let header = self.put(&IoctlOut::default());
        let length = self.write(header, value.as_bytes());
        self.write(length, data)
    }

    /// Copies `bytes` to `start`, as much as there is room for, and gives their end.
    fn write(&mut self, start: usize, bytes: &[u8]) -> usize {
        let room = self.0.get_mut(start..).unwrap_or_default();
        let length = bytes.len().min(room.len());
        room[..length].copy_from_slice(&bytes[..length]);
        start + length
    }
}
