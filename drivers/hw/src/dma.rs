//! Memory that the device reaches by DMA.
//!
//! The device may change it at any time, so no reference into it is ever given out: everything is copied, by
//! volatile accesses where words are shared with the device.
//!
//! The bulk copies are plain: what the device changes under such a copy comes out as some bytes or others,
//! which is all that a frame from the wire promises. Who owns a region at a time is told by words, and the
//! fences around those order the copies.

mod table;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::atomic::{Ordering, fence};

pub use table::Table;

use crate::Error;

/// What keeps an arena's memory alive, and gives it back when dropped.
pub trait Backing {
    /// Makes the device quiet, before memory is given back that it may reach.
    fn quiet(&self);
}

/// One piece of memory, contiguous for the CPU and on the bus, from which regions are taken. They keep it
/// alive.
#[derive(Clone)]
pub struct Arena(Rc<Memory>);

struct Memory {
    base: NonNull<u8>,
    size: usize,
    bus_base: u64,
    used: Cell<usize>,
    /// The device does not know the memory any more.
    retired: Cell<bool>,
    backing: Box<dyn Backing>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        if !self.retired.get() {
            self.backing.quiet();
        }
    }
}

impl Memory {
    /// The `size` bytes from `offset` on, which are inside.
    fn region(memory: Rc<Self>, offset: usize, size: usize) -> Region {
        // SAFETY: `offset` is inside the arena's one allocation.
        let base = unsafe { memory.base.add(offset) };
        Region { base, bus_address: memory.bus_base + offset as u64, size, memory }
    }

    /// The first offset that is not in use and whose bus address is a multiple of `align`.
    fn free_offset(&self, align: usize) -> Option<usize> {
        let free = self.bus_base + self.used.get() as u64;
        let aligned = free.checked_next_multiple_of(align as u64)?;
        usize::try_from(aligned - self.bus_base).ok()
    }
}

impl Arena {
    /// An arena over `size` bytes at `base`, which the device sees at `bus_base`.
    ///
    /// # Safety
    /// `base` must be valid for reads and writes of `size` bytes for as long as `backing` lives, and no
    /// reference into it may exist. `base` and `bus_base` must be 8-byte aligned, and `bus_base + size` must
    /// not overflow.
    pub unsafe fn new(base: NonNull<u8>, size: usize, bus_base: u64, backing: Box<dyn Backing>) -> Self {
        Self(Rc::new(Memory { base, size, bus_base, used: Cell::new(0), retired: Cell::new(false), backing }))
    }

