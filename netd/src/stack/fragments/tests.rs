//! Packets taken apart and put together in any order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use smoltcp::wire::IpProtocol;

use super::*;
use crate::stack::ipv6::Contents;
use crate::stack::wire::HEADROOM;
use crate::stack::{datagram, ipv4, ipv6};

const V4: (IpAddr, IpAddr) = (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)));
const V6: (IpAddr, IpAddr) = (
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2)),
);

/// A packet of ours between two hosts, behind its headroom.
fn packet((source, destination): (IpAddr, IpAddr), data: &[u8]) -> Vec<u8> {
    let mut packet = datagram::build(source, destination, IpProtocol::from(253), data.len(), |room| {
        room.copy_from_slice(data);
    });
    if source.is_ipv4() {
        ipv4::allow_fragments(&mut packet, 77);
    }
    packet
}

/// Gives a piece, behind its headroom, to `fragments`.
fn add(fragments: &mut Fragments, piece: &[u8], now: Instant) -> Option<Vec<u8>> {
    let bytes = &piece[HEADROOM..];
    let contents = match ipv6::header(bytes) {
        Some(header) => ipv6::open(header).unwrap(),
        None => ipv4::open(bytes).unwrap(),
    };
    let Contents::Piece(piece) = contents else { panic!("{contents:?}") };
    fragments.add(1, &piece, now)
}

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds)
}

/// A piece of another sender's packet.
fn piece_from(host: u32, ident: u16, length: usize) -> Vec<u8> {
    let source = IpAddr::V4(Ipv4Addr::from(host));
    let mut whole = packet((source, V4.1), &vec![0; length + 8]);
    ipv4::allow_fragments(&mut whole, ident);
    split(&whole, length + ipv4::HEADER, 0).swap_remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_in_any_order_and_doubled_are_the_packet_again(
        data in vec(any::<u8>(), 0..6000),
        mtu in 68_usize..1600,
        is_v6 in any::<bool>(),
        order in vec(any::<prop::sample::Index>(), 100),
    ) {
        let whole = packet(if is_v6 { V6 } else { V4 }, &data);
        let pieces = split(&whole, mtu, 4711);
        prop_assert!(pieces.iter().all(|piece| piece.len() <= HEADROOM + mtu));
        prop_assume!(!pieces.is_empty() && pieces.len() <= 256);
        // Each once at least, the others again in between.
        let mut queue: Vec<_> = order.iter().map(|index| index.get(&pieces)).collect();
        queue.extend(&pieces);
        let mut fragments = Fragments::default();
        let found = queue.into_iter().find_map(|piece| {
            let Contents::Piece(_) = contents(piece) else { return Some(piece[HEADROOM..].to_vec()) };
            add(&mut fragments, piece, at(0))
        });
        prop_assert_eq!(without_ident(found.unwrap()), without_ident(whole[HEADROOM..].to_vec()));
        prop_assert_eq!((fragments.size, fragments.assemblies.len()), (0, 0));
    }

    #[test]
    fn random_pieces_harm_nobody(
        pieces in vec((0_usize..40, 0_usize..6, any::<bool>(), 0_u16..3), 0..200),
    ) {
        let mut fragments = Fragments::default();
        for (offset, length, more, ident) in pieces {
            let data = vec![1; length * 8];
            let header = [0x45; 20];
            let piece = Piece {
                bytes: &data,
                source: V4.0,
                destination: V4.1,
                ident: ident.into(),
                protocol: 17,
                header: &header,
                named_at: 9,
                offset: offset * 8,
                more,
                data: &data,
            };
            fragments.add(1, &piece, at(0));
            let held: usize = fragments.assemblies.values().map(Assembly::size).sum();
            prop_assert_eq!(fragments.size, held);
        }
        fragments.poll(at(60));
        prop_assert_eq!((fragments.size, fragments.deadline()), (0, None));
    }
}

fn contents(piece: &[u8]) -> Contents<'_> {
    match ipv6::header(&piece[HEADROOM..]) {
        Some(header) => ipv6::open(header).unwrap(),
        None => ipv4::open(&piece[HEADROOM..]).unwrap(),
    }
}

/// What IPv4's header says beside: identification and checksum.
fn without_ident(mut packet: Vec<u8>) -> Vec<u8> {
    if packet[0] >> 4 == 4 {
        packet[4..6].fill(0);
        packet[10..12].fill(0);
    }
    packet
}

#[test]
fn pieces_that_overlap_spoil_the_packet() {
    for ends in [V4, V6] {
        let mut fragments = Fragments::default();
        let good = split(&packet(ends, &[1; 300]), 150, 7);
        let evil = split(&packet(ends, &[2; 300]), 120, 7);
        assert_eq!(add(&mut fragments, &good[0], at(0)), None);
        assert_eq!(add(&mut fragments, &evil[1], at(0)), None);
        for piece in &good {
            assert_eq!(add(&mut fragments, piece, at(1)), None, "nothing of it is believed");
        }
        assert_eq!(fragments.poll(at(60)), [], "nor is anybody told");
        let delivered: Vec<_> = good.iter().filter_map(|piece| add(&mut fragments, piece, at(61))).collect();
        assert_eq!(delivered.len(), 1);
    }
}

#[test]
fn what_does_not_come_whole_is_told_of_if_its_first_piece_came() {
    let mut fragments = Fragments::default();
    let pieces = split(&packet(V6, &[1; 3000]), 1280, 7);
    add(&mut fragments, &pieces[0], at(0));
    assert_eq!((fragments.deadline(), fragments.poll(at(59))), (Some(at(60)), vec![]));
    let first = pieces[0][HEADROOM..].to_vec();
    assert_eq!(fragments.poll(at(60)), [Late { interface: 1, first }]);
    add(&mut fragments, &pieces[1], at(60));
    assert_eq!(fragments.poll(at(120)), []);
    assert_eq!(fragments.size, 0);
}

#[test]
fn a_packet_with_a_fragment_s_header_that_is_whole_waits_for_nobody() {
    let mut fragments = Fragments::default();
    let whole = packet(V6, b"atomic");
    let mut atomic = split(&whole, 1280, 7).swap_remove(0);
    assert_eq!(add(&mut fragments, &split(&packet(V6, &[1; 3000]), 1280, 7)[0], at(0)), None);
    assert_eq!(add(&mut fragments, &atomic, at(0)), Some(whole[HEADROOM..].to_vec()));
    atomic.truncate(HEADROOM + 40);
    assert!(ipv6::header(&atomic[HEADROOM..]).is_none());
}

#[test]
fn one_sender_cannot_take_the_others_memory() {
    let mut fragments = Fragments::default();
    let victim = split(&packet(V4, &[1; 3000]), 1500, 0);
    add(&mut fragments, &victim[0], at(0));
    for ident in 0..1000 {
        add(&mut fragments, &piece_from(99, ident, 1400), at(1));
    }
    assert!(fragments.size <= SENDER_MEMORY + 4096, "{}", fragments.size);
    let rest: Vec<_> = victim[1..].iter().filter_map(|piece| add(&mut fragments, piece, at(2))).collect();
    assert_eq!(rest.len(), 1, "the victim's packet is still put together");
}

#[test]
fn many_senders_cannot_make_it_grow() {
    let mut fragments = Fragments::default();
    for host in 1..3000 {
        add(&mut fragments, &piece_from(host, 1, 1400), at(i64::from(host)));
    }
    assert!(fragments.size <= MEMORY && fragments.assemblies.len() <= CAPACITY);
    assert_eq!(fragments.senders.len(), fragments.assemblies.len());
}
