//! The device's own statistics (8254x SDM, 13.7).

use hw::Registers;
use nic::Statistics;

use crate::registers::statistics as reg;

/// One of our counters.
type Named = fn(&mut Statistics) -> &mut u64;

/// A counter of ours, and the register that counts for it.
pub type Counter = (Named, usize);

/// What is taken from a gigabit controller; the rest is counted by the driver.
pub const GIGABIT: &[Counter] = &[
    (|statistics| &mut statistics.collisions, reg::COLC),
    (|statistics| &mut statistics.rx_crc_errors, reg::CRCERRS),
    (|statistics| &mut statistics.rx_frame_errors, reg::ALGNERRC),
    (|statistics| &mut statistics.rx_errors, reg::RXERRC),
    (|statistics| &mut statistics.rx_errors, reg::CEXTERR),
    (|statistics| &mut statistics.rx_missed_errors, reg::MPC),
    (|statistics| &mut statistics.rx_length_errors, reg::RUC),
    (|statistics| &mut statistics.rx_length_errors, reg::RFC),
    (|statistics| &mut statistics.rx_length_errors, reg::ROC),
    (|statistics| &mut statistics.rx_length_errors, reg::RJC),
    (|statistics| &mut statistics.tx_aborted_errors, reg::ECOL),
    (|statistics| &mut statistics.tx_window_errors, reg::LATECOL),
    (|statistics| &mut statistics.tx_carrier_errors, reg::TNCRS),
];

/// What is remembered of the registers that count.
pub struct Counters {
    named: Vec<(Named, Remembered)>,
    /// Of the receive queues, in their order, where they count what they drop.
    dropped: Vec<Remembered>,
}

/// What is remembered of one.
struct Remembered {
    register: usize,
    /// What was read last, where reading did not clear it.
    seen: u32,
    /// What was counted and not told yet.
    kept: u64,
}

impl Counters {
    /// These are looked at, and those of receive queues that count the frames that they drop.
    pub fn new(named: &[Counter], dropped: impl Iterator<Item = usize>) -> Self {
        let named = named.iter().map(|&(counter, register)| (counter, Remembered::at(register)));
        Self { named: named.collect(), dropped: dropped.map(Remembered::at).collect() }
    }

    /// Adds to `statistics` what the device counted since the last call.
    pub fn collect(&mut self, registers: &impl Registers, statistics: &mut Statistics) {
        self.keep(registers);
        for (counter, remembered) in &mut self.named {
            *counter(statistics) += remembered.take();
        }
        for (queue, remembered) in (0..).zip(&mut self.dropped) {
            statistics.count_dropped(queue, remembered.take());
        }
    }

    /// Remembers what the device has counted, before a reset clears it.
    pub fn keep(&mut self, registers: &impl Registers) {
        let named = self.named.iter_mut().map(|(_, remembered)| remembered);
        for remembered in named.chain(&mut self.dropped) {
            remembered.kept += u64::from(counted(registers, remembered.register, &mut remembered.seen));
        }
    }
}

impl Remembered {
    fn at(register: usize) -> Self {
        Self { register, seen: 0, kept: 0 }
    }

    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.kept)
    }
}

/// The growth of one register. Reading clears it, says the manual; QEMU (7.2 to 10) keeps some of them. So
/// what is read twice the same was kept.
fn counted(registers: &impl Registers, register: usize, seen: &mut u32) -> u32 {
    let first = registers.read32(register);
    if first == u32::MAX {
        // The device is gone, which whoever looks at its link will say.
        return 0;
    }
    let second = if first == 0 { 0 } else { registers.read32(register) };
    if second == first {
        // A reset clears the register all the same.
        let before = std::mem::replace(seen, first);
        first.checked_sub(before).unwrap_or(first)
    } else {
        *seen = 0;
        first.saturating_add(second)
    }
}
