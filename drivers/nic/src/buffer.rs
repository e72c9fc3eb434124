//! Buffers in DMA memory, each with one owner.

use std::cell::Cell;
use std::rc::Rc;

use hw::dma::{Arena, Region};

/// Bytes before a buffer's contents, for a header of the device's own. Behind a 14-byte Ethernet header, the IP header
/// is then 4-byte aligned.
pub const HEADROOM: usize = 14;

/// Bytes that a buffer can hold. A device that is given a whole buffer can write no more than this.
pub const CAPACITY: usize = 2048;

/// Distance of two buffers: whole cache lines, so that no two share one.
const STRIDE: usize = (HEADROOM + CAPACITY).next_multiple_of(64);

/// Distance of two buffers that each lie within a page.
const PAGE: usize = 4096;

/// A fixed number of buffers. Clones are the same pool.
#[derive(Clone)]
pub struct Pool(Rc<Shared>);

struct Shared {
    memory: Region,
    free: Free,
}

/// The buffers that are free, by where they begin in the pool's memory. There is a place for each, so that one which comes
/// back needs no memory.
struct Free {
    places: Box<[Cell<u32>]>,
    count: Cell<usize>,
}

impl Free {
    fn pop(&self) -> Option<u32> {
        let count = self.count.get().checked_sub(1)?;
        let place = self.places.get(count)?.get();
        self.count.set(count);
        Some(place)
    }

    fn push(&self, place: u32) {
        let count = self.count.get();
        if let Some(free) = self.places.get(count) {
            free.set(place);
            self.count.set(count + 1);
        }
    }
}

impl Pool {
    /// What `size` buffers take of an arena, in bytes.
    pub const fn memory(size: u16) -> usize {
        size as usize * STRIDE
    }

    /// Takes `size` buffers from `arena`.
    pub fn new(arena: &Arena, size: u16) -> Result<Self, hw::Error> {
        let memory = arena.allocate(Self::memory(size), 64)?;
        Ok(Self::with(memory, STRIDE, size))
    }

    /// What `size` buffers take that each lie within a page.
    pub const fn memory_in_pages(size: u16) -> usize {
        size as usize * PAGE
    }

    /// The same, for frames to be sent: several of QEMU's devices send nothing of a frame in a buffer whose pages are apart
    /// in the machine's memory, as an IOMMU lets them be, and say that they have sent it.
    pub fn in_pages(arena: &Arena, size: u16) -> Result<Self, hw::Error> {
        let memory = arena.allocate(Self::memory_in_pages(size), PAGE)?;
        Ok(Self::with(memory, PAGE, size))
    }

    fn with(memory: Region, stride: usize, size: u16) -> Self {
        let places = (0..u32::from(size)).rev().map(|index| Cell::new(index * stride as u32)).collect();
        Self(Rc::new(Shared { memory, free: Free { places, count: Cell::new(size.into()) } }))
    }

    /// A free buffer, empty; `None` when all are in use.
    pub fn take(&self) -> Option<Buffer> {
        let place = self.0.free.pop()?;
        Some(Buffer { pool: self.0.clone(), place, start: HEADROOM as u16, len: 0 })
    }

    /// Says that the device, having been reset, knows nothing any more of the memory that the pool is in.
    pub fn retire(&self) {
        self.0.memory.retire();
    }

    /// How many buffers are free.
    pub fn free(&self) -> usize {
        self.0.free.count.get()
    }

    /// Half of them are free: whoever waits for room is told then. One by one he would be woken for every frame.
    pub fn is_half_free(&self) -> bool {
        self.free() >= self.size() / 2
    }

    /// How many buffers there are.
    pub fn size(&self) -> usize {
        self.0.free.places.len()
    }
}

/// A buffer that its holder owns. It goes back to its pool when dropped.
///
/// The device may write it at any time while it has its address; so its contents are only ever copied.
pub struct Buffer {
    pool: Rc<Shared>,
    /// Where its part of the pool's memory begins.
    place: u32,
    /// Where in that the contents begin.
    start: u16,
    len: u16,
}

impl Buffer {
    /// Where the device finds the contents.
    pub fn bus_address(&self) -> u64 {
        self.pool.memory.bus_address() + self.start() as u64
    }

    /// Bytes in use.
    pub fn len(&self) -> usize {
        self.len.into()
    }

    /// No byte is in use.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets how many bytes are in use; `false`, with nothing changed, above what there is room for: [`CAPACITY`], as
    /// long as the beginning was not moved.
    #[must_use]
    pub fn set_len(&mut self, len: usize) -> bool {
        match u16::try_from(len) {
            Ok(len) if usize::from(len) <= self.room() => {
                self.len = len;
                true
            }
            _ => false,
        }
    }

    /// Puts `bytes` before the contents; `false`, with nothing changed, where the headroom is too small for them.
    #[must_use]
    pub fn prepend(&mut self, bytes: &[u8]) -> bool {
        let count = bytes.len();
        if count > usize::from(self.start) || !self.pool.memory.copy_from(self.start() - count, bytes) {
            return false;
        }
        self.start -= count as u16;
        self.len += count as u16;
        true
    }

