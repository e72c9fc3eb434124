//! A region as a table, such as a ring of descriptors.

use std::ptr::NonNull;
use std::sync::atomic::{Ordering, fence};

use super::Region;

/// A region of entries that each have so many 64-bit words.
///
/// Its words are little-endian, and shared with the device, as those of a [`Region`].
pub struct Table<const WORDS: usize> {
    first: NonNull<[u64; WORDS]>,
    entries: usize,
    region: Region,
}

impl<const WORDS: usize> Table<WORDS> {
    /// Bytes of an entry.
    pub const ENTRY: usize = size_of::<[u64; WORDS]>();

    /// As many entries as fit into `region`; none, if that does not begin at a multiple of 8.
    pub fn new(region: Region) -> Self {
        let first = region.base.cast();
        let entries = if first.is_aligned() { region.size() / Self::ENTRY } else { 0 };
        Self { first, entries, region }
    }

    /// Where the device sees it.
    pub fn bus_address(&self) -> u64 {
        self.region.bus_address()
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.region.size()
    }

    /// How many entries it has.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Reads word `word` of entry `entry` in one volatile access; later reads of the arena happen after it. `None` where there
    /// is none.
    #[inline]
    pub fn read(&self, entry: usize, word: usize) -> Option<u64> {
        let pointer = self.pointer(entry, word)?;
        // SAFETY: inside the region, aligned, and alive (`pointer`).
        let value = unsafe { pointer.read_volatile() };
        fence(Ordering::Acquire);
        Some(u64::from_le(value))
    }

    /// Writes word `word` of entry `entry` in one volatile access; earlier writes to the arena happen before it. `false`, with
    /// nothing written, where there is none.
    #[inline]
    fn write_word(&self, entry: usize, word: usize, value: u64) -> bool {
        let Some(pointer) = self.pointer(entry, word) else { return false };
        fence(Ordering::Release);
        // SAFETY: inside the region, aligned, and alive (`pointer`).
        unsafe { pointer.write_volatile(value.to_le()) };
        true
    }

    /// Writes the words of entry `entry`, in order. `false`, with nothing written, where there is none.
    #[inline]
    pub fn write(&self, entry: usize, words: [u64; WORDS]) -> bool {
        words.into_iter().enumerate().all(|(word, value)| self.write_word(entry, word, value))
    }

    /// Where the word is, if it is: inside the region, aligned, and alive as long as `self`.
    #[inline]
    fn pointer(&self, entry: usize, word: usize) -> Option<NonNull<u64>> {
        if entry >= self.entries || word >= WORDS {
            return None;
        }
        // SAFETY: as many entries are in the region (`new`), with as many words.
        Some(unsafe { self.first.add(entry).cast::<u64>().add(word) })
    }
}
