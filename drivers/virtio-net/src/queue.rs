//! A split virtqueue in DMA memory (virtio 1.2, 2.7).

use std::sync::atomic::{Ordering, fence};

use hw::dma::Region;

use crate::ring::{Lie, Ring};

/// Most entries of a virtqueue.
pub const MOST_ENTRIES: u16 = 256;

/// Bytes of a virtqueue with so many entries; it begins at a multiple of this.
pub const MEMORY: usize = 8192;

/// The descriptor area (2.7.5): for each descriptor 64 bits `addr`, 32 `len`, 16 `flags`, 16 `next`.
const DESCRIPTORS: usize = 0;
const DESCRIPTOR_SIZE: usize = 16;

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

/// VIRTQ_DESC_F_NEXT: the chain goes on.
const NEXT: u16 = 1;
/// VIRTQ_DESC_F_WRITE: for the device to write.
const WRITE: u16 = 2;
/// VIRTQ_AVAIL_F_NO_INTERRUPT.
const NO_INTERRUPT: u16 = 1;
/// VIRTQ_USED_F_NO_NOTIFY.
const NO_NOTIFY: u16 = 1;

/// A part of what is given to the device with a chain, in a descriptor of its own.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where the device finds it.
    pub address: u64,
    /// How long it is in bytes.
    pub len: u32,
    /// The device writes it, instead of reading it.
    pub writable: bool,
}

/// Where the device finds a virtqueue's three areas.
#[derive(Clone, Copy, Debug)]
pub struct Areas {
    /// Descriptors.
    pub descriptors: u64,
    /// Driver area.
    pub driver: u64,
    /// Device area.
    pub device: u64,
}

/// A virtqueue. With each chain of descriptors it keeps what the device was given there, until the device has used it.
pub struct Queue<T> {
    ring: Ring<T>,
    memory: Region,
    event_idx: bool,
    /// The available index that the device was shown last.
    shown: u16,
    /// The device has lied, and is not believed any more until it is reset.
    lie: Option<Lie>,
}

impl<T> Queue<T> {
    /// A virtqueue in `memory`, of no entries until it is started.
    pub fn new(memory: Region) -> Self {
        Self { ring: Ring::new(0), memory, event_idx: false, shown: 0, lie: None }
    }

    /// Begins anew with `entries` entries (a power of two, at most [`MOST_ENTRIES`]), while the device is quiet. With
    /// `event_idx`, VIRTIO_F_EVENT_IDX is negotiated. What the device had is dropped.
    pub fn start(&mut self, entries: u16, event_idx: bool) -> Areas {
        self.ring = Ring::new(entries.min(MOST_ENTRIES));
        (self.event_idx, self.shown, self.lie) = (event_idx, 0, None);
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

    /// Takes everything back from a device that was made quiet, and drops it.
    pub fn stop(&mut self) {
        self.ring = Ring::new(0);
    }

    /// How many descriptors are free.
    pub fn room(&self) -> usize {
        self.ring.room()
    }

    /// How many chains the device owns.
    pub fn owned(&self) -> u16 {
        self.ring.owned()
    }

    /// The device has lied about what it used.
    pub fn is_broken(&self) -> bool {
        self.lie.is_some()
    }

    /// Gives the device `what`, which is made of `pieces`; it sees it when [`show`](Self::show) is called. It is the
    /// caller's again if there is no room.
    pub fn give(&mut self, what: T, pieces: &[Piece]) -> Result<(), T> {
        let place = self.ring.available();
        let head = self.ring.give(what, pieces.len() as u16)?;
        let mut descriptor = head;
        for (index, piece) in pieces.iter().enumerate() {
            let last = index + 1 == pieces.len();
            let next = if last { None } else { self.ring.next(descriptor) };
            self.write_descriptor(descriptor, piece, next);
            descriptor = next.unwrap_or(descriptor);
        }
        self.memory.write_u16(AVAILABLE_RING + 2 * self.slot(place), head);
        Ok(())
    }

    /// Lets the device see what it was given. Whether it wants to be notified.
    pub fn show(&mut self) -> bool {
        let index = self.ring.available();
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

    /// The next of what the device has used, and how many bytes it says it has written.
    pub fn take(&mut self) -> Option<(T, u32)> {
        if self.pending() == 0 {
            return None;
        }
        let at = USED_RING + ELEMENT_SIZE * self.slot(self.ring.used());
        let (id, len) = (self.memory.read_u32(at)?, self.memory.read_u32(at + 4)?);
        match self.ring.take(id) {
            Ok(what) => Some((what, len)),
            Err(lie) => {
                self.disbelieve(lie);
                None
            }
        }
    }

    /// How many chains the device has used that were not taken back yet.
    fn pending(&mut self) -> u16 {
        if self.is_broken() {
            return 0;
        }
        let index = self.memory.read_u16(USED_IDX).unwrap_or_default();
        self.ring.pending(index).unwrap_or_else(|lie| {
            self.disbelieve(lie);
            0
        })
    }

    /// Asks for no interrupts. The device may raise some all the same (2.7.7).
    pub fn mask(&mut self) {
        if self.event_idx {
            self.set_used_event(self.ring.used().wrapping_sub(1));
        } else {
            self.memory.write_u16(AVAILABLE, NO_INTERRUPT);
        }
    }

    /// Asks for an interrupt when the device has used more than `spare` chains; without VIRTIO_F_EVENT_IDX, at each.
    /// Whether that has happened already, and may raise none.
    pub fn unmask(&mut self, spare: u16) -> bool {
        if self.event_idx {
            self.set_used_event(self.ring.used().wrapping_add(spare));
        } else {
            self.memory.write_u16(AVAILABLE, 0);
        }
        // The device looks at what is asked for after it has written its index (2.7.7.1).
        fence(Ordering::SeqCst);
        self.pending() > if self.event_idx { spare } else { 0 }
    }

    fn disbelieve(&mut self, lie: Lie) {
        log::error!("the device cannot be believed: {lie}");
        self.lie = Some(lie);
    }

    fn write_descriptor(&mut self, descriptor: u16, piece: &Piece, next: Option<u16>) {
        let flags = if piece.writable { WRITE } else { 0 } | if next.is_some() { NEXT } else { 0 };
        let second =
            u64::from(piece.len) | u64::from(flags) << 32 | u64::from(next.unwrap_or_default()) << 48;
        let at = DESCRIPTORS + DESCRIPTOR_SIZE * usize::from(descriptor);
        self.memory.write_word(at, piece.address);
        self.memory.write_word(at + 8, second);
    }

    fn set_used_event(&self, index: u16) {
        self.memory.write_u16(AVAILABLE_RING + 2 * usize::from(self.ring.entries()), index);
    }

    fn avail_event(&self) -> usize {
        USED_RING + ELEMENT_SIZE * usize::from(self.ring.entries())
    }

    /// Where in either ring the entry with this index is.
    fn slot(&self, index: u16) -> usize {
        usize::from(index.checked_rem(self.ring.entries()).unwrap_or_default())
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
