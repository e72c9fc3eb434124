//! A virtqueue, from the device's side (virtio 1.2, 2.6).

mod packed;
mod split;

use hw::fake::Bus;
use virtio_net::registers::NO_VECTOR;

use self::packed::Packed;
use self::split::Split;

/// A virtqueue as the driver has set it up.
pub struct Virtqueue {
    pub enabled: bool,
    pub vector: u16,
    pub areas: Areas,
    ring: Ring,
}

/// Its entries, and where its three areas are.
#[derive(Clone, Copy, Default)]
pub struct Areas {
    pub size: u16,
    pub descriptors: u64,
    pub driver: u64,
    pub device: u64,
}

/// How chains stand in it.
enum Ring {
    Split(Split),
    Packed(Packed),
}

/// A descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    pub address: u64,
    pub len: u32,
    pub writable: bool,
}

impl Descriptor {
    /// Reads the 16 bytes at `address`: the descriptor, and what each format has in the last four.
    fn read(bus: &Bus, address: u64) -> (Self, [u16; 2]) {
        let mut bytes = [0; 16];
        bus.read(address, &mut bytes);
        let [a0, a1, a2, a3, a4, a5, a6, a7, l0, l1, l2, l3, b0, b1, c0, c1] = bytes;
        let halves = [u16::from_le_bytes([b0, b1]), u16::from_le_bytes([c0, c1])];
        let address = u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]);
        (Self { address, len: u32::from_le_bytes([l0, l1, l2, l3]), writable: false }, halves)
    }
}

/// A chain of descriptors that the driver has given.
pub struct Chain {
    /// As the driver calls it.
    pub id: u16,
    pub descriptors: Vec<Descriptor>,
}

impl Chain {
    /// What the driver wrote for the device.
    pub fn read(&self, bus: &Bus) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for descriptor in self.descriptors.iter().filter(|descriptor| !descriptor.writable) {
            let mut piece = vec![0; descriptor.len as usize];
            if !bus.read(descriptor.address, &mut piece) {
                return None;
            }
            bytes.extend(piece);
        }
        Some(bytes)
    }

    /// Bytes that the device may write.
    pub fn room(&self) -> usize {
        self.descriptors
            .iter()
            .filter(|descriptor| descriptor.writable)
            .map(|descriptor| descriptor.len as usize)
            .sum()
    }

    /// Writes `bytes` where the device may.
    pub fn write(&self, bus: &mut Bus, mut bytes: &[u8]) -> bool {
        for descriptor in self.descriptors.iter().filter(|descriptor| descriptor.writable) {
            let (piece, rest) = bytes.split_at(bytes.len().min(descriptor.len as usize));
            if !bus.write(descriptor.address, piece) {
                return false;
            }
            bytes = rest;
        }
        bytes.is_empty()
    }
}

impl Virtqueue {
    pub fn new(size: u16) -> Self {
        let ring = Ring::Split(Split::default());
        let areas = Areas { size, ..Areas::default() };
        Self { enabled: false, vector: NO_VECTOR, areas, ring }
    }

    /// The driver has it in use, in this format.
    pub fn enable(&mut self, packed: bool) {
        self.enabled = true;
        self.ring = if packed { Ring::Packed(Packed::default()) } else { Ring::Split(Split::default()) };
    }

    /// The chains that the driver has made available and the device has not taken, without taking them.
    pub fn available(&self, bus: &Bus) -> Vec<Chain> {
        match &self.ring {
            _ if !self.enabled => Vec::new(),
            Ring::Split(split) => split.available(bus, &self.areas),
            Ring::Packed(packed) => packed.available(bus, &self.areas),
        }
    }

    /// Takes the next `count` chains, and asks for a notification of the one after them.
    pub fn take(&mut self, bus: &mut Bus, count: usize, event_idx: bool) {
        match &mut self.ring {
            Ring::Split(split) => split.take(bus, &self.areas, count),
            Ring::Packed(packed) => packed.take(bus, &self.areas, count, event_idx),
        }
    }

    /// Hands chains back, each with the bytes that were written. Whether the driver wants an interrupt.
    pub fn give_back(&mut self, bus: &mut Bus, chains: &[(u32, u32)], event_idx: bool) -> bool {
        match &mut self.ring {
            Ring::Split(split) => split.give_back(bus, &self.areas, chains, event_idx),
            Ring::Packed(packed) => packed.give_back(bus, &self.areas, chains, event_idx),
        }
    }

    /// Says that it has used `by` more chains, without having used anything; in a packed ring, one of this name.
    pub fn jump(&mut self, bus: &mut Bus, by: u16) {
        match &mut self.ring {
            Ring::Split(split) => split.jump(bus, &self.areas, by),
            Ring::Packed(packed) => packed.lie(bus, &self.areas, 0, by),
        }
    }

    /// Writes `word` over 16 bits of what the device writes; in a packed ring, over what it says of a chain. (It would read
    /// what else it wrote there as if the driver had written it.)
    pub fn scribble(&mut self, bus: &mut Bus, place: usize, word: u16) {
        let Areas { size, device, .. } = self.areas;
        match &self.ring {
            Ring::Split(_) => {
                let place = place % (6 / 2 + 4 * usize::from(size));
                bus.write(device + 2 * place as u64, &word.to_le_bytes());
            }
            Ring::Packed(packed) => packed.lie(bus, &self.areas, place % usize::from(size), word),
        }
    }
}

fn read16(bus: &Bus, address: u64) -> u16 {
    let mut bytes = [0; 2];
    bus.read(address, &mut bytes);
    u16::from_le_bytes(bytes)
}
