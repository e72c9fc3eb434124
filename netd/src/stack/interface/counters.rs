//! What is counted of an interface.

/// What happened on an interface, counted since the start. The names are those of Linux's
/// `rtnl_link_stats64`, and after them our own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Frames received.
    pub rx_packets: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Bytes received, headers included.
    pub rx_bytes: u64,
    /// Bytes sent, headers included.
    pub tx_bytes: u64,
    /// Frames that were malformed.
    pub rx_errors: u64,
    /// Well-formed packets that nobody here wanted or had room for.
    pub rx_dropped: u64,
    /// Packets without a link, answers that found the queue full, and packets that waited for an unknown
    /// neighbour when too many others did.
    pub tx_dropped: u64,
    /// DHCP messages that were malformed or made no sense.
    pub dhcp_malformed: u64,
    /// Packets whose next hop did not answer ARP or neighbour discovery.
    pub neighbour_failures: u64,
    /// Connection requests that found the backlog full.
    pub listen_overflows: u64,
    /// Times that another host used an address of ours.
    pub address_conflicts: u64,
}

impl Counters {
    /// The counters with their names.
    pub fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("rx_packets", self.rx_packets),
            ("tx_packets", self.tx_packets),
            ("rx_bytes", self.rx_bytes),
            ("tx_bytes", self.tx_bytes),
            ("rx_errors", self.rx_errors),
            ("rx_dropped", self.rx_dropped),
            ("tx_dropped", self.tx_dropped),
            ("dhcp_malformed", self.dhcp_malformed),
            ("neighbour_failures", self.neighbour_failures),
            ("listen_overflows", self.listen_overflows),
            ("address_conflicts", self.address_conflicts),
        ]
    }
}
