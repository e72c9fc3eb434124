//! A split virtqueue, from the device's side (virtio 1.2, 2.7).

use hw::fake::Bus;
use virtio_net::registers::NO_VECTOR;

/// A virtqueue as the driver has set it up.
pub struct Virtqueue {
    pub size: u16,
    pub enabled: bool,
    pub vector: u16,
    pub descriptors: u64,
    pub driver: u64,
    pub device: u64,
    seen: u16,
    used: u16,
}

/// A descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    pub address: u64,
    pub len: u32,
    pub writable: bool,
}

/// A chain of descriptors that the driver has given.
pub struct Chain {
    pub head: u16,
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
        let (descriptors, driver, device) = (0, 0, 0);
        Self { size, enabled: false, vector: NO_VECTOR, descriptors, driver, device, seen: 0, used: 0 }
    }

    /// The chains that the driver has made available and the device has not taken, without taking them.
    pub fn available(&self, bus: &Bus) -> Vec<Chain> {
        if !self.enabled {
            return Vec::new();
        }
        let count = read16(bus, self.driver + 2).wrapping_sub(self.seen).min(self.size);
        (0..count)
            .map(|index| {
                let slot = u64::from(self.seen.wrapping_add(index) % self.size);
                self.chain(bus, read16(bus, self.driver + 4 + 2 * slot))
            })
            .collect()
    }

    /// Takes the next `count` chains, and asks for a notification of the one after them.
    pub fn take(&mut self, bus: &mut Bus, count: usize) {
        self.seen = self.seen.wrapping_add(count as u16);
        bus.write(self.device + 4 + 8 * u64::from(self.size), &self.seen.to_le_bytes());
    }

    /// Hands chains back, each with the bytes that were written. Whether the driver wants an interrupt.
    pub fn give_back(&mut self, bus: &mut Bus, chains: &[(u32, u32)], event_idx: bool) -> bool {
        let before = self.used;
        for (id, len) in chains {
            let at = self.device + 4 + 8 * u64::from(self.used % self.size);
            bus.write(at, &id.to_le_bytes());
            bus.write(at + 4, &len.to_le_bytes());
            self.used = self.used.wrapping_add(1);
        }
        bus.write(self.device + 2, &self.used.to_le_bytes());
        if event_idx {
            let event = read16(bus, self.driver + 4 + 2 * u64::from(self.size));
            // 2.7.10.2.
            self.used.wrapping_sub(event).wrapping_sub(1) < self.used.wrapping_sub(before)
        } else {
            read16(bus, self.driver) & 1 == 0
        }
    }

    /// Adds to the used index without having used anything.
    pub fn jump(&mut self, bus: &mut Bus, by: u16) {
        self.used = self.used.wrapping_add(by);
        bus.write(self.device + 2, &self.used.to_le_bytes());
    }

    fn chain(&self, bus: &Bus, head: u16) -> Chain {
        let mut descriptors = Vec::new();
        let mut next = Some(head);
        while let Some(index) = next.filter(|_| descriptors.len() < self.size.into()) {
            let mut bytes = [0; 16];
            bus.read(self.descriptors + 16 * u64::from(index), &mut bytes);
            let [a0, a1, a2, a3, a4, a5, a6, a7, l0, l1, l2, l3, f0, _, n0, n1] = bytes;
            descriptors.push(Descriptor {
                address: u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
                len: u32::from_le_bytes([l0, l1, l2, l3]),
                writable: f0 & 2 != 0,
            });
            next = (f0 & 1 != 0).then(|| u16::from_le_bytes([n0, n1]));
        }
        Chain { head, descriptors }
    }
}

fn read16(bus: &Bus, address: u64) -> u16 {
    let mut bytes = [0; 2];
    bus.read(address, &mut bytes);
    u16::from_le_bytes(bytes)
}
