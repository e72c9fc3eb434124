//! A split virtqueue (2.7).

use hw::fake::Bus;

use super::{Areas, Chain, Descriptor, read16};

/// How far the device is in the rings.
#[derive(Default)]
pub struct Split {
    seen: u16,
    used: u16,
}

impl Split {
    pub fn available(&self, bus: &Bus, areas: &Areas) -> Vec<Chain> {
        let count = read16(bus, areas.driver + 2).wrapping_sub(self.seen).min(areas.size);
        (0..count)
            .map(|index| {
                let slot = u64::from(self.seen.wrapping_add(index) % areas.size);
                chain(bus, areas, read16(bus, areas.driver + 4 + 2 * slot))
            })
            .collect()
    }

    pub fn take(&mut self, bus: &mut Bus, areas: &Areas, count: usize) {
        self.seen = self.seen.wrapping_add(count as u16);
        bus.write(areas.device + 4 + 8 * u64::from(areas.size), &self.seen.to_le_bytes());
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
            let at = areas.device + 4 + 8 * u64::from(self.used % areas.size);
            bus.write(at, &id.to_le_bytes());
            bus.write(at + 4, &len.to_le_bytes());
            self.used = self.used.wrapping_add(1);
        }
        bus.write(areas.device + 2, &self.used.to_le_bytes());
        if event_idx {
            let event = read16(bus, areas.driver + 4 + 2 * u64::from(areas.size));
            // 2.7.10.2.
            self.used.wrapping_sub(event).wrapping_sub(1) < self.used.wrapping_sub(before)
        } else {
            read16(bus, areas.driver) & 1 == 0
        }
    }

    pub fn jump(&mut self, bus: &mut Bus, areas: &Areas, by: u16) {
        self.used = self.used.wrapping_add(by);
        bus.write(areas.device + 2, &self.used.to_le_bytes());
    }
}

fn chain(bus: &Bus, areas: &Areas, head: u16) -> Chain {
    let mut descriptors = Vec::new();
    let mut next = Some(head);
    while let Some(index) = next.filter(|_| descriptors.len() < areas.size.into()) {
        let (descriptor, [flags, following]) =
            Descriptor::read(bus, areas.descriptors + 16 * u64::from(index));
        descriptors.push(Descriptor { writable: flags & 2 != 0, ..descriptor });
        next = (flags & 1 != 0).then_some(following);
    }
    Chain { id: head, descriptors }
}
