//! IPv6.

use std::net::Ipv6Addr;

use super::*;
use crate::stack::icmp::Purpose;
use crate::stack::icmpv6;

fn localhost(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)
}

#[test]
fn a_host_talks_to_itself_over_ipv6() {
    let mut bed = Bed::new();
    let Stack { network, tcp, udp, .. } = &mut bed.left;
    let listener = tcp.listen(localhost(80), Default::default(), network).unwrap();
    let client = tcp.connect(None, localhost(80), Default::default(), network).unwrap();
    let server = udp.open(localhost(53), None, Default::default(), network).unwrap();
    let asker =
        udp.open("[::]:0".parse().unwrap(), Some(localhost(53)), Default::default(), network).unwrap();
    udp.send_to(asker, b"a question", None, network).unwrap();
    bed.run(Duration::from_millis(100));
    let Stack { tcp, udp, .. } = &mut bed.left;
    assert_eq!(tcp.connected(client), Ok(()));
    let accepted = tcp.accept(listener).unwrap();
    assert_eq!(tcp.addresses(accepted).unwrap().0, localhost(80));
    let mut buffer = [0; 16];
    let (sender, count, _) = udp.receive_from(server, &mut buffer, false).unwrap();
    assert_eq!((sender.ip(), &buffer[..count]), (localhost(0).ip(), &b"a question"[..]));
}

#[test]
fn ports_of_the_two_versions_are_different_ports() {
    let mut bed = Bed::new();
    let Stack { network, tcp, udp, .. } = &mut bed.left;
    tcp.listen(any(80), Default::default(), network).unwrap();
    tcp.listen("[::]:80".parse().unwrap(), Default::default(), network).unwrap();
    assert_eq!(tcp.listen(localhost(80), Default::default(), network), Err(SocketError::AddressInUse(80)));
    let only_ipv4 = udp.open(any(53), None, Default::default(), network).unwrap();
    let over_ipv6 = udp.send_to(only_ipv4, b"?", Some(localhost(53)), network);
    assert_eq!(over_ipv6, Err(SocketError::InvalidDestination(localhost(53))));
}

/// Two hosts that have just come up.
fn fresh() -> Bed {
    let mut bed = Bed::new();
    (bed.left, bed.right) = (dual_stack(1, LEFT, bed.now), dual_stack(2, RIGHT, bed.now));
    bed
}

/// A bed whose hosts have had time to find out that nobody else has their addresses.
pub fn settled() -> Bed {
    let mut bed = fresh();
    bed.run(Duration::from_secs(5));
    bed
}

pub fn link_local(stack: &Stack) -> IpAddr {
    let mut own = stack.network.interface(ETH0).unwrap().addresses.iter().map(|own| own.addr());
    own.find(IpAddr::is_ipv6).unwrap()
}

#[test]
fn a_link_local_address_is_made_of_the_ethernet_address_after_a_question() {
    let mut bed = fresh();
    assert_eq!(bed.left.network.interface(ETH0).unwrap().addresses.len(), 1, "IPv4's");
    bed.run(Duration::from_millis(2100));
    assert_eq!(link_local(&bed.left), "fe80::ff:fe00:1".parse::<IpAddr>().unwrap());
}

#[test]
fn neighbours_find_each_other() {
    let mut bed = settled();
    let right = SocketAddr::new(link_local(&bed.right), 80);
    let Stack { network, tcp, .. } = &mut bed.right;
    let listener = tcp.listen("[::]:80".parse().unwrap(), Default::default(), network).unwrap();
    let Stack { network, tcp, icmp, .. } = &mut bed.left;
    let client = tcp.connect(None, right, Default::default(), network).unwrap();
    let ping = icmp.open(Purpose::Echo, right.ip(), &mut network.random).unwrap();
    icmp.write(ping, b"\x00\x07are you there?", network).unwrap();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.connected(client), Ok(()));
    let accepted = bed.right.tcp.accept(listener).unwrap();
    let (_, peer) = bed.right.tcp.addresses(accepted).unwrap();
    assert_eq!(peer.to_string().split(']').next(), Some("[fe80::ff:fe00:1%1"), "on its interface");
    let mut answer = [0; 64];
    let count = bed.left.icmp.read(ping, &mut answer).unwrap();
    assert_eq!(&answer[..count], b"\x00\x07are you there?");
}

