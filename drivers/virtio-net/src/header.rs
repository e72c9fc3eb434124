//! The header before each frame: `struct virtio_net_hdr` (virtio 1.2, 5.1.6).

/// Bytes of the header, in the form without hash reports.
pub const SIZE: usize = 12;

/// VIRTIO_NET_HDR_F_NEEDS_CSUM.
const NEEDS_CSUM: u8 = 1;
/// VIRTIO_NET_HDR_GSO_NONE.
const GSO_NONE: u8 = 0;

/// The header of a frame that leaves as it is, with all its checksums.
pub const PLAIN: [u8; SIZE] = [0; SIZE];

/// The header of a received frame, as far as it matters where no offloads are negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows is a frame, whole and with all its checksums.
    pub is_plain: bool,
    /// How many buffers the frame takes.
    pub num_buffers: u16,
}

impl From<[u8; SIZE]> for Header {
    fn from([flags, gso_type, _, _, _, _, _, _, _, _, low, high]: [u8; SIZE]) -> Self {
        Self {
            is_plain: flags & NEEDS_CSUM == 0 && gso_type == GSO_NONE,
            num_buffers: u16::from_le_bytes([low, high]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_negotiated_is_not_plain() {
        let header = |flags, gso_type| Header::from([flags, gso_type, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1]);
        assert_eq!(header(0, 0), Header { is_plain: true, num_buffers: 0x103 });
        assert!(header(2, 0).is_plain, "VIRTIO_NET_HDR_F_DATA_VALID says only that it is good");
        assert!(!header(1, 0).is_plain, "VIRTIO_NET_HDR_F_NEEDS_CSUM");
        assert!(!header(0, 1).is_plain, "VIRTIO_NET_HDR_GSO_TCPV4");
    }
}
