//! What the device counts (82599, 8.2.3.23): each counter is cleared by reading it.

use intel::counters::Counter;

/// What is taken from the device; the rest is counted by the driver.
pub const COUNTERS: &[Counter] = &[
    // CRCERRS, ILLERRC, ERRBC.
    (|statistics| &mut statistics.rx_crc_errors, 0x4000),
    (|statistics| &mut statistics.rx_errors, 0x4004),
    (|statistics| &mut statistics.rx_errors, 0x4008),
    // RXMPC of packet buffer 0.
    (|statistics| &mut statistics.rx_missed_errors, 0x3fa0),
    // RLEC, RUC, RFC, ROC, RJC.
    (|statistics| &mut statistics.rx_length_errors, 0x4040),
    (|statistics| &mut statistics.rx_length_errors, 0x40a4),
    (|statistics| &mut statistics.rx_length_errors, 0x40a8),
    (|statistics| &mut statistics.rx_length_errors, 0x40ac),
    (|statistics| &mut statistics.rx_length_errors, 0x40b0),
];
