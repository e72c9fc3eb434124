//! What a host answers to those who ask where its address is.

use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr};

use super::*;
use crate::stack::interface::Link;

const ASKER: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);

/// Asks `host` for LEFT, from the address `from`; whether that was answered.
fn ask(host: &mut Stack, from: Ipv4Addr) -> bool {
    let question = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: ASKER,
        source_protocol_addr: from,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: Ipv4Addr::new(10, 0, 0, 1),
    };
    let mut bytes = vec![0; HEADROOM + question.buffer_len()];
    question.emit(&mut ArpPacket::new_unchecked(&mut bytes[HEADROOM..]));
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_src_addr(ASKER);
    frame.set_dst_addr(EthernetAddress::BROADCAST);
    frame.set_ethertype(EthernetProtocol::Arp);
    host.receive(ETH0, &bytes);
    let answers: Vec<_> = host.take_frames(ETH0, usize::MAX).collect();
    let answers = answers.iter().filter_map(|frame| {
        let frame = EthernetFrame::new_checked(frame).ok().filter(|frame| frame.dst_addr() == ASKER)?;
        ArpRepr::parse(&ArpPacket::new_checked(frame.payload()).ok()?).ok()
    });
    let is_answer = |answer: ArpRepr| {
        matches!(answer, ArpRepr::EthernetIpv4 { operation: ArpOperation::Reply, target_protocol_addr, .. }
            if target_protocol_addr == from)
    };
    answers.into_iter().any(is_answer)
}

fn knows(host: &Stack, neighbour: Ipv4Addr) -> bool {
    let Link::Ethernet { neighbours, .. } = &host.network.interface(ETH0).unwrap().link else { return false };
    neighbours.has(neighbour.into())
}

#[test]
fn whoever_asks_is_answered_and_neighbours_are_remembered() {
    let mut host = stack(1, LEFT, Instant::from_secs(1000));
    let (near, far) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(192, 168, 1, 2));
    assert!(ask(&mut host, near) && knows(&host, near));
    assert!(ask(&mut host, far) && !knows(&host, far));
}

#[test]
fn who_probes_for_an_address_of_ours_hears_that_it_is_taken() {
    let mut host = stack(1, LEFT, Instant::from_secs(1000));
    assert!(ask(&mut host, Ipv4Addr::UNSPECIFIED));
    assert!(!knows(&host, Ipv4Addr::UNSPECIFIED));
}

#[test]
fn an_address_that_is_given_by_hand_is_announced() {
    let mut host = stack(1, LEFT, Instant::from_secs(1000));
    let new = Ipv4Addr::new(10, 0, 0, 7);
    host.network.add_address(ETH0, ipnet::IpNet::new(new.into(), 24).unwrap());
    host.poll(host.network.now);
    let frame = host.take_frames(ETH0, usize::MAX).next().unwrap();
    let frame = EthernetFrame::new_checked(&frame).unwrap();
    assert!(frame.dst_addr().is_broadcast());
    let arp = ArpRepr::parse(&ArpPacket::new_checked(frame.payload()).unwrap()).unwrap();
    let ArpRepr::EthernetIpv4 { source_protocol_addr, target_protocol_addr, .. } = arp else {
        panic!("{arp}")
    };
    assert_eq!([source_protocol_addr, target_protocol_addr], [new, new]);
}

#[test]
fn on_another_link_neighbours_are_asked_for_anew() {
    let mut bed = Bed::new();
    assert!(ask(&mut bed.left, Ipv4Addr::new(10, 0, 0, 2)));
    bed.left.link_down(ETH0);
    assert!(!knows(&bed.left, Ipv4Addr::new(10, 0, 0, 2)));
}

#[test]
fn whoever_has_an_address_of_ours_too_cannot_fill_the_log() {
    let mut host = stack(1, LEFT, Instant::from_secs(1000));
    let before = warnings();
    for _ in 0..1000 {
        ask(&mut host, Ipv4Addr::new(10, 0, 0, 1));
    }
    assert_eq!(warnings() - before, 1);
    assert_eq!(host.network.interface(ETH0).unwrap().counters.address_conflicts, 1000);
}
