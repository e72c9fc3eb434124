//! A router between the two hosts whose next link carries less than theirs.

use smoltcp::wire::Ipv4Packet;

use super::*;
use crate::stack::{icmpv6, ipv6};

/// What the router does with a packet of the left host's that is too long for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Router {
    /// It says so.
    Tells,
    /// It says so without telling what it carries.
    TellsNothing,
    /// It says nothing.
    Silent,
}

const MTU: usize = 1300;

/// Carries frames for `time`; rightward by a router. The longest packet that it passed on.
fn run(bed: &mut Bed, router: Router, time: Duration) -> usize {
    let end = bed.now + time;
    let mut longest = 0;
    while bed.now < end {
        bed.left.poll(bed.now);
        bed.right.poll(bed.now);
        let rightward: Vec<_> = bed.left.take_frames(ETH0, usize::MAX).collect();
        let leftward: Vec<_> = bed.right.take_frames(ETH0, usize::MAX).collect();
        let is_quiet = rightward.is_empty() && leftward.is_empty();
        for frame in rightward {
            match refusal(&frame, router) {
                Some(answer) => answer.iter().for_each(|answer| bed.left.receive(ETH0, answer)),
                None => {
                    longest = longest.max(frame.len() - HEADROOM);
                    bed.right.receive(ETH0, &frame);
                }
            }
        }
        for frame in leftward {
            bed.left.receive(ETH0, &frame);
        }
        let next = earlier(bed.left.deadline(), bed.right.deadline()).unwrap_or(end);
        let step = if is_quiet { next } else { bed.now + Duration::from_millis(1) };
        bed.now = step.max(bed.now + Duration::from_micros(1)).min(end);
        (bed.left.network.now, bed.right.network.now) = (bed.now, bed.now);
    }
    longest
}

/// Whether the router does not pass a frame on, and what it says.
fn refusal(frame: &[u8], router: Router) -> Option<Option<Vec<u8>>> {
    let packet = &frame[HEADROOM..];
    let is_v4 = packet[0] >> 4 == 4;
    let may_not = !is_v4 || Ipv4Packet::new_unchecked(packet).dont_frag();
    if packet.len() <= MTU || !may_not {
        return None;
    }
    let mtu = if router == Router::Tells { MTU } else { 0 };
    Some((router != Router::Silent).then(|| complaint(packet, mtu)))
}

fn complaint(packet: &[u8], mtu: usize) -> Vec<u8> {
    let quote = &packet[..packet.len().min(500)];
    let mut answer = match ipv6::header(packet) {
        Some(header) => {
            let to_us = (header.destination, header.source);
            icmpv6::build(to_us.0, to_us.1, icmpv6::PACKET_TOO_BIG, 0, 4 + quote.len(), |body| {
                body[..4].copy_from_slice(&(mtu as u32).to_be_bytes());
                body[4..].copy_from_slice(quote);
            })
        }
        None => datagram::build(RIGHT, LEFT, IpProtocol::Icmp, 8 + quote.len(), |message| {
            (message[0], message[1]) = (3, 4);
            message[6..8].copy_from_slice(&(mtu as u16).to_be_bytes());
            message[8..].copy_from_slice(quote);
            smoltcp::wire::Icmpv4Packet::new_unchecked(message).fill_checksum();
        }),
    };
    let is_v4 = packet[0] >> 4 == 4;
    let mut ethernet = EthernetFrame::new_unchecked(&mut answer);
    ethernet.set_src_addr(ethernet_address(RIGHT));
    ethernet.set_dst_addr(ethernet_address(LEFT));
    ethernet.set_ethertype(if is_v4 { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 });
    answer
}

fn bed() -> Bed {
    let mut bed = Bed::new();
    (bed.left, bed.right) = (dual_stack(1, LEFT, bed.now), dual_stack(2, RIGHT, bed.now));
    bed.left.network.add_address(ETH0, "2001:db8::1/64".parse().unwrap());
    bed.right.network.add_address(ETH0, "2001:db8::2/64".parse().unwrap());
    bed.run(Duration::from_secs(5));
    bed
}

const ENDS: [&str; 2] = ["10.0.0.2:80", "[2001:db8::2]:80"];

/// Sends 50 kB by TCP past `router`; the longest packet that arrived.
fn transfer(bed: &mut Bed, to: SocketAddr, router: Router) -> usize {
    let listener = bed.right.tcp.listen(to, Default::default(), &mut bed.right.network).unwrap();
    let client = bed.left.tcp.connect(None, to, Default::default(), &mut bed.left.network).unwrap();
    run(bed, router, Duration::from_secs(1));
    let server = bed.right.tcp.accept(listener).unwrap();
    let text: Vec<u8> = (0..50_000).map(|place| (place % 251) as u8).collect();
    assert_eq!(bed.left.tcp.write(client, &text), Ok(text.len()));
    let longest = run(bed, router, Duration::from_secs(90));
    let mut received = vec![0; 60_000];
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(text.len()), "{to}");
    assert_eq!(received[..text.len()], text);
    longest
}

