//! Multicast groups on one wire: who hears what, and what routers are told.

use std::net::Ipv6Addr;

use super::*;
use crate::stack::udp::{Joined, Member, Options, UdpId};

const PORT: u16 = 5353;
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(239, 1, 2, 3));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2));

/// Settings of a socket that shares its port and is in these groups.
fn member_of(groups: &[IpAddr]) -> Options {
    let mut joined = Joined::default();
    for group in groups {
        joined.join(Member { group: *group, interface: ETH0 }).unwrap();
    }
    Options { reuse_address: true, joined, ..Options::default() }
}

fn open(stack: &mut Stack, local: SocketAddr, options: Options) -> UdpId {
    stack.udp.open(local, None, options, &mut stack.network).unwrap()
}

/// What a socket has got.
fn received(stack: &mut Stack, id: UdpId) -> Vec<Vec<u8>> {
    let mut buffer = [0; 100];
    let mut all = Vec::new();
    while let Ok((_, count, _)) = stack.udp.receive_from(id, &mut buffer, false) {
        all.push(buffer[..count].to_vec());
    }
    all
}

impl Bed {
    /// The left host sends a text to a group.
    fn say(&mut self, from: UdpId, text: &str, to: IpAddr) {
        let to = SocketAddr::new(to, PORT);
        let sent = self.left.udp.send_to(from, text.as_bytes(), Some(to), &mut self.left.network);
        assert_eq!(sent, Ok(text.len()));
        self.run(Duration::from_millis(50));
    }
}

#[test]
fn a_datagram_to_a_group_reaches_its_members_and_nobody_else() {
    let mut bed = Bed::new();
    let right = &mut bed.right;
    let members = [open(right, any(PORT), member_of(&[GROUP])), open(right, any(PORT), member_of(&[GROUP]))];
    let bound = open(right, SocketAddr::new(GROUP, PORT), member_of(&[GROUP]));
    let stranger = open(right, any(PORT), member_of(&[]));
    let elsewhere = open(right, any(PORT + 1), member_of(&[GROUP]));
    let sender = open(&mut bed.left, any(0), Options::default());
    bed.say(sender, "hello", GROUP);
    for member in [members[0], members[1], bound] {
        assert_eq!(received(&mut bed.right, member), [b"hello"]);
    }
    assert!(received(&mut bed.right, stranger).is_empty());
    assert!(received(&mut bed.right, elsewhere).is_empty());
    bed.right.udp.set_options(members[0], member_of(&[]), &mut bed.right.network).unwrap();
    bed.right.udp.close(bound, &mut bed.right.network);
    bed.say(sender, "again", GROUP);
    assert!(received(&mut bed.right, members[0]).is_empty());
    assert_eq!(received(&mut bed.right, members[1]), [b"again"]);
    bed.say(sender, "everybody", IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)));
    assert_eq!(received(&mut bed.right, stranger), [b"everybody"], "nobody joins the group of all");
}

#[test]
fn ipv6_groups_are_as_those_of_ipv4() {
    let mut bed = Bed::new();
    bed.left = dual_stack(1, LEFT, bed.now);
    bed.right = dual_stack(2, RIGHT, bed.now);
    bed.run(Duration::from_secs(3));
    let unspecified = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), PORT);
    let member = open(&mut bed.right, unspecified, member_of(&[GROUP_V6]));
    let stranger = open(&mut bed.right, unspecified, member_of(&[]));
    let sender = open(&mut bed.left, SocketAddr::new(unspecified.ip(), 0), Options::default());
    bed.say(sender, "hello", GROUP_V6);
    assert_eq!(received(&mut bed.right, member), [b"hello"]);
    assert!(received(&mut bed.right, stranger).is_empty());
    let has = |bed: &Bed| bed.right.network.interface(ETH0).unwrap().groups.has(GROUP_V6);
    assert!(has(&bed));
    bed.right.udp.close(member, &mut bed.right.network);
    assert!(!has(&bed));
}

