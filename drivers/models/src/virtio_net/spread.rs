//! How the device spreads received frames over its pairs of virtqueues (virtio 1.2, 5.1.6.5.5 and 5.1.6.5.7).

use virtio_net::registers::hash_types;

use crate::flows::{hashed, toeplitz};

/// What the device was told.
pub enum Spread {
    /// Nothing yet: all frames come by the first pair.
    First,
    /// To use so many pairs, as it likes.
    AsItLikes(u16),
    /// `struct virtio_net_rss_config`.
    Rss {
        /// What is hashed.
        hash_types: u32,
        /// The pair of frames without a hash.
        unclassified: u16,
        /// The pair of each hash, by its lowest bits.
        table: Vec<u16>,
        /// What hashes.
        key: Vec<u8>,
    },
}

impl Spread {
    /// By what the command says.
    pub fn rss(configuration: &[u8]) -> Self {
        let half = |at: usize| u16::from_le_bytes([configuration[at], configuration[at + 1]]);
        let entries = usize::from(half(4)) + 1;
        assert!(entries.is_power_of_two() && entries <= 128);
        let end = 8 + 2 * entries;
        assert_eq!(configuration[end + 2], 40, "the key's length");
        assert_eq!(configuration.len(), end + 3 + 40);
        Self::Rss {
            hash_types: u32::from(half(0)) | u32::from(half(2)) << 16,
            unclassified: half(6),
            table: (0..entries).map(|entry| half(8 + 2 * entry)).collect(),
            key: configuration[end + 3..].to_vec(),
        }
    }

    /// The pair by which a frame comes.
    pub fn pair(&self, frame: &[u8]) -> u16 {
        match self {
            Self::First => 0,
            Self::AsItLikes(pairs) => {
                let mix = |mixed: u16, byte: &u8| mixed.wrapping_mul(31).wrapping_add((*byte).into());
                frame.iter().fold(0, mix) / 256 % pairs
            }
            Self::Rss { hash_types, unclassified, table, key } => match hash(*hash_types, key, frame) {
                Some(hash) => table[hash as usize % table.len()],
                None => *unclassified,
            },
        }
    }
}

fn hash(hash_types: u32, key: &[u8], frame: &[u8]) -> Option<u32> {
    let with_ports = |is_tcp, is_v6| {
        let kind = match (is_tcp, is_v6) {
            (true, false) => hash_types::TCP4,
            (false, false) => hash_types::UDP4,
            (true, true) => hash_types::TCP6,
            (false, true) => hash_types::UDP6,
        };
        hash_types & kind != 0
    };
    let input = hashed(frame, with_ports)?;
    let by_address = if input.len() < 32 { hash_types::IP4 } else { hash_types::IP6 };
    let is_hashed = !matches!(input.len(), 8 | 32) || hash_types & by_address != 0;
    is_hashed.then(|| toeplitz(key, &input))
}
