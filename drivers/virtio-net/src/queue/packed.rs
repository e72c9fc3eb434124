//! A packed virtqueue (virtio 1.2, 2.8): one ring of descriptors, which the driver makes available and the device used.

#[cfg(test)]
mod tests;

use std::sync::atomic::{Ordering, fence};

use hw::dma::Region;

use super::{Areas, DESCRIPTOR_SIZE, MOST_ENTRIES, Piece, Used};
use crate::ring::Ring;

/// The descriptor ring (2.8.13): for each descriptor 64 bits `addr`, 32 `len`, 16 `id`, 16 `flags`.
const DESCRIPTORS: usize = 0;

/// The driver area and the device area (2.8.14): 16 bits `desc`, 16 `flags`; each in a cache line of its own.
const DRIVER: usize = DESCRIPTORS + DESCRIPTOR_SIZE * MOST_ENTRIES as usize;
const DEVICE: usize = DRIVER + 64;

/// VIRTQ_DESC_F_AVAIL and VIRTQ_DESC_F_USED (2.8.1).
const AVAIL: u16 = 1 << 7;
const USED: u16 = 1 << 15;

/// RING_EVENT_FLAGS_ENABLE, RING_EVENT_FLAGS_DISABLE and RING_EVENT_FLAGS_DESC (2.8.10).
const ENABLE: u16 = 0;
const DISABLE: u16 = 1;
const DESC: u16 = 2;

/// In `desc`, the wrap counter is above the place in the ring.
const WRAP: u16 = 1 << 15;

/// A place in the ring, and which time round it is: the wrap counter (2.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    slot: u16,
    wrap: bool,
}

impl Place {
    /// The counters of both sides are 1 at first.
    const FIRST: Self = Self { slot: 0, wrap: true };

    /// The place `by` descriptors further (at most once round) in a ring of `entries`.
    fn after(self, by: u16, entries: u16) -> Self {
        let slot = self.slot + by;
        match slot.checked_sub(entries) {
            Some(slot) => Self { slot, wrap: !self.wrap },
            None => Self { slot, wrap: self.wrap },
        }
    }

    /// How many descriptors it is from here to `other`, which comes before this place has come twice. Of a device that
    /// names a place outside the ring any answer is true.
    fn until(self, other: Self, entries: u16) -> u32 {
        let round = 2 * u32::from(entries);
        let number = |place: Self| u32::from(place.slot) + if place.wrap { 0 } else { entries.into() };
        (number(other) + round - number(self)).checked_rem(round).unwrap_or_default()
    }

    /// As `desc` says it.
    fn desc(self) -> u16 {
        self.slot | if self.wrap { WRAP } else { 0 }
    }

    fn of_desc(desc: u16) -> Self {
        Self { slot: desc & !WRAP, wrap: desc & WRAP != 0 }
    }

    /// The flags of a descriptor that was made available here.
    fn available(self) -> u16 {
        if self.wrap { AVAIL } else { USED }
    }

    /// Whether these flags are those of a descriptor that was used here.
    fn is_used(self, flags: u16) -> bool {
        flags & (AVAIL | USED) == if self.wrap { AVAIL | USED } else { 0 }
    }

    /// Where the descriptor is.
    fn offset(self) -> usize {
        DESCRIPTORS + DESCRIPTOR_SIZE * usize::from(self.slot)
    }
}

/// The ring, and how far driver and device are in it.
pub struct Packed {
    memory: Region,
    event_idx: bool,
    entries: u16,
    /// Where the next descriptor is made available.
    available: Place,
    /// Up to where the device was shown what is available.
    shown: Place,
    /// What makes the first descriptor available that the device was not shown, and its place. Before that is written, the
    /// device comes to none behind it.
    held: Option<(usize, u64)>,
    /// Where the device says what it has used next.
    used: Place,
}

impl Packed {
    /// A ring in `memory`. With `event_idx`, VIRTIO_F_EVENT_IDX is negotiated.
    pub fn new(memory: Region, event_idx: bool) -> Self {
        let first = Place::FIRST;
        Self { memory, event_idx, entries: 0, available: first, shown: first, held: None, used: first }
    }

