//! Tells routers and switches which IPv6 groups we are in: MLDv2 (RFC 3810), and MLDv1 (RFC 2710) where that is asked.

use std::net::Ipv6Addr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpProtocol, Ipv6Packet};

use super::icmpv6::{self, Message};
use super::ipv6;
use super::membership::{MOST_RECORDS, Membership, Query, Record};
use super::ndisc::{ALL_NODES, ALL_ROUTERS};
use super::random::Random;
use super::wire::HEADROOM;

/// RFC 3810 section 5.1.
pub const QUERY: u8 = 130;
/// RFC 2710 section 3.1.
const REPORT: u8 = 131;
/// RFC 2710 section 3.1.
const DONE: u8 = 132;
/// RFC 3810 section 5.2.
const REPORT_V2: u8 = 143;
/// A query of MLDv1 has no more after the ICMPv6 header (RFC 3810 section 8.1).
const QUERY_V1_LENGTH: usize = 20;
/// Who listens to reports (RFC 3810 section 5.2.14).
const LISTENERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
/// A hop-by-hop header with the option "router alert" (RFC 2711).
const ROUTER_ALERT: [u8; 8] = [58, 0, 5, 2, 0, 0, 1, 0];

/// What there is to tell on one link.
#[derive(Debug, Default)]
pub struct Mld {
    membership: Membership<Ipv6Addr>,
}

impl Mld {
    /// A group was joined, or left.
    pub fn change(&mut self, group: Ipv6Addr, joined: bool, now: Instant) {
        if is_told(group) {
            self.membership.change(group, joined, now);
        }
    }

    /// Takes a query.
    pub fn receive(&mut self, query: &Message<'_>, now: Instant, random: &mut Random) {
        let Some(([high, low, _, _], rest)) = query.body.split_first_chunk::<4>() else { return };
        let Some(group) = rest.first_chunk::<16>().copied().map(Ipv6Addr::from) else { return };
        let query = Query {
            group: Some(group).filter(|group| !group.is_unspecified()),
            is_older: query.body.len() == QUERY_V1_LENGTH,
            patience: Duration::from_millis(milliseconds(u16::from_be_bytes([*high, *low]))),
        };
        self.membership.receive(query, now, random);
    }

    /// The reports that are due about a member of `groups`, from `source`: packets with their destinations.
    pub fn poll(
        &mut self,
        groups: impl Iterator<Item = Ipv6Addr>,
        source: Ipv6Addr,
        now: Instant,
        random: &mut Random,
    ) -> Vec<(Ipv6Addr, Vec<u8>)> {
        let due = self.membership.poll(groups.filter(|group| is_told(*group)), now, random);
        let packets = due.iter().flat_map(|report| match report.is_older {
            true => report.records.iter().map(|record| message_v1(source, *record)).collect::<Vec<_>>(),
            false => reports(source, &report.records).collect(),
        });
        packets.collect()
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.membership.deadline()
    }
}

/// RFC 3810 section 6: nobody is told of the group of all nodes, or of groups within this host.
fn is_told(group: Ipv6Addr) -> bool {
    const INTERFACE_LOCAL: u8 = 1;
    group != ALL_NODES && group.octets()[1] & 0x0f > INTERFACE_LOCAL
}

/// RFC 3810 section 5.1.3: a code, as a float if it is large.
fn milliseconds(code: u16) -> u64 {
    let (mantissa, exponent) = (u64::from(code & 0x0fff), u64::from(code >> 12 & 7));
    match code {
        ..0x8000 => code.into(),
        _ => (mantissa | 0x1000) << (exponent + 3),
    }
}

fn reports(source: Ipv6Addr, records: &[(Record, Ipv6Addr)]) -> impl Iterator<Item = (Ipv6Addr, Vec<u8>)> {
    const RECORD: usize = 20;
    records.chunks(MOST_RECORDS).map(move |records| {
        let message = icmpv6::build(source, LISTENERS, REPORT_V2, 0, 4 + records.len() * RECORD, |body| {
            body[2..4].copy_from_slice(&(records.len() as u16).to_be_bytes());
            for (room, (record, group)) in body[4..].chunks_exact_mut(RECORD).zip(records) {
                room[0] = *record as u8;
                room[4..].copy_from_slice(&group.octets());
            }
        });
        (LISTENERS, alert(message))
    })
}

