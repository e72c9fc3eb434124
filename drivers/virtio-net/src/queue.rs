//! A virtqueue in DMA memory (virtio 1.2, 2.6): what the device was given, and how it is told.

mod packed;
mod split;

use hw::dma::Region;

use self::packed::Packed;
use self::split::Split;
use crate::registers::Features;
use crate::ring::{Lie, Ring};

/// Most entries of a virtqueue.
pub const MOST_ENTRIES: u16 = 256;

/// Bytes of a virtqueue with so many entries; it begins at a multiple of this.
pub const MEMORY: usize = 8192;

/// Bytes of a descriptor, of either format.
const DESCRIPTOR_SIZE: usize = 16;

/// VIRTQ_DESC_F_NEXT: the chain goes on.
const NEXT: u16 = 1;
/// VIRTQ_DESC_F_WRITE: for the device to write.
const WRITE: u16 = 2;

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

impl Piece {
    /// The flags of its descriptor that both formats have.
    fn flags(self, is_last: bool) -> u16 {
        let direction = if self.writable { WRITE } else { 0 };
        if is_last { direction } else { direction | NEXT }
    }
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

/// What the device says of a chain that it has used.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// Which it is: what [`Ring`] calls it.
    pub id: u32,
    /// How many bytes it has written.
    pub len: u32,
}

/// How chains stand in the memory that is shared with the device.
pub enum Format {
    /// In three tables (2.7).
    Split(Split),
    /// In one ring (2.8).
    Packed(Packed),
}

impl Format {
    /// That of `features`, in `memory`.
    pub fn new(memory: Region, features: Features) -> Self {
        let event_idx = features.contains(Features::EVENT_IDX);
        if features.contains(Features::RING_PACKED) {
            Self::Packed(Packed::new(memory, event_idx))
        } else {
            Self::Split(Split::new(memory, event_idx))
        }
    }
}

/// A virtqueue. With each chain of descriptors it keeps what the device was given there, until the device has used it.
pub struct Queue<T> {
    ring: Ring<T>,
    format: Format,
    /// The device has lied, and is not believed any more until it is reset.
    lie: Option<Lie>,
}

impl<T> Queue<T> {
    /// A virtqueue of this format, of no entries until it is started.
    pub fn new(format: Format) -> Self {
        Self { ring: Ring::new(0), format, lie: None }
    }

    /// Begins anew with `entries` entries (a power of two, at most [`MOST_ENTRIES`]), while the device is quiet. What the
    /// device had is dropped.
    pub fn start(&mut self, entries: u16) -> Areas {
        let entries = entries.min(MOST_ENTRIES);
        (self.ring, self.lie) = (Ring::new(entries), None);
        match &mut self.format {
            Format::Split(split) => split.start(entries),
            Format::Packed(packed) => packed.start(entries),
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
    #[inline]
    pub fn give(&mut self, what: T, pieces: &[Piece]) -> Result<(), T> {
        let head = self.ring.give(what, pieces.len() as u16)?;
        match &mut self.format {
            Format::Split(split) => split.give(&self.ring, head, pieces),
            Format::Packed(packed) => packed.give(head, pieces),
        }
        Ok(())
    }

    /// Lets the device see what it was given. Whether it wants to be notified.
    pub fn show(&mut self) -> bool {
        match &mut self.format {
            Format::Split(split) => split.show(self.ring.available()),
            Format::Packed(packed) => packed.show(),
        }
    }

    /// The next of what the device has used, and how many bytes it says it has written.
    #[inline]
    pub fn take(&mut self) -> Option<(T, u32)> {
        if self.is_broken() {
            return None;
        }
        let used = match &mut self.format {
            Format::Split(split) => split.used(&self.ring),
            Format::Packed(packed) => Ok(packed.used()),
        };
        let Used { id, len } = match used {
            Ok(used) => used?,
            Err(lie) => return self.disbelieve(lie),
        };
        match self.ring.take(id) {
            Ok((what, count)) => {
                if let Format::Packed(packed) = &mut self.format {
                    packed.pass(count);
                }
                Some((what, len))
            }
            Err(lie) => self.disbelieve(lie),
        }
    }

    /// Asks for no interrupts. The device may raise some all the same (2.7.7, 2.8.10).
    pub fn mask(&mut self) {
        match &mut self.format {
            Format::Split(split) => split.mask(self.ring.used()),
            Format::Packed(packed) => packed.mask(),
        }
    }

    /// Asks for an interrupt when the device has used more than `spare` chains; without VIRTIO_F_EVENT_IDX, at each.
    /// Whether that has happened already, and may raise none.
    pub fn unmask(&mut self, spare: u16) -> bool {
        let happened = match &mut self.format {
            Format::Split(split) => split.unmask(&self.ring, spare),
            Format::Packed(packed) => packed.unmask(&self.ring, spare),
        };
        happened && self.owned() > 0 && !self.is_broken()
    }

    #[cold]
    fn disbelieve<U>(&mut self, lie: Lie) -> Option<U> {
        log::error!("the device cannot be believed: {lie}");
        self.lie = Some(lie);
        None
    }
}
