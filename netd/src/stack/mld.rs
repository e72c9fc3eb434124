//! Tells routers and switches which IPv6 groups we are in: MLDv2 (RFC 3810), and MLDv1 (RFC 2710) where that is asked.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpProtocol, Ipv6Packet};

use super::icmpv6::{self, Message};
use super::ipv6;
use super::ndisc::ALL_NODES;
use super::random::Random;
use super::wire::HEADROOM;

/// RFC 3810 section 5.1.
pub const QUERY: u8 = 130;
/// RFC 2710 section 3.1.
const REPORT: u8 = 131;
/// RFC 3810 section 5.2.
const REPORT_V2: u8 = 143;
/// A query of MLDv1 has no more after the ICMPv6 header (RFC 3810 section 8.1).
const QUERY_V1_LENGTH: usize = 20;
/// Who listens to reports (RFC 3810 section 5.2.14).
const ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);
/// How often a change is told (RFC 3810 section 9.1).
const ROBUSTNESS: u8 = 2;
/// Between two of those (RFC 3810 section 9.11), at most.
const INTERVAL: Duration = Duration::from_secs(1);
/// What fits into a packet that every link carries.
const MOST_RECORDS: usize = 60;
/// A hop-by-hop header with the option "router alert" (RFC 2711).
const ROUTER_ALERT: [u8; 8] = [58, 0, 5, 2, 0, 0, 1, 0];

/// Kinds of records (RFC 3810 section 5.2.12): no source is left out, or none is let in.
mod record {
    pub const MODE_IS_EXCLUDE: u8 = 2;
    pub const CHANGE_TO_INCLUDE: u8 = 3;
    pub const CHANGE_TO_EXCLUDE: u8 = 4;
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Question {
    /// One group, or all.
    group: Option<Ipv6Addr>,
    is_v1: bool,
    answer_at: Instant,
}

/// What there is to tell on one link.
#[derive(Debug, Default)]
pub struct Mld {
    /// Groups that were joined or left, and how often that is still to be told.
    changes: BTreeMap<Ipv6Addr, (u8, u8)>,
    tell_at: Option<Instant>,
    question: Option<Question>,
}

impl Mld {
    /// A group was joined, or left.
    pub fn change(&mut self, group: Ipv6Addr, joined: bool, now: Instant) {
        if is_told(group) {
            let kind = if joined { record::CHANGE_TO_EXCLUDE } else { record::CHANGE_TO_INCLUDE };
            self.changes.insert(group, (kind, ROBUSTNESS));
            self.tell_at = Some(now);
        }
    }

    /// Takes a query; a general one goes before one about a group, and the sooner one before the later one.
    pub fn receive(&mut self, query: &Message<'_>, now: Instant, random: &mut Random) {
        let Some(([high, low, _, _], rest)) = query.body.split_first_chunk::<4>() else { return };
        let Some(group) = rest.first_chunk::<16>().copied().map(Ipv6Addr::from) else { return };
        let delay = milliseconds(u16::from_be_bytes([*high, *low])).max(1);
        let question = Question {
            group: Some(group).filter(|group| !group.is_unspecified()),
            is_v1: query.body.len() == QUERY_V1_LENGTH,
            answer_at: now + Duration::from_millis(random.next_u64() % delay),
        };
        self.question = Some(match self.question {
            Some(known) => Question {
                group: known.group.filter(|group| question.group == Some(*group)),
                is_v1: question.is_v1,
                answer_at: known.answer_at.min(question.answer_at),
            },
            None => question,
        });
    }

