//! What it does for frames beside moving them: it finds checksums in what it receives, fills them in in what it sends, and
//! makes segments.

use realtek::registers::{self as reg, Cpcr};
use scheme::vnet::SIZE;

use super::{Chip, Kind};
use crate::packets::{filled_in, unfinished, verdict};
use crate::wire::{Layout, cut, without_lengths};

/// Of a received frame, above its length: its TCP or UDP checksum is wrong, or it has one of TCP or of UDP.
const TCPF: u64 = 1 << 0;
const UDPF: u64 = 1 << 1;
const PID_TCP: u64 = 1 << 3;
const PID_UDP: u64 = 2 << 3;

/// The protocols' numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A packet, as the device finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packet {
    is_ipv6: bool,
    protocol: u8,
    /// Where TCP's or UDP's header begins.
    start: usize,
}

impl Packet {
    /// The one in `frame`, directly behind its Ethernet header.
    fn of(frame: &[u8]) -> Option<Self> {
        let (is_ipv6, protocol, start) = match frame.get(12..15)? {
            [0x08, 0x00, first] => (false, *frame.get(23)?, 14 + usize::from(first & 0xf) * 4),
            [0x86, 0xdd, _] => (true, *frame.get(20)?, 54),
            _ => return None,
        };
        [TCP, UDP].contains(&protocol).then_some(Self { is_ipv6, protocol, start })
    }
}

impl<K: Kind> Chip<K> {
    /// What it says of the checksum of a frame that it receives, if it is to verify it and can.
    pub(super) fn verified(&self, frame: &[u8]) -> u64 {
        let verifies = Cpcr::from_bits_retain(self.get(reg::CPCR, 2) as u16).contains(Cpcr::RX_CHK_SUM);
        let known = |packet: &Packet| verifies && (!packet.is_ipv6 || K::is_of_the_second_kind(self));
        let Some(packet) = Packet::of(frame).filter(known) else { return 0 };
        let (kind, failure) = if packet.protocol == TCP { (PID_TCP, TCPF) } else { (PID_UDP, UDPF) };
        match verdict(frame) {
            Some(true) => kind,
            Some(false) => kind | failure,
            None => 0,
        }
    }

    /// What leaves of a frame by a descriptor of the first kind: the device finds its packet, which is IPv4's.
    pub(super) fn first(&mut self, frame: Vec<u8>, command: u64) -> Vec<Vec<u8>> {
        if command >> 27 & 1 != 0 {
            return self.segments(&frame, (command >> 16) as u16, false, None);
        }
        match command >> 16 & 7 {
            0 => vec![frame],
            // IPCS, with TCPCS or with UDPCS.
            0b101 => vec![self.with_checksum(&frame, TCP, false, None)],
            0b110 => vec![self.with_checksum(&frame, UDP, false, None)],
            other => panic!("{other:#b} are no tasks of a frame"),
        }
    }

    /// The same by one of the second kind: the device is told where TCP's or UDP's header begins.
    pub(super) fn second(&mut self, frame: Vec<u8>, command: u64) -> Vec<Vec<u8>> {
        let (low, high) = (command as u32, (command >> 32) as u32);
        match low >> 25 & 7 {
            0 => (),
            giant @ (1 | 2) => {
                let start = usize::from((low >> 18) as u8 & 0x7f);
                return self.segments(&frame, (high >> 18) as u16, giant == 1, Some(start));
            }
            other => panic!("{other:#b} are no segments"),
        }
        let start = (high >> 18 & 0x3ff) as usize;
        let (protocol, is_ipv6) = match high >> 28 {
            0 => return vec![frame],
            0b0101 => (TCP, true),
            0b0110 => (TCP, false),
            0b1001 => (UDP, true),
            0b1010 => (UDP, false),
            other => panic!("{other:#b} are no tasks of a frame"),
        };
        vec![self.with_checksum(&frame, protocol, is_ipv6, Some(start))]
    }

    /// The frame with the checksum of the packet that it is said to have, at the place that is told.
    fn with_checksum(&mut self, frame: &[u8], protocol: u8, is_ipv6: bool, told: Option<usize>) -> Vec<u8> {
        let packet = Packet::of(frame).expect("it has a packet behind its Ethernet header");
        assert_eq!(packet, Packet { is_ipv6, protocol, start: told.unwrap_or(packet.start) });
        assert!(frame.len() <= 1514, "no checksums are filled into jumbo frames");
        self.filled_in += 1;
        // It does the pseudo-header's sum itself.
        filled_in(&unfinished(frame)[SIZE..], packet.start, if protocol == TCP { 16 } else { 6 })
    }

    /// The segments of `size`, of 11 bits, that the frame is to become.
    fn segments(&mut self, frame: &[u8], size: u16, is_ipv6: bool, told: Option<usize>) -> Vec<Vec<u8>> {
        let packet = Packet::of(frame).expect("it has a packet behind its Ethernet header");
        assert_eq!(packet, Packet { is_ipv6, protocol: TCP, start: told.unwrap_or(packet.start) });
        assert_eq!(frame[packet.start + 13] & 0x80, 0, "CWR would be in all segments");
        let header = packet.start + usize::from(frame[packet.start + 12] >> 4) * 4;
        let layout = Layout::of(frame, header, (size & 0x7ff).into());
        self.cut += 1;
        // The length of IPv6's header, and what comes of it, has to be left out.
        let segments =
            if is_ipv6 { cut(frame, layout) } else { cut(&without_lengths(frame, layout), layout) };
        let most = if K::is_of_the_second_kind(self) { 64 } else { 24 };
        assert!(segments.len() <= most && segments[0].len() <= 1514, "{} segments", segments.len());
        segments
    }
}