#[test]
fn segments_become_as_short_as_the_path() {
    for to in ENDS {
        let (mut bed, to) = (bed(), to.parse().unwrap());
        assert_eq!(transfer(&mut bed, to, Router::Tells), MTU, "{to}");
        let later = bed.left.tcp.connect(None, to, Default::default(), &mut bed.left.network).unwrap();
        run(&mut bed, Router::Tells, Duration::from_secs(1));
        bed.left.tcp.write(later, &[0; 10_000]).unwrap();
        bed.left.poll(bed.now);
        let longest = bed.left.take_frames(ETH0, usize::MAX).map(|frame| frame.len() - HEADROOM).max();
        assert_eq!(longest, Some(MTU), "the next connection to {to} knows");
    }
}

#[test]
fn a_router_that_does_not_tell_what_it_carries_is_guessed_at() {
    let to = ENDS[0].parse().unwrap();
    assert_eq!(transfer(&mut bed(), to, Router::TellsNothing), 1006, "1492 is too much, the next is 1006");
}

#[test]
fn a_path_that_silently_loses_long_segments_is_found_out() {
    let to = ENDS[1].parse().unwrap();
    assert_eq!(transfer(&mut bed(), to, Router::Silent), 1280);
    let to = ENDS[0].parse().unwrap();
    assert!(transfer(&mut bed(), to, Router::Silent) <= 1500, "routers may fragment it again");
}

#[test]
fn datagrams_are_taken_apart_for_the_path() {
    for to in ["10.0.0.2:53", "[2001:db8::2]:53"] {
        let (mut bed, to) = (bed(), to.parse::<SocketAddr>().unwrap());
        let any = SocketAddr::new(crate::stack::address::unspecified(to.ip()), 0);
        let server = bed.right.udp.open(to, None, Default::default(), &mut bed.right.network).unwrap();
        let client = bed.left.udp.open(any, Some(to), Default::default(), &mut bed.left.network).unwrap();
        bed.left.udp.send_to(client, b"where are you?", None, &mut bed.left.network).unwrap();
        run(&mut bed, Router::Tells, Duration::from_secs(1));
        bed.left.udp.send_to(client, &[7; 1400], None, &mut bed.left.network).unwrap();
        bed.left.poll(bed.now);
        // Of IPv4 a router could take it apart. One that cannot says so.
        let long = bed.left.take_frames(ETH0, usize::MAX).last().unwrap();
        bed.left.receive(ETH0, &complaint(&long[HEADROOM..], MTU));

        bed.left.udp.send_to(client, &[7; 1400], None, &mut bed.left.network).unwrap();
        let longest = run(&mut bed, Router::Tells, Duration::from_secs(1));
        assert!(longest <= MTU && longest > 1000, "{longest} to {to}");
        let mut receive = || bed.right.udp.receive_from(server, &mut [0; 2000], false);
        let received = [receive(), receive()].map(|received| received.map(|(_, count, _)| count));
        assert_eq!(received, [Ok(14), Ok(1400)]);
    }
}

#[test]
fn who_does_not_know_our_connections_narrows_no_path() {
    let mut bed = bed();
    let (here, there) = (SocketAddr::new(LEFT, 50_000), SocketAddr::new(RIGHT, 80));
    let forged = segment(here, there, 1400, |_| ());
    bed.left.receive(ETH0, &complaint(&forged[HEADROOM..], 600));
    assert_eq!(bed.left.network.path_mtu(ETH0, RIGHT), 1500);
}

#[test]
fn of_the_way_to_this_very_host_no_router_knows() {
    let mut bed = Bed::new();
    let (server, text) = (SocketAddr::new(LEFT, 53), [7; 1400]);
    let Stack { udp, network, .. } = &mut bed.left;
    let asked = udp.open(any(53), None, Default::default(), network).unwrap();
    let asker = udp.open(any(0), Some(server), Default::default(), network).unwrap();
    let never_sent = crate::stack::udp::datagram(server, SocketAddr::new(LEFT, 9), &text).finished();
    bed.left.receive(ETH0, &complaint(&never_sent[HEADROOM..], 600));
    bed.left.udp.send_to(asker, &text, None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_millis(10));
    let received = bed.left.udp.receive_from(asked, &mut [0; 1500], false);
    assert_eq!(received.map(|(_, count, _)| count), Ok(1400));
}
