//! The device's own statistics, which it writes behind the descriptions of its queues.

use hw::dma::Region;
use nic::Statistics;

use crate::shared::{QUEUE, STATISTICS};

/// A counter of ours, and where the device's stands in the descriptions.
type Counter = (fn(&mut Statistics) -> &mut u64, usize);

/// What is taken from the device (`UPT1_TxStats`, and behind it `UPT1_RxStats`); the rest is counted by the driver.
const COUNTERS: [Counter; 4] = [
    // pktsTxError, pktsTxDiscard.
    (|statistics| &mut statistics.tx_errors, STATISTICS + 64),
    (|statistics| &mut statistics.tx_dropped, STATISTICS + 72),
    // pktsRxOutOfBuf, pktsRxError.
    (|statistics| &mut statistics.rx_missed_errors, QUEUE + STATISTICS + 64),
    (|statistics| &mut statistics.rx_errors, QUEUE + STATISTICS + 72),
];

/// What was read of each counter last.
#[derive(Default)]
pub struct Counters([u64; COUNTERS.len()]);

impl Counters {
    /// The device begins anew.
    pub fn restart(&mut self, queues: &Region) {
        *self = Self::default();
        for (_, offset) in COUNTERS {
            queues.write_word(offset, 0);
        }
    }

    /// Adds to `statistics` what the device has counted since the last call.
    pub fn collect(&mut self, queues: &Region, statistics: &mut Statistics) {
        for ((counter, offset), seen) in COUNTERS.into_iter().zip(&mut self.0) {
            let Some(now) = queues.read_word(offset) else { continue };
            let before = std::mem::replace(seen, now);
            let grown = now.checked_sub(before).unwrap_or(now);
            // What no device has seen in its life is a lie.
            if grown <= u64::from(u32::MAX) {
                *counter(statistics) += grown;
            }
        }
    }
}
