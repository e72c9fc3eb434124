//! What a device does for its driver beside moving frames, by the names that ethtool has for it.

use bitflags::bitflags;

bitflags! {
    /// Such facilities: those that a device offers, or those that are on.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Features: u32 {
        /// It looks at the checksums of TCP and UDP that it receives.
        const RX_CHECKSUM = 1 << 0;
        /// It fills in those that it sends, wherever they stand.
        const TX_CHECKSUM = 1 << 1;
        /// It takes the tags of VLANs off the frames that it receives, and tells them.
        const RX_VLAN = 1 << 2;
        /// It puts the tags that it is told into frames that it sends.
        const TX_VLAN = 1 << 3;
        /// It receives no frames of VLANs that nobody asked for.
        const VLAN_FILTER = 1 << 4;
        /// It makes segments of what is several segments of TCP over IPv4, as long as it also fills in checksums.
        const TX_SEGMENTS = 1 << 5;
        /// The same over IPv6.
        const TX_SEGMENTS_V6 = 1 << 6;
        /// It joins segments of TCP that it receives, and tells their size, so that they can be made again.
        const RX_JOINED = 1 << 7;
        /// It fills in checksums of TCP and UDP directly behind an IPv4 header that no tag is before.
        const TX_CHECKSUM_V4 = 1 << 8;
        /// The same over IPv6.
        const TX_CHECKSUM_V6 = 1 << 9;
    }
}

/// Their names.
const NAMES: [(Features, &str); 10] = [
    (Features::RX_CHECKSUM, "rx-checksum"),
    (Features::TX_CHECKSUM, "tx-checksum-ip-generic"),
    (Features::TX_CHECKSUM_V4, "tx-checksum-ipv4"),
    (Features::TX_CHECKSUM_V6, "tx-checksum-ipv6"),
    (Features::TX_SEGMENTS, "tx-tcp-segmentation"),
    (Features::TX_SEGMENTS_V6, "tx-tcp6-segmentation"),
    (Features::RX_JOINED, "rx-gro-hw"),
    (Features::RX_VLAN, "rx-vlan-offload"),
    (Features::TX_VLAN, "tx-vlan-offload"),
    (Features::VLAN_FILTER, "rx-vlan-filter"),
];

impl Features {
    /// The one called `name`.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, own)| *own == name).map(|(feature, _)| *feature)
    }

    /// Each of these, with its name.
    pub fn names(self) -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.into_iter().filter(move |(feature, _)| self.contains(*feature))
    }
}
