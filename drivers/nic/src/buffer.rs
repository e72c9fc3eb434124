//! Buffers in DMA memory, each with one owner.

use std::cell::RefCell;
use std::rc::Rc;

use hw::dma::{Arena, Region};

/// Bytes before a buffer's contents: behind a 14-byte Ethernet header, the IP header is then 4-byte aligned.
pub const HEADROOM: usize = 2;

/// Bytes that a buffer can hold. A device that is given a whole buffer can write no more than this.
pub const CAPACITY: usize = 2048;

/// Distance of two buffers: whole cache lines, so that no two share one.
const STRIDE: usize = (HEADROOM + CAPACITY).next_multiple_of(64);

/// A fixed number of buffers. Clones are the same pool.
#[derive(Clone)]
pub struct Pool(Rc<Shared>);

struct Shared {
    memory: Region,
    free: RefCell<Vec<u16>>,
    size: usize,
}

impl Pool {
    /// What `size` buffers take of an arena, in bytes.
    pub const fn memory(size: u16) -> usize {
        size as usize * STRIDE
    }

    /// Takes `size` buffers from `arena`.
    pub fn new(arena: &Arena, size: u16) -> Result<Self, hw::Error> {
        let memory = arena.allocate(Self::memory(size), 64)?;
        Ok(Self(Rc::new(Shared { memory, free: RefCell::new((0..size).rev().collect()), size: size.into() })))
    }

    /// A free buffer, empty; `None` when all are in use.
    pub fn take(&self) -> Option<Buffer> {
        let index = self.0.free.borrow_mut().pop()?;
        Some(Buffer { pool: self.0.clone(), index, len: 0 })
    }

    /// How many buffers are free.
    pub fn free(&self) -> usize {
        self.0.free.borrow().len()
    }

    /// How many buffers there are.
    pub fn size(&self) -> usize {
        self.0.size
    }
}

/// A buffer that its holder owns. It goes back to its pool when dropped.
///
/// The device may write it at any time while it has its address; so its contents are only ever copied.
pub struct Buffer {
    pool: Rc<Shared>,
    index: u16,
    len: u16,
}

impl Buffer {
    /// Where the device finds the contents.
    pub fn bus_address(&self) -> u64 {
        self.pool.memory.bus_address() + self.start() as u64
    }

    /// Bytes in use, at most [`CAPACITY`].
    pub fn len(&self) -> usize {
        self.len.into()
    }

    /// No byte is in use.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets how many bytes are in use; `false`, with nothing changed, above [`CAPACITY`].
    #[must_use]
    pub fn set_len(&mut self, len: usize) -> bool {
        match u16::try_from(len) {
            Ok(len) if usize::from(len) <= CAPACITY => {
                self.len = len;
                true
            }
            _ => false,
        }
    }

    /// Copies the contents from byte `offset` on into `buf`, as much as there is; how much that was.
    pub fn copy_to(&self, offset: usize, buf: &mut [u8]) -> usize {
        let count = self.len().saturating_sub(offset).min(buf.len());
        if self.pool.memory.copy_to(self.start() + offset, &mut buf[..count]) { count } else { 0 }
    }

    /// Appends as many of `bytes` as fit; how many those were.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let count = (CAPACITY - self.len()).min(bytes.len());
        if self.pool.memory.copy_from(self.start() + self.len(), &bytes[..count]) {
            self.len += count as u16;
            count
        } else {
            0
        }
    }

    fn start(&self) -> usize {
        usize::from(self.index) * STRIDE + HEADROOM
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.free.borrow_mut().push(self.index);
    }
}
