//! Tells routers and switches which IPv4 groups we are in: IGMPv3 (RFC 3376), and IGMPv2 (RFC 2236) where that is asked.

use std::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpProtocol, Ipv4Packet};

use super::datagram::Datagram;
use super::ipv4;
use super::membership::{MOST_RECORDS, Membership, Query, Record};
use super::random::Random;
use super::wire::HEADROOM;

/// All hosts that know of groups (RFC 1112 section 4), which nobody joins.
pub const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// RFC 2236 section 3.
const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
/// Who listens to reports (RFC 3376 section 4.2.14).
const LISTENERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);

/// RFC 3376 section 4.1.
const QUERY: u8 = 0x11;
/// RFC 2236 section 2.1.
const REPORT_V2: u8 = 0x16;
/// RFC 2236 section 2.1.
const LEAVE_V2: u8 = 0x17;
/// RFC 3376 section 4.2.
const REPORT_V3: u8 = 0x22;

/// Bytes of a message of IGMPv2, and of the beginning of one of IGMPv3.
const HEADER: usize = 8;
/// The option "router alert" (RFC 2113).
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// RFC 3376 section 4: internetwork control.
const TYPE_OF_SERVICE: u8 = 0xc0;

/// What there is to tell on one link.
#[derive(Debug, Default)]
pub struct Igmp {
    membership: Membership<Ipv4Addr>,
}

impl Igmp {
    /// A group was joined, or left.
    pub fn change(&mut self, group: Ipv4Addr, joined: bool, now: Instant) {
        if group != ALL_SYSTEMS {
            self.membership.change(group, joined, now);
        }
    }

    /// Takes a message; whether it was well-formed.
    pub fn receive(&mut self, packet: &Datagram<'_>, now: Instant, random: &mut Random) -> bool {
        let Some([kind, code, _, _, group @ ..]) = packet.payload.first_chunk::<HEADER>() else {
            return false;
        };
        let is_from_the_link = Ipv4Packet::new_unchecked(packet.bytes).hop_limit() == 1;
        if sum(packet.payload) != 0 || !is_from_the_link {
            return false;
        }
        // Reports of others are no news: switches keep each member's from the rest.
        if *kind == QUERY {
            let group = Ipv4Addr::from(*group);
            let query = Query {
                group: Some(group).filter(|group| !group.is_unspecified()),
                is_older: packet.payload.len() == HEADER,
                patience: Duration::from_millis(tenths(*code) * 100),
            };
            self.membership.receive(query, now, random);
        }
        true
    }

    /// The messages that are due about a member of `groups`, from `source`: packets with their destinations.
    pub fn poll(
        &mut self,
        groups: impl Iterator<Item = Ipv4Addr>,
        source: Ipv4Addr,
        now: Instant,
        random: &mut Random,
    ) -> Vec<(Ipv4Addr, Vec<u8>)> {
        let due = self.membership.poll(groups.filter(|group| *group != ALL_SYSTEMS), now, random);
        let packets = due.iter().flat_map(|report| match report.is_older {
            true => report.records.iter().map(|record| message_v2(source, *record)).collect::<Vec<_>>(),
            false => report.records.chunks(MOST_RECORDS).map(|records| report_v3(source, records)).collect(),
        });
        packets.collect()
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.membership.deadline()
    }
}

/// RFC 3376 section 4.1.1: a code, as a float if it is large. In IGMPv2, whose routers ask for 10 seconds, it never is.
fn tenths(code: u8) -> u64 {
    let (mantissa, exponent) = (u64::from(code & 0x0f), u64::from(code >> 4 & 7));
    match code {
        ..0x80 => code.into(),
        _ => (mantissa | 0x10) << (exponent + 3),
    }
}

