//! The machine around a device model: its memory and its interrupt lines.

use pci_types::CommandRegister;

use super::interrupt::Vectors;
use super::power::Management;
use crate::{Error, InterruptKind, dma};

/// What a device model is given to act on the machine around it.
pub struct Bus {
    pub(super) command: CommandRegister,
    memory: Vec<dma::WeakArena>,
    next_low: u64,
    next_high: u64,
    unplugged: bool,
    /// Reads and writes of registers.
    pub(super) accesses: usize,
    /// Those of them that could not arrive.
    pub(super) lost_accesses: usize,
    pub(super) management: Management,
    pub(super) vectors: Vectors,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            command: CommandRegister::MEMORY_ENABLE,
            memory: Vec::new(),
            next_low: 0x0010_0000,
            next_high: 0x12_0010_0000,
            unplugged: false,
            accesses: 0,
            lost_accesses: 0,
            management: Management::default(),
            vectors: Vectors::default(),
        }
    }
}

impl Bus {
    /// Reads the machine's memory, as the device would by DMA. `false`, with nothing read, outside the arenas
    /// (an IOMMU would have stopped it) and while the device is not bus master.
    pub fn read(&self, address: u64, buf: &mut [u8]) -> bool {
        self.reach(address).is_some_and(|(memory, offset)| memory.copy_to(offset, buf))
    }

    /// Writes the machine's memory by DMA; `false`, with nothing written, outside the arenas and while the
    /// device is not bus master.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        self.reach(address).is_some_and(|(memory, offset)| memory.copy_from(offset, bytes))
    }

    /// Raises interrupt vector `vector` (0 for a line). A line stays up until [`lower`](Self::lower), and
    /// fires again at each acknowledgement until then. Each raised message is one interrupt; as it is a write
    /// on the bus, it is lost while the device is not bus master.
    pub fn raise(&mut self, vector: u16) {
        if !self.unplugged {
            self.vectors.raise(vector, self.is_bus_master());
        }
    }

    /// Lets the interrupt line go.
    pub fn lower(&mut self) {
        self.vectors.lower();
    }

    /// Whether the driver lets the device master the bus.
    pub fn is_bus_master(&self) -> bool {
        self.command.contains(CommandRegister::BUS_MASTER_ENABLE)
    }

    /// The device has seen what it shall wake the machine for.
    pub fn signal_wake(&mut self) {
        self.management.signal();
    }

    /// The device itself lets its PME be signalled, or no longer, as some can beside their configuration space.
    pub fn enable_wake(&mut self, on: bool) {
        self.management.enable(on);
    }

    /// Its BARs are open.
    pub(super) fn answers(&self) -> bool {
        self.command.contains(CommandRegister::MEMORY_ENABLE) && !self.management.is_down()
    }

    pub(super) fn is_unplugged(&self) -> bool {
        self.unplugged
    }

    pub(super) fn unplug(&mut self) {
        self.unplugged = true;
        self.lower();
    }

    /// Chooses a bus address for `size` bytes: above 4 GiB where the device can reach that, so that a driver
    /// which loses the upper half is found out.
    pub(super) fn place(&mut self, size: usize, address_bits: u32) -> Result<u64, Error> {
        let limit = 1u128 << address_bits.min(64);
        let next = if limit > 1 << 40 { &mut self.next_high } else { &mut self.next_low };
        let base = *next;
        let end = base
            .checked_add(size as u64)
            .filter(|end| u128::from(*end) <= limit)
            .ok_or_else(|| Error::NoMemory(format!("{size} bytes below 2^{address_bits}")))?;
        // A gap, so that running past the end of one arena does not hit the next.
        *next = end + 0x1_0000;
        Ok(base)
    }

    pub(super) fn attach(&mut self, arena: &dma::Arena) {
        self.memory.push(arena.downgrade());
    }

    /// Claims the interrupt; `false` if it is claimed already.
    pub(super) fn claim_interrupt(&mut self, kind: InterruptKind) -> bool {
        self.vectors.claim(kind)
    }

    /// The arena that `address` is in, and how far.
    fn reach(&self, address: u64) -> Option<(dma::Region, usize)> {
        if !self.is_bus_master() || self.unplugged {
            return None;
        }
        self.memory.iter().filter_map(dma::WeakArena::device_view).find_map(|memory| {
            let offset = address.checked_sub(memory.bus_address())?;
            (offset < memory.size() as u64).then_some((memory, offset as usize))
        })
    }
}
