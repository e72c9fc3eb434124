//! A packed virtqueue (2.8).

use std::collections::VecDeque;

use hw::fake::Bus;

use super::{Areas, Chain, Descriptor, read16};

/// VIRTQ_DESC_F_AVAIL and VIRTQ_DESC_F_USED.
const AVAIL: u16 = 1 << 7;
const USED: u16 = 1 << 15;

/// How far the device is in the ring, in descriptors since the beginning.
#[derive(Default)]
pub struct Packed {
    seen: usize,
    used: usize,
    /// The descriptors of each chain that was taken, oldest first.
    taken: VecDeque<usize>,
}

/// Whether the wrap counter is 1 at this descriptor.
fn wrap(place: usize, size: u16) -> bool {
    (place / usize::from(size)).is_multiple_of(2)
}

/// The descriptor as events name it (2.8.10).
fn desc(place: usize, size: u16) -> u16 {
    (place % usize::from(size)) as u16 | u16::from(wrap(place, size)) << 15
}

fn address(areas: &Areas, place: usize) -> u64 {
    areas.descriptors + 16 * (place % usize::from(areas.size)) as u64
}

impl Packed {
    pub fn available(&self, bus: &Bus, areas: &Areas) -> Vec<Chain> {
        let mut chains = Vec::new();
        let mut descriptors = Vec::new();
        for place in (self.seen..).take(areas.size.into()) {
            let (descriptor, [id, flags]) = Descriptor::read(bus, address(areas, place));
            if flags & (AVAIL | USED) != if wrap(place, areas.size) { AVAIL } else { USED } {
                break;
            }
            descriptors.push(Descriptor { writable: flags & 2 != 0, ..descriptor });
            if flags & 1 == 0 {
                chains.push(Chain { id, descriptors: std::mem::take(&mut descriptors) });
            }
        }
        chains
    }

    pub fn take(&mut self, bus: &mut Bus, areas: &Areas, count: usize, event_idx: bool) {
        let counts = self.available(bus, areas).into_iter().map(|chain| chain.descriptors.len());
        self.taken.extend(counts.take(count));
        self.seen = self.used + self.taken.iter().sum::<usize>();
        if event_idx {
            // RING_EVENT_FLAGS_DESC.
            bus.write(areas.device, &[desc(self.seen, areas.size), 2].map(u16::to_le_bytes).concat());
        }
    }

    pub fn give_back(
        &mut self,
        bus: &mut Bus,
        areas: &Areas,
        chains: &[(u32, u32)],
        event_idx: bool,
    ) -> bool {
        let before = self.used;
        for (id, len) in chains {
            write_used(bus, areas, self.used, *id as u16, *len);
            self.used += self.taken.pop_front().unwrap_or(1);
        }
        let (event, flags) = (read16(bus, areas.driver), read16(bus, areas.driver + 2));
        match flags {
            0 => true,
            2 if event_idx => (before..self.used).any(|place| desc(place, areas.size) == event),
            _ => false,
        }
    }

    /// Says that it has used the chain `id`, so many descriptors behind where it is.
    pub fn lie(&self, bus: &mut Bus, areas: &Areas, behind: usize, id: u16) {
        write_used(bus, areas, self.used + behind, id, id.into());
    }
}

fn write_used(bus: &mut Bus, areas: &Areas, place: usize, id: u16, len: u32) {
    let flags = if wrap(place, areas.size) { AVAIL | USED } else { 0 };
    let at = address(areas, place);
    bus.write(at + 8, &len.to_le_bytes());
    bus.write(at + 12, &id.to_le_bytes());
    bus.write(at + 14, &flags.to_le_bytes());
}
