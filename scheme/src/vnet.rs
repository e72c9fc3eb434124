//! The header that a frame has in the form `vnet` of the network scheme: what is known of the frame, and what is left to
//! be done for it. It is `struct virtio_net_hdr` (virtio 1.2, 5.1.6), as Linux's tap devices have it, too.

/// Bytes of the header. The last two count buffers for virtio, and hold the tag here.
pub const SIZE: usize = 12;

/// Bytes of the longest frame that may be written of which segments are to be made: no more buffers than any device takes
/// at a time.
pub const LONGEST: usize = 32 * 1024;

/// Bytes of the longest frame that is received, being several segments that the device has joined: before it, in a pipe,
/// 16 bits tell its length and the header's.
pub const LONGEST_RECEIVED: usize = u16::MAX as usize - SIZE;

/// VIRTIO_NET_HDR_F_NEEDS_CSUM.
const NEEDS_CSUM: u8 = 1;
/// VIRTIO_NET_HDR_F_DATA_VALID.
const DATA_VALID: u8 = 2;

/// Ours, and none of virtio's: the frame's tag stands in the header's last two bytes.
const TAGGED: u8 = 0x80;

/// VIRTIO_NET_HDR_GSO_NONE.
const GSO_NONE: u8 = 0;
/// VIRTIO_NET_HDR_GSO_TCPV4.
const GSO_TCPV4: u8 = 1;
/// VIRTIO_NET_HDR_GSO_TCPV6.
const GSO_TCPV6: u8 = 4;

/// How frames are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are on the wire.
    Plain,
    /// Each behind a [`Header`], and perhaps unfinished.
    Vnet,
}

impl Form {
    /// Bytes before each frame.
    pub fn header(self) -> usize {
        match self {
            Form::Plain => 0,
            Form::Vnet => SIZE,
        }
    }
}

/// What is known of a TCP or UDP checksum, or left to be done for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// It was not looked at: whoever receives the frame checks it.
    #[default]
    Unknown,
    /// Checked, and right.
    Good,
    /// Checked, and wrong. A header cannot say so.
    Bad,
    /// The field holds the sum of the pseudo-header; the rest is to be added.
    Partial {
        /// Where the TCP or UDP header begins in the frame, from where on bytes are covered.
        start: u16,
        /// Where the checksum stands in that.
        offset: u16,
    },
}

impl Checksum {
    /// Whether a frame of `len` bytes has a place for it.
    pub fn fits(self, len: usize) -> bool {
        match self {
            Self::Partial { start, offset } => usize::from(start) + usize::from(offset) + 2 <= len,
            _ => true,
        }
    }
}

/// A frame is several segments of TCP, which are to be made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// It is IPv6's, not IPv4's.
    pub is_ipv6: bool,
    /// Bytes of data in each segment but the last.
    pub size: u16,
    /// Bytes before the data: the headers of Ethernet, IP and TCP.
    pub header: u16,
}

/// The header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The TCP or UDP checksum.
    pub checksum: Checksum,
    /// What is to be made of the frame, unless it is one segment.
    pub segments: Option<Segments>,
    /// The control information of the 802.1Q tag that the frame has on the wire, and not in its bytes.
    pub vlan: Option<u16>,
}

/// A header that says what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header of a frame asks for what is not known: flags {flags:#x}, gso_type {gso_type}")]
pub struct Unknown {
    flags: u8,
    gso_type: u8,
}

impl Header {
    /// What the bytes say.
    ///
    /// # Errors
    /// They ask for another kind of segmentation than that of TCP, or for one without a checksum.
    pub fn parse(bytes: &[u8; SIZE]) -> Result<Self, Unknown> {
        let [flags, gso_type, l0, l1, s0, s1, b0, b1, o0, o1, v0, v1] = *bytes;
        let number = |low, high| u16::from_le_bytes([low, high]);
        let checksum = match (flags & NEEDS_CSUM != 0, flags & DATA_VALID != 0) {
            (true, _) => Checksum::Partial { start: number(b0, b1), offset: number(o0, o1) },
            (false, true) => Checksum::Good,
            (false, false) => Checksum::Unknown,
        };
        let segments = |is_ipv6| Some(Segments { is_ipv6, size: number(s0, s1), header: number(l0, l1) });
        let segments = match (gso_type, checksum) {
            (GSO_NONE, _) => None,
            (GSO_TCPV4, Checksum::Partial { .. }) => segments(false),
            (GSO_TCPV6, Checksum::Partial { .. }) => segments(true),
            _ => return Err(Unknown { flags, gso_type }),
        };
        let vlan = (flags & TAGGED != 0).then(|| number(v0, v1));
        Ok(Self { checksum, segments, vlan })
    }

    /// The bytes that say so.
    pub fn bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        match self.checksum {
            Checksum::Unknown | Checksum::Bad => (),
            Checksum::Good => bytes[0] = DATA_VALID,
            Checksum::Partial { start, offset } => {
                bytes[0] = NEEDS_CSUM;
                bytes[6..8].copy_from_slice(&start.to_le_bytes());
                bytes[8..10].copy_from_slice(&offset.to_le_bytes());
            }
        }
        if let Some(Segments { is_ipv6, size, header }) = self.segments {
            bytes[1] = if is_ipv6 { GSO_TCPV6 } else { GSO_TCPV4 };
            bytes[2..4].copy_from_slice(&header.to_le_bytes());
            bytes[4..6].copy_from_slice(&size.to_le_bytes());
        }
        if let Some(vlan) = self.vlan {
            bytes[0] |= TAGGED;
            bytes[10..12].copy_from_slice(&vlan.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTIAL: Checksum = Checksum::Partial { start: 34, offset: 16 };

    #[test]
    fn what_is_said_is_understood() {
        let segments = |is_ipv6| Some(Segments { is_ipv6, size: 1460, header: 54 });
        for header in [
            Header::default(),
            Header { checksum: Checksum::Good, ..Header::default() },
            Header { checksum: PARTIAL, ..Header::default() },
            Header { checksum: PARTIAL, segments: segments(false), vlan: None },
            Header { checksum: PARTIAL, segments: segments(true), vlan: Some(10) },
            Header { checksum: Checksum::Good, segments: None, vlan: Some(0) },
        ] {
            assert_eq!(Header::parse(&header.bytes()), Ok(header));
        }
    }

    #[test]
    fn it_is_virtios_header() {
        let segments = Some(Segments { is_ipv6: false, size: 0x5b4, header: 54 });
        let header = Header { checksum: PARTIAL, segments, vlan: None };
        assert_eq!(header.bytes(), [1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0]);
        assert_eq!(Header { checksum: Checksum::Bad, ..Header::default() }.bytes(), [0; SIZE]);
    }

    #[test]
    fn a_tag_stands_where_virtio_counts_buffers() {
        let header = Header { vlan: Some(0x600a), ..Header::default() };
        assert_eq!(header.bytes(), [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0x60]);
    }

    #[test]
    fn a_checksum_stands_inside_of_its_frame() {
        assert!(PARTIAL.fits(52) && !PARTIAL.fits(51));
        assert!(Checksum::Good.fits(0));
        assert!(!Checksum::Partial { start: u16::MAX, offset: u16::MAX }.fits(usize::from(u16::MAX)));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let parse = |flags, gso_type| Header::parse(&[flags, gso_type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(parse(1, 3).is_err(), "segments of UDP");
        assert!(parse(1, 0x81).is_err(), "with ECN");
        assert!(parse(2, 1).is_err(), "segments need checksums");
    }
}