#[test]
fn errors_reach_the_sockets_that_they_concern() {
    let mut bed = settled();
    let nobody = SocketAddr::new(link_local(&bed.right), 9);
    let Stack { network, tcp, udp, .. } = &mut bed.left;
    let client = tcp.connect(None, nobody, Default::default(), network).unwrap();
    let asker = udp.open("[::]:0".parse().unwrap(), Some(nobody), Default::default(), network).unwrap();
    udp.send_to(asker, b"?", None, network).unwrap();
    let absent = tcp.connect(None, "[fe80::77]:80".parse().unwrap(), Default::default(), network).unwrap();
    bed.run(Duration::from_secs(10));
    let Stack { tcp, udp, .. } = &mut bed.left;
    assert_eq!(tcp.connected(client), Err(SocketError::ConnectionRefused));
    assert_eq!(udp.receive_from(asker, &mut [0; 9], false), Err(SocketError::ConnectionRefused));
    assert_eq!(tcp.connected(absent), Err(SocketError::HostUnreachable), "no neighbour answers");
}

#[test]
fn an_address_that_another_host_has_is_not_used() {
    let mut bed = settled();
    let wanted: ipnet::IpNet = "2001:db8::1/64".parse().unwrap();
    let is_ours = |stack: &Stack| stack.network.is_local(wanted.addr());
    bed.left.network.add_address(ETH0, wanted);
    bed.run(Duration::from_secs(3));
    bed.right.network.add_address(ETH0, wanted);
    bed.run(Duration::from_secs(3));
    assert_eq!((is_ours(&bed.left), is_ours(&bed.right)), (true, false));
    for stack in [&mut bed.left, &mut bed.right] {
        stack.network.remove_address(ETH0, wanted);
        stack.network.add_address(ETH0, wanted);
    }
    bed.run(Duration::from_secs(3));
    assert!(!is_ours(&bed.left) || !is_ours(&bed.right), "who asks at the same time is heard too");
}

#[test]
fn a_static_address_is_used_beside_the_link_local_one() {
    let mut bed = settled();
    let (left, right) = ("2001:db8::1/64".parse().unwrap(), "2001:db8::2/64".parse().unwrap());
    bed.left.network.add_address(ETH0, left);
    bed.right.network.add_address(ETH0, right);
    bed.run(Duration::from_secs(3));
    let path = bed.left.network.route(right.addr()).unwrap();
    assert_eq!((path.next_hop, path.source), (right.addr(), left.addr()));
    assert_eq!(bed.left.network.route(link_local(&bed.right)).unwrap().source, link_local(&bed.left));
    let client = bed
        .left
        .tcp
        .connect(None, SocketAddr::new(right.addr(), 9), Default::default(), &mut bed.left.network)
        .unwrap();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.connected(client), Err(SocketError::ConnectionRefused));
    bed.left.network.remove_address(ETH0, left);
    bed.left.poll(bed.now);
    assert_eq!(
        bed.left.network.route(right.addr()),
        Err(SocketError::NetworkUnreachable(right.addr())),
        "the address and its network are gone"
    );
}

/// An echo request from the right host behind `count` fragment headers, each of a packet that is whole.
fn request_in_fragments(bed: &Bed, count: usize) -> Vec<u8> {
    in_fragments(bed, count, icmpv6::ECHO_REQUEST, &[0; 4])
}

/// A message from the right host, as near as a neighbour, behind `count` fragment headers.
fn in_fragments(bed: &Bed, count: usize, kind: u8, body: &[u8]) -> Vec<u8> {
    const FRAGMENT: u8 = 44;
    const ICMPV6: u8 = 58;
    let (IpAddr::V6(from), IpAddr::V6(to)) = (link_local(&bed.right), link_local(&bed.left)) else {
        panic!()
    };
    let request = icmpv6::build_for_link(from, to, kind, body.len(), |room| room.copy_from_slice(body));
    let (header, message) = request[HEADROOM..].split_at(40);
    let headers = (1..=count).flat_map(|number| {
        let next = if number < count { FRAGMENT } else { ICMPV6 };
        [next, 0, 0, 0, 0, 0, 0, number as u8]
    });
    let mut packet = [&[0; HEADROOM], header].concat();
    packet.extend(headers);
    packet.extend_from_slice(message);
    packet[HEADROOM + 4..HEADROOM + 6].copy_from_slice(&((count * 8 + message.len()) as u16).to_be_bytes());
    packet[HEADROOM + 6] = if count > 0 { FRAGMENT } else { ICMPV6 };
    let mut frame = framed(packet, RIGHT, LEFT);
    EthernetFrame::new_unchecked(&mut frame).set_ethertype(EthernetProtocol::Ipv6);
    frame
}

