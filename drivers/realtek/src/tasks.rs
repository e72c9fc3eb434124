//! What a device does for the frames that it sends, by their descriptors: checksums, and segments of TCP.

use bitfield_struct::bitfield;
use nic::frame::HEADER;
use nic::{Checksum, Features, Frame, OffloadLimits};

/// Where a transmit descriptor tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tasks {
    /// In its first 32 bits: those of the RTL8139C+ (data sheet, 6.2.1), the RTL8169 (5.2.1) and the RTL8168B. They know
    /// IPv4 alone.
    First,
    /// In the second as well: those of the RTL8168C and later. They know both versions of IP.
    Second,
}

/// What is to be done for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its packet is IPv6's, not IPv4's.
    is_ipv6: bool,
    /// It carries UDP, not TCP.
    is_udp: bool,
    /// Where TCP's or UDP's header begins in the frame.
    transport: u16,
    /// Bytes of data in each of the segments that are to be made, if any are.
    segment: Option<u16>,
}

/// The longest frame that is no jumbo frame, without tag and FCS. Of longer ones the later devices fill no checksums in.
const ETHERNET: usize = 1514;

/// The most segments, as Realtek's drivers have it: 24 with 32,000 bytes in all, and 64.
const SEGMENTS_FIRST: usize = 32_000 / ETHERNET;
const SEGMENTS_SECOND: usize = 64;

/// EtherType of IPv6 (RFC 2464).
const IPV6: [u8; 2] = [0x86, 0xdd];

/// Where a TCP checksum stands in its header (RFC 9293, 3.1).
const CHECKSUM_OF_TCP: u16 = 16;

impl Task {
    /// What is left to be done for `frame`, if anything is.
    pub fn of(frame: &Frame) -> Option<Self> {
        let Checksum::Partial { start, offset } = frame.metadata.transport_checksum else { return None };
        let mut header = [0; HEADER];
        frame.copy_to(&mut header);
        Some(Self {
            is_ipv6: header.ends_with(&IPV6),
            is_udp: offset != CHECKSUM_OF_TCP,
            transport: start,
            segment: frame.metadata.segments.map(|segments| segments.size),
        })
    }

    /// Of segments over IPv6 the devices complete the sum of a pseudo-header that has no length.
    pub fn wants_no_lengths(self) -> bool {
        self.is_ipv6 && self.segment.is_some()
    }
}

impl Tasks {
    /// What the devices do for their driver.
    pub fn features(self) -> Features {
        let of_ipv4 = Features::TX_CHECKSUM_V4 | Features::TX_SEGMENTS;
        match self {
            Self::First => of_ipv4,
            Self::Second => of_ipv4 | Features::TX_CHECKSUM_V6 | Features::TX_SEGMENTS_V6,
        }
    }

    /// Where that ends. No data sheet tells what becomes of CWR.
    pub fn limits(self) -> OffloadLimits {
        let segments = match self {
            Self::First => SEGMENTS_FIRST,
            Self::Second => SEGMENTS_SECOND,
        };
        OffloadLimits { longest: Some(ETHERNET), segments: Some(segments), leaves_cwr: true }
    }

    /// What is added to the first word of all of a frame's descriptors.
    pub fn command(self, Task { is_ipv6, is_udp, transport, segment }: Task) -> u64 {
        match (self, segment) {
            (Self::First, None) => {
                FirstChecksums::new().with_ipcs(true).with_udpcs(is_udp).with_tcpcs(!is_udp).into()
            }
            (Self::First, Some(size)) => FirstSegments::new().with_mss(size & MSS).with_lgsen(true).into(),
            (Self::Second, None) => SecondChecksums::new()
                .with_tcpho(transport & TCPHO)
                .with_ipv6_cs(is_ipv6)
                .with_ipv4_cs(!is_ipv6)
                .with_tcp_cs(!is_udp)
                .with_udp_cs(is_udp)
                .into(),
            (Self::Second, Some(size)) => SecondSegments::new()
                .with_gttcpho((transport & GTTCPHO) as u8)
                .with_gtsenv6(is_ipv6)
                .with_gtsenv4(!is_ipv6)
                .with_mss(size & MSS)
                .into(),
        }
    }
}

/// The bits of MSS, TCPHO and GTTCPHO: more than the frames need for which the devices have tasks.
const MSS: u16 = 0x7ff;
const TCPHO: u16 = 0x3ff;
const GTTCPHO: u16 = 0x7f;

/// Checksums in [`Tasks::First`].
#[bitfield(u64)]
struct FirstChecksums {
    __: u16,
    /// TCP checksum.
    tcpcs: bool,
    /// UDP checksum.
    udpcs: bool,
    /// IP checksum.
    ipcs: bool,
    #[bits(45)]
    __: u64,
}

/// Segments in [`Tasks::First`], with all their checksums.
#[bitfield(u64)]
struct FirstSegments {
    __: u16,
    /// Bytes of data in each.
    #[bits(11)]
    mss: u16,
    /// Large send.
    lgsen: bool,
    #[bits(36)]
    __: u64,
}

/// Checksums in [`Tasks::Second`].
#[bitfield(u64)]
struct SecondChecksums {
    __: u32,
    #[bits(18)]
    __: u32,
    /// Where TCP's or UDP's header begins in the frame.
    #[bits(10)]
    tcpho: u16,
    /// Of a packet of IPv6.
    ipv6_cs: bool,
    /// Of a packet of IPv4, and its header's.
    ipv4_cs: bool,
    /// TCP checksum.
    tcp_cs: bool,
    /// UDP checksum.
    udp_cs: bool,
}

/// Segments in [`Tasks::Second`], with all their checksums.
#[bitfield(u64)]
struct SecondSegments {
    #[bits(18)]
    __: u32,
    /// Where TCP's header begins in the frame.
    #[bits(7)]
    gttcpho: u8,
    /// Giant send of IPv6.
    gtsenv6: bool,
    /// Giant send of IPv4.
    gtsenv4: bool,
    #[bits(5)]
    __: u8,
    #[bits(18)]
    __: u32,
    /// Bytes of data in each.
    #[bits(11)]
    mss: u16,
    #[bits(3)]
    __: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP4: Task = Task { is_ipv6: false, is_udp: false, transport: 34, segment: None };
    const UDP6: Task = Task { is_ipv6: true, is_udp: true, transport: 54, segment: None };

    #[test]
    fn the_early_devices_find_all_places_by_themselves() {
        assert_eq!(Tasks::First.command(TCP4), 1 << 16 | 1 << 18);
        assert_eq!(Tasks::First.command(Task { is_udp: true, ..TCP4 }), 1 << 17 | 1 << 18);
        let large = Task { segment: Some(1460), ..TCP4 };
        assert_eq!(Tasks::First.command(large), 1 << 27 | 1460 << 16);
    }

    #[test]
    fn the_later_devices_are_told_where_tcp_and_udp_begin() {
        assert_eq!(Tasks::Second.command(TCP4), (1 << 30 | 1 << 29 | 34 << 18) << 32);
        assert_eq!(Tasks::Second.command(UDP6), (1 << 31 | 1 << 28 | 54 << 18) << 32);
        let large = |task| Task { segment: Some(1440), is_udp: false, ..task };
        assert_eq!(Tasks::Second.command(large(TCP4)), 1 << 26 | 34 << 18 | 1440 << 50);
        assert_eq!(Tasks::Second.command(large(UDP6)), 1 << 25 | 54 << 18 | 1440 << 50);
    }
}
