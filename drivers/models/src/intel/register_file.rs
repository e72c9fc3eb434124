//! The registers of a controller, and what is the same in all of them: descriptor rings and filters.

use std::collections::HashMap;

use intel::registers::RingRegisters;

/// What the registers hold, by their offsets: 0 where nothing was written.
#[derive(Default)]
pub struct RegisterFile(HashMap<usize, u32>);

impl RegisterFile {
    /// What a register holds.
    pub fn get(&self, offset: usize) -> u32 {
        self.0.get(&offset).copied().unwrap_or(0)
    }

    /// Sets a register.
    pub fn set(&mut self, offset: usize, value: u32) {
        self.0.insert(offset, value);
    }

    /// What a register holds that is cleared by reading it.
    pub fn take(&mut self, offset: usize) -> u32 {
        self.0.remove(&offset).unwrap_or(0)
    }

    /// Clears all registers.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts one more in the register of a counter.
    pub fn count(&mut self, counter: usize) {
        *self.0.entry(counter).or_default() += 1;
    }

    /// Where a descriptor is in memory.
    pub fn descriptor(&self, ring: RingRegisters, entry: usize) -> u64 {
        let base = u64::from(self.get(ring.bah())) << 32 | u64::from(self.get(ring.bal()));
        base + entry as u64 * 16
    }

    /// How many descriptors a ring has.
    pub fn entries(&self, ring: RingRegisters) -> usize {
        self.get(ring.length()) as usize / 16
    }

    /// How many descriptors between a ring's head and its tail are the device's.
    pub fn free(&self, ring: RingRegisters) -> usize {
        let (head, tail) = (self.get(ring.head()) as usize, self.get(ring.tail()) as usize);
        let entries = self.entries(ring);
        (tail + entries - head) % entries.max(1)
    }

    /// Whether an address is that of the receive address registers at `ral`, low and high half (8254x SDM, 13.5.2 and
    /// 13.5.3; 82599, 8.2.3.7.8 and 8.2.3.7.9).
    pub fn has_address(&self, ral: usize, address: &[u8]) -> bool {
        let low = self.get(ral).to_le_bytes();
        let [fifth, sixth, _, flags] = self.get(ral + 4).to_le_bytes();
        flags & 0x80 != 0 && address == [low[0], low[1], low[2], low[3], fifth, sixth]
    }

    /// Whether a group is in the multicast table array at `mta`, by bits 47 to 36 of its address, of which the upper 7
    /// select the word (8254x SDM, 13.5.1; 82599, 8.2.3.7.7).
    pub fn has_group(&self, mta: usize, group: &[u8]) -> bool {
        let value = u16::from_le_bytes([group[4], group[5]]) >> 4;
        let (word, bit) = (usize::from(value >> 5) & 0x7f, value & 0x1f);
        self.get(mta + 4 * word) >> bit & 1 != 0
    }

    /// Whether the VLAN of a tagged frame is in the filter table array at `vfta`, by its number, of which the upper 7
    /// bits select the word (8254x SDM, 9.3; 82599, 8.2.3.7.11).
    pub fn has_vlan(&self, vfta: usize, frame: &[u8]) -> bool {
        let number = u16::from_be_bytes([frame[14], frame[15]]) & 0xfff;
        self.get(vfta + 4 * usize::from(number >> 5)) >> (number & 0x1f) & 1 != 0
    }
}
