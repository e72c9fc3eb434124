//! Which queue a received frame goes to.

use intel::rss::{ENTRIES, RETA};
use ixgbe::chips::Generation;
use ixgbe::registers::ERETA;

use super::Ixgbe;
use crate::intel::rss;

impl Ixgbe {
    /// The queue that the table has for a frame: the X550's goes on behind the table of the others.
    pub(super) fn queue_of(&self, frame: &[u8]) -> u16 {
        let tables = if self.generation == Some(Generation::X550) { 4 } else { 1 };
        let entries = usize::from(ENTRIES) * tables;
        let Some(hash) = rss::hash(&self.registers, frame) else { return 0 };
        let at = hash as usize % entries;
        let table = if at < ENTRIES.into() { RETA } else { ERETA - usize::from(ENTRIES) };
        u16::from(self.register(table + at / 4 * 4).to_le_bytes()[at % 4])
    }
}
