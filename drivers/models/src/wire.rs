//! Segments of TCP: made as devices make them, and judged by a parser that is none of ours.

use etherparse::{NetHeaders, PacketHeaders, TransportHeader};

use crate::packets::{filled_in, verdict};

/// Where a device finds what it makes segments of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Where the IP header begins.
    pub ip: usize,
    /// Where the TCP header begins.
    pub tcp: usize,
    /// Bytes of the headers.
    pub header: usize,
    /// Bytes of data in each segment but the last.
    pub size: usize,
}

impl Layout {
    /// That of a frame without a tag or extension headers.
    pub fn of(frame: &[u8], header: usize, size: usize) -> Self {
        let ip = 14;
        let tcp = if frame[ip] >> 4 == 4 { ip + usize::from(frame[ip] & 0xf) * 4 } else { ip + 40 };
        Self { ip, tcp, header, size }
    }
}

/// The frame without lengths in its headers, for [`cut`].
pub fn without_lengths(frame: &[u8], Layout { ip, tcp, .. }: Layout) -> Vec<u8> {
    let mut without = frame.to_vec();
    if frame[ip] >> 4 == 4 {
        without[ip + 2..ip + 4].fill(0);
        without[ip + 10..ip + 12].fill(0);
    } else {
        without[ip + 4..ip + 6].fill(0);
    }
    add(&mut without, tcp + 16, 0xffff - (frame.len() - tcp));
    without
}

/// The segments that a device makes of a frame that has no lengths in its headers (8254x SDM, 3.5): it adds those to what
/// is there.
pub fn cut(frame: &[u8], Layout { ip, tcp, header, size }: Layout) -> Vec<Vec<u8>> {
    let (headers, data) = frame.split_at(header);
    let count = data.len().div_ceil(size);
    let segment = |(index, data): (usize, &[u8])| {
        let mut segment = [headers, data].concat();
        let length = segment.len() - tcp;
        if segment[ip] >> 4 == 4 {
            let packet = segment.len() - ip;
            add(&mut segment, ip + 2, packet);
            add(&mut segment, ip + 4, index);
            let (before, rest) = segment.split_at(tcp);
            segment = [&filled_in(before, ip, 10), rest].concat();
        } else {
            add(&mut segment, ip + 4, length);
        }
        let number = u32::from_be_bytes([0, 1, 2, 3].map(|at| segment[tcp + 4 + at]));
        segment[tcp + 4..tcp + 8].copy_from_slice(&number.wrapping_add((index * size) as u32).to_be_bytes());
        // FIN and PSH are the last one's, CWR is the first one's.
        segment[tcp + 13] &= if index + 1 == count { 0xff } else { !0x09 };
        segment[tcp + 13] &= if index == 0 { 0xff } else { !0x80 };
        add(&mut segment, tcp + 16, length);
        let mut finished = filled_in(&segment, tcp, 16);
        finished.resize(finished.len().max(60), 0);
        finished
    };
    data.chunks(size).enumerate().map(segment).collect()
}

/// Adds to a number in the frame, as sums do (RFC 1071): a carry comes in again.
fn add(frame: &mut [u8], at: usize, more: usize) {
    let sum = usize::from(u16::from_be_bytes([frame[at], frame[at + 1]])) + more;
    frame[at..at + 2].copy_from_slice(&((sum & 0xffff) + (sum >> 16)).to_be_bytes()[6..]);
}

/// Fails unless `sent` are the segments of `whole`, of which each but the last has `size` bytes of data: their lengths,
/// numbers, flags, checksums and IP identifications, with all else as it was.
pub fn assert_segments(whole: &[u8], size: usize, sent: &[Vec<u8>]) {
    let headers = PacketHeaders::from_ethernet_slice(whole).expect("the whole is a packet");
    let all = headers.payload.slice();
    let count = all.len().div_ceil(size);
    assert_eq!(sent.len(), count, "{} bytes in segments of {size}", all.len());
    for (index, (segment, data)) in sent.iter().zip(all.chunks(size)).enumerate() {
        assert_eq!(verdict(segment), Some(true), "the checksum of segment {index}: {segment:02x?}");
        assert_eq!(segment.len(), (whole.len() - all.len() + data.len()).max(60), "segment {index}");
        let found = PacketHeaders::from_ethernet_slice(segment).expect("a segment is a packet");
        assert!(found.payload.slice() == data, "the data of segment {index}");
        let mut expected = headers.clone();
        match &mut expected.net {
            Some(NetHeaders::Ipv4(ip, _)) => {
                ip.total_len -= (all.len() - data.len()) as u16;
                ip.identification = ip.identification.wrapping_add(index as u16);
                ip.header_checksum = ip.calc_header_checksum();
            }
            Some(NetHeaders::Ipv6(ip, _)) => ip.payload_length -= (all.len() - data.len()) as u16,
            other => panic!("{other:?} is no header of IP"),
        }
        match (&mut expected.transport, &found.transport) {
            (Some(TransportHeader::Tcp(tcp)), Some(TransportHeader::Tcp(found))) => {
                tcp.sequence_number = tcp.sequence_number.wrapping_add((index * size) as u32);
                (tcp.fin, tcp.psh) = if index + 1 == count { (tcp.fin, tcp.psh) } else { (false, false) };
                tcp.cwr &= index == 0;
                // It was found right above.
                tcp.checksum = found.checksum;
            }
            other => panic!("{other:?} are no headers of TCP"),
        }
        assert_eq!(
            (found.link, found.net, found.transport),
            (expected.link, expected.net, expected.transport),
            "segment {index}"
        );
    }
}