/// RFC 2710 section 4: reports go to the group, and all routers hear of its end.
fn message_v1(source: Ipv6Addr, (record, group): (Record, Ipv6Addr)) -> (Ipv6Addr, Vec<u8>) {
    let (kind, destination) = match record {
        Record::Present | Record::Joined => (REPORT, group),
        Record::Left => (DONE, ALL_ROUTERS),
    };
    let fill = |body: &mut [u8]| body[4..].copy_from_slice(&group.octets());
    (destination, alert(icmpv6::build(source, destination, kind, 0, 20, fill)))
}

/// Puts the router alert before a message, which stays on the link.
fn alert(mut packet: Vec<u8>) -> Vec<u8> {
    let upper = HEADROOM + ipv6::HEADER;
    packet.splice(upper..upper, ROUTER_ALERT);
    let mut header = Ipv6Packet::new_unchecked(&mut packet[HEADROOM..]);
    header.set_next_header(IpProtocol::HopByHop);
    header.set_payload_len(header.payload_len() + ROUTER_ALERT.len() as u16);
    header.set_hop_limit(1);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::datagram::Datagram;

    const OWN: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1);
    const DELAY: [u8; 2] = 10_000_u16.to_be_bytes();

    /// The messages that are sent when they are due: their destinations, kinds, and what follows the header.
    fn told(mld: &mut Mld, random: &mut Random) -> Vec<(Ipv6Addr, u8, Vec<u8>)> {
        let now = mld.deadline().unwrap();
        let packets = mld.poll([ALL_NODES, GROUP].into_iter(), OWN, now, random);
        let message = |(to, packet): (Ipv6Addr, Vec<u8>)| {
            let packet = Datagram::parse(&packet[HEADROOM..]).unwrap();
            assert_eq!((packet.destination, packet.bytes[7]), (to.into(), 1), "it stays on the link");
            (to, packet.payload[0], packet.payload[icmpv6::HEADER..].to_vec())
        };
        packets.into_iter().map(message).collect()
    }

    fn report(record: u8) -> Vec<(Ipv6Addr, u8, Vec<u8>)> {
        vec![(LISTENERS, REPORT_V2, [&[0, 0, 0, 1, record, 0, 0, 0], &GROUP.octets()[..]].concat())]
    }

    #[test]
    fn a_change_is_told_twice_and_a_query_answered() {
        let (mut mld, mut random) = (Mld::default(), Random::new([1, 1]));
        mld.change(ALL_NODES, true, Instant::ZERO);
        assert_eq!(mld.deadline(), None, "everybody knows");
        mld.change(GROUP, true, Instant::ZERO);
        assert_eq!([(); 2].map(|()| told(&mut mld, &mut random)), [report(4), report(4)]);
        assert_eq!(mld.deadline(), None);
        let query = Message { kind: QUERY, code: 0, body: &[&DELAY[..], &[0; 22]].concat() };
        mld.receive(&query, Instant::ZERO, &mut random);
        assert_eq!(told(&mut mld, &mut random), report(2));
    }

    #[test]
    fn a_router_that_speaks_the_first_version_is_answered_in_it() {
        let (mut mld, mut random) = (Mld::default(), Random::new([1, 1]));
        let query = Message { kind: QUERY, code: 0, body: &[&DELAY[..], &[0; 18]].concat() };
        mld.receive(&query, Instant::ZERO, &mut random);
        let about = [&[0; 4], &GROUP.octets()[..]].concat();
        assert_eq!(told(&mut mld, &mut random), [(GROUP, REPORT, about.clone())]);
        mld.change(GROUP, false, Instant::ZERO);
        assert_eq!(told(&mut mld, &mut random), [(ALL_ROUTERS, DONE, about)]);
    }

    #[test]
    fn long_delays_are_floats() {
        assert_eq!(milliseconds(10_000), 10_000);
        assert_eq!(milliseconds(0x8000), 32_768);
        assert_eq!(milliseconds(0xffff), 8_387_584);
    }
}