fn report_v3(source: Ipv4Addr, records: &[(Record, Ipv4Addr)]) -> (Ipv4Addr, Vec<u8>) {
    const RECORD: usize = 8;
    let length = HEADER + records.len() * RECORD;
    let packet = build(source, LISTENERS, REPORT_V3, length, |body| {
        body[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        for (room, (record, group)) in body[HEADER..].chunks_exact_mut(RECORD).zip(records) {
            room[0] = *record as u8;
            room[4..].copy_from_slice(&group.octets());
        }
    });
    (LISTENERS, packet)
}

/// RFC 2236 section 9: reports go to the group, and all routers hear of its end.
fn message_v2(source: Ipv4Addr, (record, group): (Record, Ipv4Addr)) -> (Ipv4Addr, Vec<u8>) {
    let (kind, destination) = match record {
        Record::Present | Record::Joined => (REPORT_V2, group),
        Record::Left => (LEAVE_V2, ALL_ROUTERS),
    };
    let fill = |body: &mut [u8]| body[4..8].copy_from_slice(&group.octets());
    (destination, build(source, destination, kind, HEADER, fill))
}

/// A packet that stays on the link, behind its headroom, with a message of `length` bytes.
fn build(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    kind: u8,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let options = ROUTER_ALERT.len();
    let mut packet = ipv4::build(source, destination, IpProtocol::Igmp, options + length, |room| {
        let (alert, message) = room.split_at_mut(options);
        alert.copy_from_slice(&ROUTER_ALERT);
        message[0] = kind;
        fill(message);
        let sum = sum(message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    });
    let mut header = Ipv4Packet::new_unchecked(&mut packet[HEADROOM..]);
    header.set_header_len((ipv4::HEADER + options) as u8);
    header.set_hop_limit(1);
    header.set_dscp(TYPE_OF_SERVICE >> 2);
    header.fill_checksum();
    packet
}

/// The Internet checksum (RFC 1071) of a message: 0 if the message has the right one.
fn sum(message: &[u8]) -> u16 {
    let words = message.chunks(2).map(|word| match word {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high, ..] => u32::from(*high) << 8,
        [] => 0,
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);

    /// A query, whose header has no options.
    fn query(version: u8, code: u8, group: Ipv4Addr) -> Vec<u8> {
        let length = if version == 2 { HEADER } else { HEADER + 4 };
        let mut packet = build(ROUTER, ALL_SYSTEMS, QUERY, length, |body| {
            body[1] = code;
            body[4..8].copy_from_slice(&group.octets());
        });
        packet.split_off(HEADROOM)
    }

    fn ask(igmp: &mut Igmp, packet: &[u8]) -> bool {
        igmp.receive(&Datagram::parse(packet).unwrap(), Instant::ZERO, &mut Random::new([2, 2]))
    }

    /// The messages that are sent when they are due, and where to.
    fn told(igmp: &mut Igmp) -> Vec<(Ipv4Addr, Vec<u8>)> {
        let now = igmp.deadline().unwrap();
        let packets = igmp.poll([ALL_SYSTEMS, GROUP].into_iter(), OWN, now, &mut Random::new([1, 1]));
        let message = |(to, packet): (Ipv4Addr, Vec<u8>)| {
            let packet = Datagram::parse(&packet[HEADROOM..]).unwrap();
            assert_eq!((packet.source, packet.destination), (OWN.into(), to.into()));
            assert_eq!((packet.bytes[8], &packet.bytes[20..24]), (1, &ROUTER_ALERT[..]));
            assert_eq!(sum(packet.payload), 0);
            (to, packet.payload.to_vec())
        };
        packets.into_iter().map(message).collect()
    }

    /// What a message says, its checksum aside.
    fn words(message: &[u8]) -> Vec<u8> {
        [&message[..2], &message[4..]].concat()
    }

    fn report(record: u8) -> Vec<u8> {
        vec![REPORT_V3, 0, 0, 0, 0, 1, record, 0, 0, 0, 239, 1, 2, 3]
    }

    #[test]
    fn what_is_joined_and_left_is_told_twice_and_a_query_answered() {
        let mut igmp = Igmp::default();
        igmp.change(ALL_SYSTEMS, true, Instant::ZERO);
        assert_eq!(igmp.deadline(), None, "everybody knows");
        for (joined, record) in [(true, 4), (false, 3)] {
            igmp.change(GROUP, joined, Instant::ZERO);
            for _ in 0..2 {
                let [(to, message)] = &told(&mut igmp)[..] else { panic!("one message") };
                assert_eq!((*to, words(message)), (LISTENERS, report(record)));
            }
            assert_eq!(igmp.deadline(), None);
        }
        assert!(ask(&mut igmp, &query(3, 100, Ipv4Addr::UNSPECIFIED)));
        assert!(igmp.deadline().unwrap() <= Instant::from_secs(10));
        assert_eq!(words(&told(&mut igmp)[0].1), report(2));
    }

    #[test]
    fn a_router_of_the_second_version_hears_words_of_its_own() {
        let mut igmp = Igmp::default();
        assert!(ask(&mut igmp, &query(2, 100, GROUP)));
        let about = |kind| vec![kind, 0, 239, 1, 2, 3];
        let [(to, message)] = &told(&mut igmp)[..] else { panic!("one message") };
        assert_eq!((*to, words(message)), (GROUP, about(REPORT_V2)));
        igmp.change(GROUP, false, Instant::ZERO);
        let [(to, message)] = &told(&mut igmp)[..] else { panic!("one message") };
        assert_eq!((*to, words(message)), (ALL_ROUTERS, about(LEAVE_V2)));
    }

    #[test]
    fn what_is_malformed_or_from_beyond_the_link_is_no_query() {
        let mut igmp = Igmp::default();
        let sound = query(3, 100, GROUP);
        let (mut wrong, mut far) = (sound.clone(), sound.clone());
        wrong[25] ^= 1;
        let mut header = Ipv4Packet::new_unchecked(&mut far);
        header.set_hop_limit(2);
        header.fill_checksum();
        assert!(!ask(&mut igmp, &wrong) && !ask(&mut igmp, &far));
        assert_eq!(igmp.deadline(), None);
        assert!(ask(&mut igmp, &sound));
    }

    #[test]
    fn long_delays_are_floats() {
        assert_eq!([100, 0x80, 0xff].map(tenths), [100, 128, 31_744]);
    }
}