#[test]
fn members_on_the_sender_s_host_hear_it_unless_they_should_not() {
    let mut bed = Bed::new();
    let member = open(&mut bed.left, any(PORT), member_of(&[GROUP]));
    let sender = open(&mut bed.left, any(0), Options::default());
    bed.say(sender, "to all", GROUP);
    assert_eq!(received(&mut bed.left, member), [b"to all"]);
    let silent = Options { multicast_loop: false, ..Options::default() };
    bed.left.udp.set_options(sender, silent, &mut bed.left.network).unwrap();
    bed.say(sender, "to others", GROUP);
    assert!(received(&mut bed.left, member).is_empty());
}

/// The hop limits of the frames that the left host sends.
fn hops(stack: &mut Stack) -> Vec<u8> {
    stack.take_frames(ETH0, usize::MAX).map(|frame| frame[HEADROOM..][8]).collect()
}

#[test]
fn what_is_sent_to_groups_goes_as_far_as_was_set() {
    let mut bed = Bed::new();
    let sender = open(&mut bed.left, any(0), Options { hop_limit: Some(9), ..Options::default() });
    let to = SocketAddr::new(GROUP, PORT);
    for (limit, expected) in [(1, &[1][..]), (5, &[5]), (0, &[])] {
        let options = Options { multicast_hop_limit: limit, ..Options::default() };
        bed.left.udp.set_options(sender, options, &mut bed.left.network).unwrap();
        bed.left.udp.send_to(sender, b"x", Some(to), &mut bed.left.network).unwrap();
        assert_eq!(hops(&mut bed.left), expected);
    }
}

/// The IGMP messages that the right host sends within `time`: their types and destinations.
fn reports(bed: &mut Bed, time: Duration) -> Vec<(u8, IpAddr)> {
    let end = bed.now + time;
    let mut reports = Vec::new();
    while bed.now < end {
        bed.right.poll(bed.now);
        for frame in bed.right.take_frames(ETH0, usize::MAX) {
            if let Some(packet) = Datagram::parse(&frame[HEADROOM..])
                && packet.protocol == IpProtocol::Igmp
            {
                assert_eq!(frame[..6], address::multicast(packet.destination).0);
                reports.push((packet.payload[0], packet.destination));
            }
        }
        bed.now = bed.right.deadline().unwrap_or(end).clamp(bed.now + Duration::from_micros(1), end);
    }
    reports
}

#[test]
fn the_router_is_told_of_joining_and_leaving_and_when_the_link_comes_back() {
    const REPORT: (u8, IpAddr) = (0x22, IpAddr::V4(Ipv4Addr::new(224, 0, 0, 22)));
    let mut bed = Bed::new();
    let second = Duration::from_secs(2);
    reports(&mut bed, second);
    bed.right.network.now = bed.now;
    let member = open(&mut bed.right, any(PORT), member_of(&[GROUP]));
    let other = open(&mut bed.right, any(PORT), member_of(&[GROUP]));
    assert_eq!(reports(&mut bed, second), [REPORT; 2], "one membership, told twice");
    bed.right.network.now = bed.now;
    bed.right.link_down(ETH0);
    let address = bed.right.network.interface(ETH0).unwrap().ethernet_address().unwrap();
    bed.right.link_up(ETH0, address, 1500);
    assert_eq!(reports(&mut bed, second), [REPORT; 2]);
    let lets_through = |bed: &Bed| bed.right.network.groups(ETH0).contains(&address::multicast(GROUP));
    bed.right.network.now = bed.now;
    bed.right.udp.close(member, &mut bed.right.network);
    assert_eq!(reports(&mut bed, second), [], "the other one is still in it");
    assert!(lets_through(&bed));
    bed.right.network.now = bed.now;
    bed.right.udp.close(other, &mut bed.right.network);
    assert_eq!(reports(&mut bed, second), [REPORT; 2]);
    assert!(!lets_through(&bed));
}