    /// The reports that are due about a member of `groups`, from `source`: packets with their destinations.
    pub fn poll(
        &mut self,
        groups: impl Iterator<Item = Ipv6Addr>,
        source: Ipv6Addr,
        now: Instant,
        random: &mut Random,
    ) -> Vec<(Ipv6Addr, Vec<u8>)> {
        let mut packets = Vec::new();
        if self.tell_at.is_some_and(|at| at <= now) {
            let records: Vec<_> = self.changes.iter().map(|(group, (kind, _))| (*kind, *group)).collect();
            packets.extend(reports(source, &records));
            self.changes.retain(|_, (_, left)| {
                *left -= 1;
                *left > 0
            });
            let delay = Duration::from_micros(random.next_u64() % INTERVAL.total_micros());
            self.tell_at = (!self.changes.is_empty()).then_some(now + delay);
        }
        if let Some(question) = self.question.take_if(|question| question.answer_at <= now) {
            let asked =
                groups.filter(|group| is_told(*group) && question.group.is_none_or(|asked| asked == *group));
            match question.is_v1 {
                true => packets.extend(asked.map(|group| (group, report_v1(source, group)))),
                false => {
                    let records: Vec<_> = asked.map(|group| (record::MODE_IS_EXCLUDE, group)).collect();
                    packets.extend(reports(source, &records));
                }
            }
        }
        packets
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self) -> Option<Instant> {
        super::earlier(self.tell_at, self.question.map(|question| question.answer_at))
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

fn reports(source: Ipv6Addr, records: &[(u8, Ipv6Addr)]) -> impl Iterator<Item = (Ipv6Addr, Vec<u8>)> {
    const RECORD: usize = 20;
    records.chunks(MOST_RECORDS).map(move |records| {
        let message = icmpv6::build(source, ROUTERS, REPORT_V2, 0, 4 + records.len() * RECORD, |body| {
            body[2..4].copy_from_slice(&(records.len() as u16).to_be_bytes());
            for (room, (kind, group)) in body[4..].chunks_exact_mut(RECORD).zip(records) {
                room[0] = *kind;
                room[4..].copy_from_slice(&group.octets());
            }
        });
        (ROUTERS, alert(message))
    })
}

fn report_v1(source: Ipv6Addr, group: Ipv6Addr) -> Vec<u8> {
    alert(icmpv6::build(source, group, REPORT, 0, 20, |body| body[4..].copy_from_slice(&group.octets())))
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

    /// The kinds and groups of the records that are sent at `now`.
    fn told(mld: &mut Mld, now: Instant, random: &mut Random) -> Vec<(u8, Ipv6Addr)> {
        let packets = mld.poll([ALL_NODES, GROUP].into_iter(), OWN, now, random);
        let packets = packets.iter().map(|(_, packet)| Datagram::parse(&packet[HEADROOM..]).unwrap());
        packets.flat_map(|packet| records(packet.payload)).collect()
    }

    fn records(mut rest: &[u8]) -> Vec<(u8, Ipv6Addr)> {
        rest = &rest[icmpv6::HEADER + 4..];
        rest.chunks_exact(20)
            .map(|record| (record[0], Ipv6Addr::from(*record[4..].first_chunk::<16>().unwrap())))
            .collect()
    }

    #[test]
    fn a_change_is_told_twice_and_a_query_answered() {
        let (mut mld, mut random) = (Mld::default(), Random::new([1, 1]));
        mld.change(ALL_NODES, true, Instant::ZERO);
        assert_eq!(mld.deadline(), None, "everybody knows");
        mld.change(GROUP, true, Instant::ZERO);
        assert_eq!(told(&mut mld, Instant::ZERO, &mut random), [(record::CHANGE_TO_EXCLUDE, GROUP)]);
        let again = mld.deadline().unwrap();
        assert_eq!(told(&mut mld, again, &mut random), [(record::CHANGE_TO_EXCLUDE, GROUP)]);
        assert_eq!(mld.deadline(), None);
        let query = Message { kind: QUERY, code: 0, body: &[&[0x27, 0x10][..], &[0; 22]].concat() };
        mld.receive(&query, again, &mut random);
        let answer = mld.deadline().unwrap();
        assert!(answer < again + Duration::from_secs(10));
        assert_eq!(told(&mut mld, answer, &mut random), [(record::MODE_IS_EXCLUDE, GROUP)]);
    }

    #[test]
    fn long_delays_are_floats() {
        assert_eq!(milliseconds(10_000), 10_000);
        assert_eq!(milliseconds(0x8000), 32_768);
        assert_eq!(milliseconds(0xffff), 8_387_584);
    }
}