    /// Takes `size` bytes aligned to `align` (a power of two, at least 8).
    pub fn allocate(&self, size: usize, align: usize) -> Result<Region, Error> {
        let memory = &self.0;
        let offset = memory.free_offset(align.max(8));
        match offset.and_then(|offset| Some((offset, offset.checked_add(size)?))) {
            Some((offset, end)) if end <= memory.size => {
                memory.used.set(end);
                Ok(Memory::region(memory.clone(), offset, size))
            }
            _ => Err(Error::NoMemory(format!(
                "{size} bytes aligned to {align} wanted, {} of {} left in the arena",
                memory.size - memory.used.get(),
                memory.size
            ))),
        }
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// A handle for the device's side, which does not keep the memory alive.
    pub(crate) fn downgrade(&self) -> WeakArena {
        WeakArena(Rc::downgrade(&self.0))
    }
}

/// An arena as the fake's bus knows it: gone when the driver has dropped it.
pub(crate) struct WeakArena(Weak<Memory>);

impl WeakArena {
    /// The whole of the arena, as the device sees it.
    pub(crate) fn device_view(&self) -> Option<Region> {
        self.0.upgrade().map(|memory| {
            let size = memory.size;
            Memory::region(memory, 0, size)
        })
    }
}

/// What is shared with a device in one access.
trait Integer: Copy {}

impl Integer for u16 {}
impl Integer for u32 {}
impl Integer for u64 {}

/// A part of an arena with one owner.
pub struct Region {
    /// Where it begins, in the arena's memory.
    base: NonNull<u8>,
    bus_address: u64,
    size: usize,
    memory: Rc<Memory>,
}

impl Region {
    /// Where the device sees it.
    pub fn bus_address(&self) -> u64 {
        self.bus_address
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Says that the device, having been reset, knows nothing of the whole arena any more: that the arena is given back
    /// need not make the device quiet, which may work with another by then.
    pub fn retire(&self) {
        self.memory.retired.set(true);
    }

    /// Cuts the region in two at `at` bytes (at most its size).
    pub fn split_at(self, at: usize) -> (Region, Region) {
        let at = at.min(self.size);
        let offset = (self.bus_address - self.memory.bus_base) as usize;
        let tail = Memory::region(self.memory.clone(), offset + at, self.size - at);
        (Region { size: at, ..self }, tail)
    }

    /// Reads the 64-bit word at byte `offset` (a multiple of 8) in one volatile access; later reads of the
    /// region happen after it. `None` outside the region.
    pub fn read_word(&self, offset: usize) -> Option<u64> {
        self.load(offset).map(u64::from_le)
    }

    /// The same for 32 bits, at a multiple of 4.
    pub fn read_u32(&self, offset: usize) -> Option<u32> {
        self.load(offset).map(u32::from_le)
    }

    /// The same for 16 bits, at a multiple of 2.
    pub fn read_u16(&self, offset: usize) -> Option<u16> {
        self.load(offset).map(u16::from_le)
    }

    /// Writes the 64-bit word at byte `offset` (a multiple of 8) in one volatile access; earlier writes to
    /// the region happen before it. `false`, with nothing written, outside the region.
    pub fn write_word(&self, offset: usize, word: u64) -> bool {
        self.store(offset, word.to_le())
    }

    /// The same for 16 bits, at a multiple of 2.
    pub fn write_u16(&self, offset: usize, word: u16) -> bool {
        self.store(offset, word.to_le())
    }

    /// Copies from byte `offset` on into `buf`; `false`, with nothing copied, if that reaches outside.
    pub fn copy_to(&self, offset: usize, buf: &mut [u8]) -> bool {
        let Some(pointer) = self.bytes(offset, buf.len()) else { return false };
        // SAFETY: the source is inside the arena (checked) and alive through `self.memory`; `buf` is Rust's
        // own memory, so the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(pointer.as_ptr(), buf.as_mut_ptr(), buf.len()) };
        true
    }

    /// Copies `bytes` to byte `offset` on; `false`, with nothing copied, if that reaches outside.
    pub fn copy_from(&self, offset: usize, bytes: &[u8]) -> bool {
        let Some(pointer) = self.bytes(offset, bytes.len()) else { return false };
        // SAFETY: the target is inside the arena (checked) and alive through `self.memory`; `bytes` is Rust's
        // own memory, so the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), pointer.as_ptr(), bytes.len()) };
        true
    }

    fn load<T: Integer>(&self, offset: usize) -> Option<T> {
        let pointer = self.pointer(offset, size_of::<T>())?;
        // SAFETY: `pointer` is inside the arena (checked), aligned (checked), and alive through
        // `self.memory`; every value of the bytes there is a `T`.
        let word = unsafe { pointer.cast::<T>().as_ptr().read_volatile() };
        fence(Ordering::Acquire);
        Some(word)
    }

    fn store<T: Integer>(&self, offset: usize, word: T) -> bool {
        let Some(pointer) = self.pointer(offset, size_of::<T>()) else { return false };
        fence(Ordering::Release);
        // SAFETY: `pointer` is inside the arena (checked), aligned (checked), and alive through
        // `self.memory`.
        unsafe { pointer.cast::<T>().as_ptr().write_volatile(word) };
        true
    }

    fn bytes(&self, offset: usize, size: usize) -> Option<NonNull<u8>> {
        let end = offset.checked_add(size)?;
        if end > self.size {
            return None;
        }
        // SAFETY: the region is inside the arena's one allocation, and `offset` inside the region.
        Some(unsafe { self.base.add(offset) })
    }

    fn pointer(&self, offset: usize, size: usize) -> Option<NonNull<u8>> {
        self.bytes(offset, size).filter(|pointer| pointer.as_ptr().addr().is_multiple_of(size))
    }
}
