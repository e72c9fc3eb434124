//! A split virtqueue (virtio 1.2, 2.7): descriptors, a ring of what is available, and one of what was used.

use std::sync::atomic::{Ordering, fence};

use hw::dma::Region;

use super::{Areas, DESCRIPTOR_SIZE, MOST_ENTRIES, Piece, Used};
use crate::ring::{Lie, Ring};

/// The descriptor area (2.7.5): for each descriptor 64 bits `addr`, 32 `len`, 16 `flags`, 16 `next`.
const DESCRIPTORS: usize = 0;

/// The driver area, or available ring (2.7.6): `flags`, `idx`, `ring`, `used_event`, 16 bits each.
const AVAILABLE: usize = DESCRIPTORS + DESCRIPTOR_SIZE * MOST_ENTRIES as usize;
const AVAILABLE_IDX: usize = AVAILABLE + 2;
const AVAILABLE_RING: usize = AVAILABLE + 4;

/// The device area, or used ring (2.7.8): 16 bits `flags`, 16 `idx`, the elements, 16 bits `avail_event`.
const USED: usize = AVAILABLE + 1024;
const USED_IDX: usize = USED + 2;
const USED_RING: usize = USED + 4;
/// An element is 32 bits `id` and 32 bits `len`.
const ELEMENT_SIZE: usize = 8;

/// VIRTQ_AVAIL_F_NO_INTERRUPT.
const NO_INTERRUPT: u16 = 1;
/// VIRTQ_USED_F_NO_NOTIFY.
const NO_NOTIFY: u16 = 1;

/// The tables, and how far driver and device are in them.
pub struct Split {
    memory: Region,
    event_idx: bool,
    entries: u16,
    /// The available index that the device was shown last.
    shown: u16,
    /// The used index that the device has shown last, which can be.
    seen: u16,
}

impl Split {
    /// Tables in `memory`. With `event_idx`, VIRTIO_F_EVENT_IDX is negotiated.
    pub fn new(memory: Region, event_idx: bool) -> Self {
        Self { memory, event_idx, entries: 0, shown: 0, seen: 0 }
    }

    pub fn start(&mut self, entries: u16) -> Areas {
        (self.entries, self.shown, self.seen) = (entries, 0, 0);
        for offset in (0..self.memory.size()).step_by(size_of::<u64>()) {
            self.memory.write_word(offset, 0);
        }
        let base = self.memory.bus_address();
        Areas {
            descriptors: base + DESCRIPTORS as u64,
            driver: base + AVAILABLE as u64,
            device: base + USED as u64,
        }
    }

    /// Writes down the chain that was last given to `ring`, and begins with `head`.
    #[inline]
    pub fn give<T>(&mut self, ring: &Ring<T>, head: u16, pieces: &[Piece]) {
        let mut descriptor = head;
        for (index, piece) in pieces.iter().enumerate() {
            let is_last = index + 1 == pieces.len();
            let next = if is_last { None } else { ring.next(descriptor) };
            self.write_descriptor(descriptor, piece, next);
            descriptor = next.unwrap_or(descriptor);
        }
        let place = ring.available().wrapping_sub(1);
        self.memory.write_u16(AVAILABLE_RING + 2 * self.slot(place), head);
    }

    /// Lets the device see what was given up to available index `index`. Whether it wants to be notified.
    pub fn show(&mut self, index: u16) -> bool {
        let before = std::mem::replace(&mut self.shown, index);
        if before == index {
            return false;
        }
        self.memory.write_u16(AVAILABLE_IDX, index);
        // The device looks at the index after it has asked for a notification (2.7.13.4.1).
        fence(Ordering::SeqCst);
        if self.event_idx {
            let event = self.memory.read_u16(self.avail_event()).unwrap_or_default();
            is_passed(event, before, index)
        } else {
            self.memory.read_u16(USED).unwrap_or_default() & NO_NOTIFY == 0
        }
    }

    /// The next chain that the device has used, if there is one.
    #[inline]
    pub fn used<T>(&mut self, ring: &Ring<T>) -> Result<Option<Used>, Lie> {
        if self.seen == ring.used() && self.pending(ring)? == 0 {
            return Ok(None);
        }
        let at = USED_RING + ELEMENT_SIZE * self.slot(ring.used());
        let (id, len) = (self.memory.read_u32(at), self.memory.read_u32(at + 4));
        Ok(id.zip(len).map(|(id, len)| Used { id, len }))
    }

    /// Asks for no interrupts, where so many chains were taken back.
    pub fn mask(&mut self, used: u16) {
        if self.event_idx {
            self.set_used_event(used.wrapping_sub(1));
        } else {
            self.memory.write_u16(AVAILABLE, NO_INTERRUPT);
        }
    }

    /// Asks for an interrupt when the device has used more than `spare` chains of `ring`. Whether that has happened
    /// already, or the device lies.
    pub fn unmask<T>(&mut self, ring: &Ring<T>, spare: u16) -> bool {
        if self.event_idx {
            self.set_used_event(ring.used().wrapping_add(spare));
        } else {
            self.memory.write_u16(AVAILABLE, 0);
        }
        // The device looks at what is asked for after it has written its index (2.7.7.1).
        fence(Ordering::SeqCst);
        let spare = if self.event_idx { spare } else { 0 };
        self.pending(ring).map_or(true, |pending| pending > spare)
    }

    /// How many chains the device has used that were not taken back yet.
    fn pending<T>(&mut self, ring: &Ring<T>) -> Result<u16, Lie> {
        let index = self.memory.read_u16(USED_IDX).unwrap_or_default();
        let pending = ring.pending(index)?;
        self.seen = index;
        Ok(pending)
    }

    fn write_descriptor(&mut self, descriptor: u16, piece: &Piece, next: Option<u16>) {
        let flags = piece.flags(next.is_none());
        let second =
            u64::from(piece.len) | u64::from(flags) << 32 | u64::from(next.unwrap_or_default()) << 48;
        let at = DESCRIPTORS + DESCRIPTOR_SIZE * usize::from(descriptor);
        self.memory.write_word(at, piece.address);
        self.memory.write_word(at + 8, second);
    }

    fn set_used_event(&self, index: u16) {
        self.memory.write_u16(AVAILABLE_RING + 2 * usize::from(self.entries), index);
    }

    fn avail_event(&self) -> usize {
        USED_RING + ELEMENT_SIZE * usize::from(self.entries)
    }

    /// Where in either ring the entry with this index is: the number of entries is a power of two.
    fn slot(&self, index: u16) -> usize {
        usize::from(index & self.entries.wrapping_sub(1))
    }
}

/// Whether an index that went from `before` to `now` has passed `event` (2.7.10.2).
fn is_passed(event: u16, before: u16, now: u16) -> bool {
    now.wrapping_sub(event).wrapping_sub(1) < now.wrapping_sub(before)
}

#[cfg(test)]
mod tests {
    use super::is_passed;

    #[test]
    fn an_event_is_passed_when_the_index_goes_beyond_it() {
        assert!(is_passed(5, 5, 6));
        assert!(is_passed(5, 3, 9));
        assert!(!is_passed(5, 6, 9), "it was passed before");
        assert!(!is_passed(9, 6, 9), "it comes next");
        assert!(is_passed(0xffff, 0xfffe, 1), "over the end of the numbers");
    }
}
