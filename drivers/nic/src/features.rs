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
    }
}

/// Their names.
const NAMES: [(Features, &str); 2] =
    [(Features::RX_CHECKSUM, "rx-checksum"), (Features::TX_CHECKSUM, "tx-checksum-ip-generic")];

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