    /// Takes the first `count` bytes off the contents; `false`, with nothing changed, if there are fewer.
    #[must_use]
    pub fn strip(&mut self, count: usize) -> bool {
        if count > self.len() {
            return false;
        }
        self.start += count as u16;
        self.len -= count as u16;
        true
    }

    /// Copies the contents from byte `offset` on into `buf`, as much as there is; how much that was.
    pub fn copy_to(&self, offset: usize, buf: &mut [u8]) -> usize {
        let count = self.len().saturating_sub(offset).min(buf.len());
        if self.pool.memory.copy_to(self.start() + offset, &mut buf[..count]) { count } else { 0 }
    }

    /// Writes `bytes` over the beginning of the contents, as much as there is of those.
    pub fn overwrite(&mut self, bytes: &[u8]) {
        let count = self.len().min(bytes.len());
        // It is part of the pool's memory.
        let _ = self.pool.memory.copy_from(self.start(), bytes.get(..count).unwrap_or_default());
    }

    /// Appends as many of `bytes` as fit; how many those were.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let count = (self.room() - self.len()).min(bytes.len());
        if self.pool.memory.copy_from(self.start() + self.len(), &bytes[..count]) {
            self.len += count as u16;
            count
        } else {
            0
        }
    }

    /// Bytes from the contents' beginning to the buffer's end.
    fn room(&self) -> usize {
        HEADROOM + CAPACITY - usize::from(self.start)
    }

    fn start(&self) -> usize {
        self.place as usize + usize::from(self.start)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.free.push(self.place);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use hw::fake::{Bus, Model, Slot};
    use hw::{Identity, PciFunction};

    use super::*;

    /// A device that does nothing.
    struct Idle;

    impl Model for Idle {
        fn identity(&self) -> Identity {
            Identity { vendor: 0, device: 0, class: [2, 0, 0], revision: 0 }
        }

        fn bar_size(&self, _bar: usize) -> usize {
            0
        }

        fn read(&mut self, _bus: &mut Bus, _bar: usize, _offset: usize, _size: usize) -> u32 {
            0
        }

        fn write(&mut self, _bus: &mut Bus, _bar: usize, _offset: usize, _size: usize, _value: u32) {}
    }

    pub(crate) fn pool(size: u16) -> Pool {
        let arena = Slot::new(Idle).claim().dma_arena(Pool::memory(size), 64).unwrap();
        Pool::new(&arena, size).unwrap()
    }

    fn contents(buffer: &Buffer) -> Vec<u8> {
        let mut bytes = vec![0; buffer.len()];
        assert_eq!(buffer.copy_to(0, &mut bytes), bytes.len());
        bytes
    }

    #[test]
    fn a_header_is_put_before_the_contents_and_taken_off_again() {
        let mut buffer = pool(2).take().unwrap();
        let begin = buffer.bus_address();
        assert_eq!(buffer.append(b"frame"), 5);
        assert!(buffer.prepend(b"header"));
        assert_eq!((contents(&buffer), buffer.bus_address()), (b"headerframe".to_vec(), begin - 6));
        assert!(!buffer.prepend(&[0; HEADROOM - 5]), "there is no room for it");
        assert!(!buffer.strip(12));
        assert!(buffer.strip(6));
        assert_eq!((contents(&buffer), buffer.bus_address()), (b"frame".to_vec(), begin));
    }

    #[test]
    fn a_buffer_within_a_page_holds_as_much_as_others() {
        let arena = Slot::new(Idle).claim().dma_arena(Pool::memory_in_pages(3), 64).unwrap();
        let pool = Pool::in_pages(&arena, 3).unwrap();
        let buffers: Vec<_> = std::iter::from_fn(|| pool.take()).collect();
        assert_eq!(buffers.len(), 3);
        for mut buffer in buffers {
            assert!(buffer.set_len(CAPACITY) && buffer.prepend(&[0; HEADROOM]));
            let page = PAGE as u64;
            assert_eq!(buffer.bus_address() / page, (buffer.bus_address() + buffer.len() as u64 - 1) / page);
        }
    }

    #[test]
    fn no_buffer_reaches_into_another_wherever_it_begins() {
        let pool = pool(2);
        let (mut buffer, neighbour) = (pool.take().unwrap(), pool.take().unwrap());
        let end = buffer.bus_address() + CAPACITY as u64;
        assert!(end <= neighbour.bus_address() - HEADROOM as u64);
        assert!(!buffer.set_len(CAPACITY + 1) && buffer.set_len(CAPACITY));
        assert!(buffer.strip(100) && !buffer.set_len(CAPACITY - 99));
        assert_eq!(buffer.append(b"more"), 0);
        assert_eq!(buffer.bus_address() + buffer.len() as u64, end);
        drop(buffer);
        assert_eq!(pool.take().map(|fresh| fresh.bus_address() + CAPACITY as u64), Some(end));
    }
}
