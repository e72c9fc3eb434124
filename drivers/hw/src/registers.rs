//! Access to device registers.

/// A window of device registers, such as a memory BAR. On hardware each call is one volatile access; in tests
/// a device model answers. Later reads of DMA memory happen after a read; earlier writes to DMA memory are visible
/// to the device before a write.
///
/// `offset` is in bytes. An access outside the window, or misaligned, is a bug of the driver: it reads as
/// all ones and writes nothing (with a debug assertion).
pub trait Registers {
    /// Size of the window in bytes.
    fn size(&self) -> usize;
    /// Reads 8 bits.
    fn read8(&self, offset: usize) -> u8;
    /// Reads 16 bits, in the device's (little-endian) order.
    fn read16(&self, offset: usize) -> u16;
    /// Reads 32 bits.
    fn read32(&self, offset: usize) -> u32;
    /// Writes 8 bits.
    fn write8(&self, offset: usize, value: u8);
    /// Writes 16 bits.
    fn write16(&self, offset: usize, value: u16);
    /// Writes 32 bits.
    fn write32(&self, offset: usize, value: u32);

    /// Whether the 32 bits at `offset` keep what is written to them, each bit 0 and 1. They have what they had afterwards.
    fn keep32(&self, offset: usize) -> bool {
        let before = self.read32(offset);
        let keeps = [0x5555_5555, 0xaaaa_aaaa].into_iter().all(|pattern| {
            self.write32(offset, pattern);
            self.read32(offset) == pattern
        });
        self.write32(offset, before);
        keeps
    }
}

/// Whether `width` bytes at `offset` are an aligned access inside a window of `size` bytes.
pub(crate) fn fits(size: usize, offset: usize, width: usize) -> bool {
    let fits = offset.is_multiple_of(width) && offset.checked_add(width).is_some_and(|end| end <= size);
    debug_assert!(fits, "register access of {width} bytes at {offset:#x} in a window of {size:#x} bytes");
    fits
}
