//! The commands, and the shared memory that they are about.

use hw::fake::Bus;
use vmxnet3::registers::Command;
use vmxnet3::shared::{self, RssConfiguration, RxQueue, TxQueue};
use zerocopy::{FromBytes, IntoBytes};

use super::Vmxnet3;
use super::ring::Ring;

/// Commands after which the shared memory is read again.
const UPDATES: [u32; 5] = [
    Command::UpdateRxMode as u32,
    Command::UpdateMacFilters as u32,
    Command::UpdateVlanFilters as u32,
    Command::UpdateFeature as u32,
    Command::UpdateRssIdt as u32,
];

impl Vmxnet3 {
    /// Carries out a command that CMD is given.
    pub(super) fn command(&mut self, bus: &mut Bus, command: u32) {
        let [a, b, c, d, e, f] = Self::MAC.map(u32::from);
        self.answer = match command {
            _ if command == Command::ActivateDev as u32 => self.activate(bus),
            _ if command == Command::QuiesceDev as u32 => {
                self.active = false;
                0
            }
            _ if command == Command::ResetDev as u32 => {
                self.reset(bus);
                0
            }
            _ if UPDATES.contains(&command) => {
                self.read_shared(bus);
                0
            }
            _ if command == Command::GetStats as u32 => {
                self.write_statistics(bus);
                0
            }
            _ if command == Command::GetLink as u32 => u32::from(self.link_up) | 10_000 << 16,
            _ if command == Command::GetPermMacLo as u32 && self.address != [0; 6] => {
                a | b << 8 | c << 16 | d << 24
            }
            _ if command == Command::GetPermMacHi as u32 && self.address != [0; 6] => e | f << 8,
            _ => 0,
        };
    }

    fn read_shared(&mut self, bus: &mut Bus) {
        let read = bus.read(self.shared_at, self.shared.as_mut_bytes());
        let filter = &self.shared.filter;
        self.groups = vec![0; filter.mf_table_len.get().into()];
        let listed = self.groups.is_empty() || bus.read(filter.mf_table.get(), &mut self.groups);
        self.strays += usize::from(!(read && listed));
        if self.shared.upt_features.get() & shared::F_RSS != 0 {
            let [version, length] = [self.shared.rss.version.get(), self.shared.rss.length.get()];
            assert_eq!((version, length as usize), (1, size_of::<RssConfiguration>()));
            let read = bus.read(self.shared.rss.place.get(), self.rss.as_mut_bytes());
            self.strays += usize::from(!read);
        }
    }

    fn activate(&mut self, bus: &mut Bus) -> u32 {
        self.read_shared(bus);
        if self.shared.magic.get() != shared::MAGIC || self.faults.refuses {
            return 1;
        }
        assert_eq!([self.shared.num_tx_queues, self.shared.num_rx_queues], [1, Self::QUEUES]);
        let mut queues = [0; shared::receive_queue(shared::QUEUES)];
        let read = bus.read(self.shared.queue_desc.get(), &mut queues);
        self.strays += usize::from(!read);
        let (transmit, _) = TxQueue::ref_from_prefix(&queues).expect("the description is whole");
        self.transmit = Ring::new(transmit.tx_ring.get(), transmit.tx_ring_size.get());
        self.transmit_done = Ring::new(transmit.comp_ring.get(), transmit.comp_ring_size.get());
        for (number, queue) in self.receive.iter_mut().enumerate() {
            let description = &queues[shared::receive_queue(number)..];
            let (receive, _) = RxQueue::ref_from_prefix(description).expect("the description is whole");
            for (which, ring) in queue.rings.iter_mut().enumerate() {
                *ring = Ring::new(receive.rx_ring[which].get(), receive.rx_ring_size[which].get());
                assert_eq!((ring.base % 512, ring.entries % 32), (0, 0), "rings are aligned");
            }
            queue.done = Ring::new(receive.comp_ring.get(), receive.comp_ring_size.get());
            queue.vector = receive.intr_idx.into();
            assert!(receive.intr_idx < self.shared.interrupts.num_intrs);
        }
        self.counters = [0; 4];
        self.active = true;
        0
    }

    pub(super) fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        self.active = false;
        (self.masks, self.pending) = ([true; shared::QUEUES], [false; shared::QUEUES]);
        self.packet.clear();
        self.drive(bus);
    }

    fn write_statistics(&mut self, bus: &mut Bus) {
        let queues = self.shared.queue_desc.get();
        for (index, counter) in self.counters.into_iter().enumerate() {
            let queue = (index / 2 * shared::QUEUE) as u64;
            let at = queues + queue + (shared::STATISTICS + 64 + index % 2 * 8) as u64;
            if self.active {
                bus.write(at, &counter.to_le_bytes());
            }
        }
    }
}
