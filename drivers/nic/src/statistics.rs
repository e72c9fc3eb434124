//! What an interface counts.

/// What a queue counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatistics {
    /// Frames.
    pub packets: u64,
    /// Their bytes, without FCS.
    pub bytes: u64,
    /// Frames that the device dropped because this queue had no buffer, where it counts them apart.
    pub dropped: Option<u64>,
}

/// Declares the counters with their documentation, and how to list them by name.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counters since the driver began, named as Linux names them (`rtnl_link_stats64`), and a few of ours
        /// behind them. They survive stops, starts and resets of the device.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Statistics {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// What each receive queue has brought, where there are several.
            pub rx_queues: Vec<QueueStatistics>,
        }

        impl Statistics {
            /// Every counter with its name.
            fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),+].into_iter()
            }
        }
    };
}

counters! {
    /// Good frames received.
    rx_packets,
    /// Frames sent.
    tx_packets,
    /// Bytes of the frames received, without FCS.
    rx_bytes,
    /// Bytes of the frames sent, without FCS.
    tx_bytes,
    /// Bad frames that no counter below tells more of; [`Statistics::lines`] adds those that do.
    rx_errors,
    /// Failed transmissions that no counter below tells more of; [`Statistics::lines`] adds those that do.
    tx_errors,
    /// Good frames dropped for want of buffers.
    rx_dropped,
    /// Frames accepted for sending and dropped before the device sent them.
    tx_dropped,
    /// Multicast frames received.
    multicast,
    /// Collisions.
    collisions,
    /// Frames too short or too long, or whose descriptors say so.
    rx_length_errors,
    /// Frames that overran the device's own buffer.
    rx_over_errors,
    /// Frames with a wrong FCS.
    rx_crc_errors,
    /// Frames with alignment errors.
    rx_frame_errors,
    /// Errors of the receive FIFO.
    rx_fifo_errors,
    /// Frames that the device dropped because the driver had given it no buffer.
    rx_missed_errors,
    /// Frames given up after too many collisions.
    tx_aborted_errors,
    /// Frames sent without carrier.
    tx_carrier_errors,
    /// Errors of the transmit FIFO.
    tx_fifo_errors,
    /// Missing heartbeats (10 Mbit/s transceivers).
    tx_heartbeat_errors,
    /// Late collisions.
    tx_window_errors,
    /// Frames received while nobody had `frame` open for reading.
    rx_nohandler,
    /// Frames that slow readers lost, added over all readers.
    tap_dropped,
    /// Times that the device sent nothing for too long and was reset.
    tx_timeout,
    /// Times that the device failed, and was reset.
    device_failures,
    /// Interrupts.
    interrupts,
    /// Interrupts for which the device had no cause (another device's on a shared line).
    interrupts_unclaimed,
    /// Times that interrupts without a cause came so fast that they were slowed down.
    interrupt_storms,
    /// Times that the link came or went.
    link_changes,
}

impl Statistics {
    /// Those of a device with so many receive queues; 0 where they are not counted apart.
    pub fn of_queues(count: usize) -> Self {
        Self { rx_queues: vec![QueueStatistics::default(); count], ..Self::default() }
    }

    /// Counts so many frames, of so many bytes in all, that receive queue `queue` has brought.
    pub fn count_received(&mut self, queue: u8, packets: u64, bytes: u64) {
        self.rx_packets += packets;
        self.rx_bytes += bytes;
        if let Some(counters) = self.rx_queues.get_mut(usize::from(queue)) {
            counters.packets += packets;
            counters.bytes += bytes;
        }
    }

    /// Counts so many frames that receive queue `queue` has dropped, of a device that counts them apart.
    pub fn count_dropped(&mut self, queue: u8, packets: u64) {
        self.rx_missed_errors += packets;
        if let Some(counters) = self.rx_queues.get_mut(usize::from(queue)) {
            *counters.dropped.get_or_insert(0) += packets;
        }
    }

    /// The text of the `stats` node: a `name value` line each. `rx_errors` and `tx_errors` include the detailed
    /// errors, as on Linux.
    pub fn lines(&self) -> String {
        let mut total = self.clone();
        total.rx_errors += self.rx_length_errors
            + self.rx_over_errors
            + self.rx_crc_errors
            + self.rx_frame_errors
            + self.rx_fifo_errors;
        total.tx_errors += self.tx_aborted_errors
            + self.tx_carrier_errors
            + self.tx_fifo_errors
            + self.tx_heartbeat_errors
            + self.tx_window_errors
            + self.tx_timeout;
        let counters = total.counters().map(|(name, value)| format!("{name} {value}\n"));
        let queues = self.rx_queues.iter().enumerate().map(|(queue, counters)| counters.lines(queue));
        counters.chain(queues).collect()
    }
}

impl QueueStatistics {
    /// The lines of receive queue `queue`.
    fn lines(&self, queue: usize) -> String {
        let Self { packets, bytes, dropped } = self;
        let dropped = dropped.map(|dropped| format!("rx_queue_{queue}_dropped {dropped}\n"));
        let dropped = dropped.unwrap_or_default();
        format!("rx_queue_{queue}_packets {packets}\nrx_queue_{queue}_bytes {bytes}\n{dropped}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_counted_where_there_are_several() {
        let mut statistics = Statistics::of_queues(2);
        statistics.count_received(1, 1, 60);
        statistics.count_received(9, 1, 100);
        let lines = statistics.lines();
        assert!(lines.starts_with("rx_packets 2\n") && lines.contains("\nrx_bytes 160\n"));
        let queues = "rx_queue_0_packets 0\nrx_queue_0_bytes 0\nrx_queue_1_packets 1\nrx_queue_1_bytes 60\n";
        assert!(lines.ends_with(queues), "{lines}");
        statistics.count_dropped(1, 3);
        let lines = statistics.lines();
        assert!(lines.ends_with("rx_queue_1_bytes 60\nrx_queue_1_dropped 3\n"), "{lines}");
        assert!(lines.contains("\nrx_missed_errors 3\n") && !lines.contains("rx_queue_0_dropped"));
        assert!(!Statistics::default().lines().contains("queue"));
    }

    #[test]
    fn detailed_errors_are_part_of_the_totals() {
        let statistics = Statistics {
            rx_packets: 12,
            rx_errors: 1,
            rx_crc_errors: 2,
            rx_length_errors: 3,
            rx_missed_errors: 9,
            tx_aborted_errors: 4,
            ..Statistics::default()
        };
        let lines = statistics.lines();
        assert!(lines.starts_with("rx_packets 12\n"));
        assert!(lines.contains("\nrx_errors 6\n"), "{lines}");
        assert!(lines.contains("\ntx_errors 4\n"), "{lines}");
    }
}
