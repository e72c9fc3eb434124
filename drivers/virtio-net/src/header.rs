//! The header before each frame: `struct virtio_net_hdr` (virtio 1.2, 5.1.6).

use nic::{Checksum, Metadata, Segments, vnet};

/// Bytes of the header, in the form without hash reports.
pub const SIZE: usize = vnet::SIZE;

/// The header of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the device says of the checksum, and of segments that it has joined; `None` if that cannot be.
    pub said: Option<(Checksum, Option<Segments>)>,
    /// How many buffers the frame takes.
    pub num_buffers: u16,
}

impl From<[u8; SIZE]> for Header {
    fn from(bytes: [u8; SIZE]) -> Self {
        let said = vnet::Header::parse(&bytes).ok().map(|header| (header.checksum, header.segments));
        let [.., low, high] = bytes;
        Self { said, num_buffers: u16::from_le_bytes([low, high]) }
    }
}

/// The header of a frame that the device shall send.
pub fn outgoing(metadata: Metadata) -> [u8; SIZE] {
    let Metadata { transport_checksum: checksum, segments, .. } = metadata;
    // VIRTIO_NET_HDR_F_DATA_VALID is the device's to say (5.1.6.2.1).
    let is_partial = matches!(checksum, Checksum::Partial { .. });
    let checksum = if is_partial { checksum } else { Checksum::Unknown };
    vnet::Header { checksum, segments, ..Default::default() }.bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_of_checksums_and_buffers() {
        let header = |flags, gso_type| Header::from([flags, gso_type, 0, 0, 0, 0, 34, 0, 6, 0, 3, 1]);
        let of = |said| Header { said, num_buffers: 0x103 };
        assert_eq!(header(0, 0), of(Some((Checksum::Unknown, None))));
        assert_eq!(header(2, 0), of(Some((Checksum::Good, None))), "VIRTIO_NET_HDR_F_DATA_VALID");
        let partial = Checksum::Partial { start: 34, offset: 6 };
        assert_eq!(header(1, 0), of(Some((partial, None))), "VIRTIO_NET_HDR_F_NEEDS_CSUM");
        let segments = Segments { is_ipv6: false, size: 0, header: 0 };
        assert_eq!(header(1, 1), of(Some((partial, Some(segments)))), "VIRTIO_NET_HDR_GSO_TCPV4");
        assert_eq!(header(0, 1), of(None), "segments without a checksum that is left to be done");
    }

    #[test]
    fn only_what_is_left_to_do_is_told_to_the_device() {
        let of =
            |transport_checksum, segments| Metadata { transport_checksum, segments, ..Metadata::default() };
        let partial = Checksum::Partial { start: 34, offset: 16 };
        let segments = Segments { is_ipv6: true, size: 0x102, header: 54 };
        assert_eq!(outgoing(of(Checksum::Good, None)), [0; SIZE]);
        assert_eq!(outgoing(of(partial, None)), [1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0]);
        assert_eq!(outgoing(of(partial, Some(segments))), [1, 4, 54, 0, 2, 1, 34, 0, 16, 0, 0, 0]);
    }
}
