//! The device's own statistics, which it writes behind the descriptions of its queues.

use hw::dma::Region;
use nic::Statistics;

use crate::shared::{QUEUES, STATISTICS, receive_queue};

/// A counter of ours, and where the device's stands in a queue's description.
type Counter = (fn(&mut Statistics) -> &mut u64, usize);

/// What is taken from the device (`UPT1_TxStats`); the rest is counted by the driver.
const TRANSMIT: [Counter; 2] = [
    // pktsTxError, pktsTxDiscard.
    (|statistics| &mut statistics.tx_errors, STATISTICS + 64),
    (|statistics| &mut statistics.tx_dropped, STATISTICS + 72),
];

/// The same of each receive queue (`UPT1_RxStats`).
const RECEIVE: [Counter; 2] = [
    // pktsRxOutOfBuf, pktsRxError.
    (|statistics| &mut statistics.rx_missed_errors, STATISTICS + 64),
    (|statistics| &mut statistics.rx_errors, STATISTICS + 72),
];

/// All of them, with where they stand among the descriptions.
fn counters() -> impl Iterator<Item = Counter> {
    let receive = (0..QUEUES).flat_map(|queue| {
        RECEIVE.into_iter().map(move |(counter, offset)| (counter, receive_queue(queue) + offset))
    });
    TRANSMIT.into_iter().chain(receive)
}

/// What was read of each counter last.
#[derive(Default)]
pub struct Counters([u64; TRANSMIT.len() + QUEUES * RECEIVE.len()]);

impl Counters {
    /// The device begins anew.
    pub fn restart(&mut self, queues: &Region) {
        *self = Self::default();
        for (_, offset) in counters() {
            queues.write_word(offset, 0);
        }
    }

    /// Adds to `statistics` what the device has counted since the last call.
    pub fn collect(&mut self, queues: &Region, statistics: &mut Statistics) {
        for ((counter, offset), seen) in counters().zip(&mut self.0) {
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