    pub fn start(&mut self, entries: u16) -> Areas {
        (self.entries, self.held) = (entries, None);
        (self.available, self.shown, self.used) = (Place::FIRST, Place::FIRST, Place::FIRST);
        for offset in (0..self.memory.size()).step_by(size_of::<u64>()) {
            self.memory.write_word(offset, 0);
        }
        let base = self.memory.bus_address();
        Areas {
            descriptors: base + DESCRIPTORS as u64,
            driver: base + DRIVER as u64,
            device: base + DEVICE as u64,
        }
    }

    /// Writes down a chain, for which there is room, with its id.
    #[inline]
    pub fn give(&mut self, id: u16, pieces: &[Piece]) {
        for (index, piece) in pieces.iter().enumerate() {
            let at = self.available.offset();
            let flags = piece.flags(index + 1 == pieces.len()) | self.available.available();
            let second = u64::from(piece.len) | u64::from(id) << 32 | u64::from(flags) << 48;
            self.memory.write_word(at, piece.address);
            if self.held.is_none() {
                self.held = Some((at + 8, second));
            } else {
                self.memory.write_word(at + 8, second);
            }
            self.available = self.available.after(1, self.entries);
        }
    }

    /// Lets the device see what was given. Whether it wants to be notified (2.8.21.3.1).
    pub fn show(&mut self) -> bool {
        let Some((at, second)) = self.held.take() else { return false };
        self.memory.write_word(at, second);
        // The device looks at the descriptor after it has asked for a notification.
        fence(Ordering::SeqCst);
        let before = std::mem::replace(&mut self.shown, self.available);
        let wish = self.memory.read_u32(DEVICE).unwrap_or_default();
        match (wish >> 16) as u16 {
            DISABLE => false,
            DESC if self.event_idx => {
                let ahead = before.until(Place::of_desc(wish as u16), self.entries);
                // The device was told of a place that is behind, and should have another wish by now. QEMU 7.2 forgets that
                // where a frame had to wait, and would never hear of another.
                let is_behind = ahead >= self.entries.into();
                is_behind || ahead < before.until(self.available, self.entries)
            }
            _ => true,
        }
    }

    /// The next chain that the device has used, if there is one.
    #[inline]
    pub fn used(&self) -> Option<Used> {
        self.used_at(self.used)
    }

    /// Goes on behind the chain that was used, which had so many descriptors (2.8.6).
    pub fn pass(&mut self, count: u16) {
        self.used = self.used.after(count, self.entries);
    }

    /// Asks for no interrupts.
    pub fn mask(&mut self) {
        self.wish(DISABLE, 0);
    }

    /// Asks for an interrupt when the device has used more than `spare` descriptors of the chains in `ring`. Whether that
    /// has happened already, or the device lies.
    pub fn unmask<T>(&mut self, ring: &Ring<T>, spare: u16) -> bool {
        let spare = if self.event_idx { spare } else { 0 };
        if self.event_idx {
            self.wish(DESC, self.used.after(spare, self.entries).desc());
        } else {
            self.wish(ENABLE, 0);
        }
        // The device looks at what is asked for after it has written what it used.
        fence(Ordering::SeqCst);
        let mut passed = 0;
        while passed <= spare {
            let Some(Used { id, .. }) = self.used_at(self.used.after(passed, self.entries)) else {
                return false;
            };
            let Some(count) = ring.count(id) else { return true };
            passed += count;
        }
        true
    }

    fn used_at(&self, place: Place) -> Option<Used> {
        let second = self.memory.read_word(place.offset() + 8)?;
        let used = Used { id: (second >> 32) as u32 & 0xffff, len: second as u32 };
        place.is_used((second >> 48) as u16).then_some(used)
    }

    /// Says when to interrupt, in one access.
    fn wish(&self, flags: u16, desc: u16) {
        self.memory.write_word(DRIVER, u64::from(flags) << 16 | u64::from(desc));
    }
}
