//! A mapped BAR: each access is one volatile load or store.

use std::ptr::NonNull;
use std::sync::atomic::{Ordering, fence};

use crate::Registers;
use crate::registers::fits;

/// What keeps a BAR mapped.
pub trait Mapping {
    /// The device answers. One that is powered down does not, and VFIO takes its BARs out of the address space meanwhile.
    fn is_powered(&self) -> bool;
}

/// Device registers in this process's address space, for as long as the mapping `M` lives.
pub struct Mmio<M> {
    base: NonNull<u8>,
    size: usize,
    mapping: M,
}

impl<M: Mapping> Mmio<M> {
    /// The registers in the `size` bytes at `base`.
    ///
    /// # Safety
    /// `base` must be valid for volatile reads and writes of `size` bytes and 4-byte aligned, whenever `mapping` lives and
    /// is powered, and no reference into it may exist.
    pub(crate) unsafe fn new(base: NonNull<u8>, size: usize, mapping: M) -> Self {
        Self { base, size, mapping }
    }

    /// Whether there is something to reach at `offset` now.
    fn reaches(&self, offset: usize, width: usize) -> bool {
        fits(self.size, offset, width) && self.mapping.is_powered()
    }

    /// Reads a `T` at `offset`, or gives `outside` where there is none.
    fn read<T: Copy>(&self, offset: usize, outside: T) -> T {
        if !self.reaches(offset, size_of::<T>()) {
            return outside;
        }
        // SAFETY: inside the window and aligned, and the window is mapped (`reaches`, `new`).
        let value = unsafe { self.base.add(offset).cast::<T>().as_ptr().read_volatile() };
        fence(Ordering::Acquire);
        value
    }

    fn write<T: Copy>(&self, offset: usize, value: T) {
        if self.reaches(offset, size_of::<T>()) {
            fence(Ordering::Release);
            // SAFETY: inside the window and aligned, and the window is mapped (`reaches`, `new`).
            unsafe { self.base.add(offset).cast::<T>().as_ptr().write_volatile(value) };
        }
    }
}

impl<M: Mapping> Registers for Mmio<M> {
    fn size(&self) -> usize {
        self.size
    }

    fn read8(&self, offset: usize) -> u8 {
        self.read(offset, u8::MAX)
    }

    fn read16(&self, offset: usize) -> u16 {
        u16::from_le(self.read(offset, u16::MAX))
    }

    fn read32(&self, offset: usize) -> u32 {
        u32::from_le(self.read(offset, u32::MAX))
    }

    fn write8(&self, offset: usize, value: u8) {
        self.write(offset, value);
    }

    fn write16(&self, offset: usize, value: u16) {
        self.write(offset, value.to_le());
    }

    fn write32(&self, offset: usize, value: u32) {
        self.write(offset, value.to_le());
    }
}

/// Memory, for tests.
#[cfg(test)]
impl Mapping for Vec<u64> {
    fn is_powered(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_width_reaches_its_bytes_in_the_devices_order() {
        let mut words = vec![0u64; 2];
        let base = NonNull::from(words.as_mut_slice()).cast::<u8>();
        // SAFETY: the words are on the heap, aligned, and owned by the window from here on.
        let window = unsafe { Mmio::new(base, 16, words) };
        window.write32(4, 0x4433_2211);
        window.write16(10, 0x6655);
        window.write8(15, 0x77);
        assert_eq!(window.read32(4), 0x4433_2211);
        assert_eq!((window.read8(4), window.read8(7)), (0x11, 0x44));
        assert_eq!(window.read16(6), 0x4433);
        assert_eq!(window.read32(8), 0x6655_0000);
        assert_eq!(window.read8(15), 0x77);
    }
}