#[test]
fn a_packet_is_put_together_once() {
    let mut bed = settled();
    for (count, answers) in [(1, 1), (2, 0), (8000, 0)] {
        let request = request_in_fragments(&bed, count);
        bed.left.receive(ETH0, &request);
        bed.left.poll(bed.now);
        assert_eq!(bed.left.take_frames(ETH0, usize::MAX).count(), answers, "{count} fragment headers");
    }
}

#[test]
fn a_whole_packet_goes_out_and_comes_in_raw_and_versions_are_apart() {
    let mut bed = settled();
    let destination = link_local(&bed.right);
    let protocol = IpProtocol::from(253);
    let sender = bed.left.raw.open(IpVersion::Ipv6, 253);
    let receivers = [IpVersion::Ipv4, IpVersion::Ipv6].map(|version| bed.right.raw.open(version, 253));
    let unknown = Ipv6Addr::UNSPECIFIED.into();
    let packet = datagram::build(unknown, destination, protocol, 4, |room| room.copy_from_slice(b"raw!"));
    let packet = &packet[HEADROOM..];
    assert_eq!(bed.left.raw.write(sender, packet, &mut bed.left.network), Ok(44));
    bed.run(Duration::from_secs(1));
    let mut received = [0; 64];
    let [v4, v6] = receivers.map(|socket| bed.right.raw.read(socket, &mut received));
    assert_eq!((v4, v6), (Err(SocketError::WouldBlock), Ok(44)));
    let IpAddr::V6(from) = link_local(&bed.left) else { panic!("not of IPv6") };
    assert_eq!((&received[8..24], &received[40..44]), (&from.octets()[..], &b"raw!"[..]));
    for bad in [&packet[..43], &packet[..3], &[packet, b"more"].concat()] {
        assert_eq!(bed.left.raw.write(sender, bad, &mut bed.left.network), Err(SocketError::Malformed));
    }
}

/// A neighbour's question for the left host's address.
fn solicitation(bed: &Bed) -> Vec<u8> {
    let IpAddr::V6(own) = link_local(&bed.left) else { panic!() };
    [&[0; 4][..], &own.octets(), &[1, 1, 2, 0, 0, 0, 0, 2]].concat()
}

const NEIGHBOR_SOLICITATION: u8 = 135;

#[test]
fn a_neighbour_does_not_speak_in_fragments() {
    let mut bed = settled();
    for (count, is_answered) in [(0, true), (1, false)] {
        let question = in_fragments(&bed, count, NEIGHBOR_SOLICITATION, &solicitation(&bed));
        bed.left.receive(ETH0, &question);
        bed.left.poll(bed.now);
        let answers = bed.left.take_frames(ETH0, usize::MAX).count();
        assert_eq!(answers > 0, is_answered, "{count} fragment headers");
    }
}

#[test]
fn answers_to_neighbours_do_not_pile_up_before_a_driver_that_takes_none() {
    let mut bed = settled();
    let question = in_fragments(&bed, 0, NEIGHBOR_SOLICITATION, &solicitation(&bed));
    for _ in 0..10_000 {
        bed.left.receive(ETH0, &question);
        bed.left.poll(bed.now);
    }
    bed.left.take_frames(ETH0, usize::MAX).for_each(drop);
    bed.left.poll(bed.now);
    let counters = bed.left.network.interface(ETH0).unwrap().counters;
    assert!(counters.tx_packets + counters.tx_dropped < 500, "{counters:?}");
}

#[test]
fn an_address_that_another_host_had_is_tried_again_when_the_link_comes_up() {
    let mut bed = settled();
    let wanted: ipnet::IpNet = "2001:db8::1/64".parse().unwrap();
    bed.left.network.add_address(ETH0, wanted);
    bed.run(Duration::from_secs(3));
    bed.right.network.add_address(ETH0, wanted);
    bed.run(Duration::from_secs(3));
    assert!(!bed.right.network.is_local(wanted.addr()));
    bed.left.network.remove_address(ETH0, wanted);
    bed.right.link_down(ETH0);
    bed.right.link_up(ETH0, ethernet_address(RIGHT), 1500);
    bed.run(Duration::from_secs(3));
    assert!(bed.right.network.is_local(wanted.addr()));
}

#[test]
fn whoever_advertises_an_address_of_ours_cannot_fill_the_log() {
    const NEIGHBOR_ADVERTISEMENT: u8 = 136;
    let mut bed = settled();
    let claim = in_fragments(&bed, 0, NEIGHBOR_ADVERTISEMENT, &solicitation(&bed));
    let before = warnings();
    for _ in 0..1000 {
        bed.left.receive(ETH0, &claim);
    }
    assert_eq!(warnings() - before, 1);
}
