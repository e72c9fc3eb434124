//! The device's own counters, which it writes to memory on command (DTCCR).

use hw::Registers;
use hw::dma::Region;
use nic::Statistics;

use crate::registers::{DTCCR, DTCCR_HIGH, Dtccr};

/// Bytes of the counters, and what their address is a multiple of.
pub const SIZE: usize = 64;

/// Reads of DTCCR while the counters are written: a few microseconds, a read at least half of one.
const PATIENCE: u32 = 2000;

/// Counters that are used: where they are, and how many bits they have.
const COUNTERS: [(usize, u32); 8] = [
    // TxER: aborted, carrier lost, underrun, out of window.
    (16, 64),
    // RxEr: wrong FCS, and missed.
    (24, 32),
    // MissPkt.
    (28, 16),
    // FAE.
    (30, 16),
    // Tx1Col.
    (32, 32),
    // TxMCol.
    (36, 32),
    // TxAbt.
    (60, 16),
    // TxUndrn.
    (62, 16),
];

/// Their values, in the same order.
type Values = [u64; COUNTERS.len()];

/// What is remembered of the counters. The device never clears them.
pub struct Tally {
    memory: Region,
    /// What they were last.
    seen: Option<Values>,
    /// How much they grew since they were last asked for.
    grown: Values,
    /// The device works; it counts nothing else, and writes nothing.
    works: bool,
}

impl Tally {
    /// Counters in `memory`.
    pub fn new(memory: Region) -> Self {
        Self { memory, seen: None, grown: Values::default(), works: false }
    }

    /// The device works now.
    pub fn start(&mut self, registers: &impl Registers) {
        self.works = true;
        self.update(registers);
    }

    /// It is about to be stopped.
    pub fn stop(&mut self, registers: &impl Registers) {
        self.update(registers);
        self.works = false;
    }

    /// Adds to `statistics` what the device counted since the last call.
    pub fn collect(&mut self, registers: &impl Registers, statistics: &mut Statistics) {
        self.update(registers);
        let [transmit, receive, missed, alignment, one, many, aborted, underrun] =
            std::mem::take(&mut self.grown);
        statistics.tx_errors += transmit.saturating_sub(aborted + underrun);
        statistics.rx_errors += receive.saturating_sub(missed + alignment);
        statistics.rx_missed_errors += missed;
        statistics.rx_frame_errors += alignment;
        statistics.collisions += one + many;
        statistics.tx_aborted_errors += aborted;
        statistics.tx_fifo_errors += underrun;
    }

    /// Adds up how much they grew.
    fn update(&mut self, registers: &impl Registers) {
        let Some(now) = self.works.then(|| self.dump(registers)).flatten() else { return };
        let before = self.seen.replace(now).unwrap_or(now);
        let growth = now.into_iter().zip(before).map(|(now, before)| now.wrapping_sub(before));
        for ((grown, growth), (_, bits)) in self.grown.iter_mut().zip(growth).zip(COUNTERS) {
            *grown = grown.saturating_add(growth & u64::MAX >> (64 - bits));
        }
    }

    /// Their values now; `None` if the device does not tell them.
    fn dump(&self, registers: &impl Registers) -> Option<Values> {
        let address = self.memory.bus_address();
        registers.write32(DTCCR_HIGH, (address >> 32) as u32);
        registers.write32(DTCCR, address as u32 | Dtccr::CMD.bits());
        for _ in 0..PATIENCE {
            match registers.read32(DTCCR) {
                u32::MAX => break,
                command if Dtccr::from_bits_retain(command).contains(Dtccr::CMD) => {}
                _ => return Some(COUNTERS.map(|(offset, bits)| self.counter(offset, bits))),
            }
        }
        None
    }

    /// The counter of `bits` bits at `offset`.
    fn counter(&self, offset: usize, bits: u32) -> u64 {
        let word = self.memory.read_word(offset / 8 * 8).unwrap_or(0);
        word >> (offset % 8 * 8) & u64::MAX >> (64 - bits)
    }
}
