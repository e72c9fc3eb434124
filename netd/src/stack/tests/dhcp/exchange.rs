//! Who is asked for a lease and when, and what of the answers is believed.

use proptest::prelude::{prop_assert, proptest};

use super::*;

#[test]
fn a_lease_is_renewed_at_half_time_and_lost_on_a_nak() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    lan.seen.clear();
    lan.run(Duration::from_secs(1810));
    assert_eq!(lan.kinds(), [DhcpMessageType::Request], "one renewal at T1");
    assert_eq!(lan.address(), Some(OFFERED));
    lan.refuse = true;
    lan.run(Duration::from_secs(1900));
    assert_eq!(lan.address(), None);
    assert_eq!(lan.host.network.routes.iter().count(), 0);
    lan.refuse = false;
    lan.run(Duration::from_secs(10));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn a_lease_is_asked_for_once_the_cable_is_in() {
    let mut lan = Lan::new();
    lan.host = Stack::new(Random::new([5, 5]), lan.now);
    let eth0 = lan.host.network.add_ethernet("eth0");
    lan.host.attach(eth0, CLIENT_MAC, 1500);
    lan.host.network.interface_mut(eth0).unwrap().ipv6 = None;
    assert_eq!(lan.host.network.interface(eth0).unwrap().ethernet_address(), Some(CLIENT_MAC));
    lan.run(Duration::from_secs(60));
    assert!(lan.seen.is_empty());
    lan.host.link_up(eth0, CLIENT_MAC, 1500);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn the_lease_stays_while_the_driver_is_away() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    lan.host.link_down(ETH0);
    lan.run(Duration::from_secs(60));
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.address(), Some(OFFERED));
    assert_eq!(lan.kinds()[2..], [DhcpMessageType::Request], "the server was asked whether it holds");
}

#[test]
fn a_renewal_that_changes_the_duration_alone_is_seen() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    lan.given.lease_duration = Some(7200);
    lan.run(Duration::from_secs(1810));
    let lease = lan.lease().unwrap();
    assert_eq!((lease.duration, lease.renew), (7200, 3600));
}

#[test]
fn a_refusal_of_what_was_not_asked_changes_nothing() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    lan.seen.clear();
    for second in 0..1810 {
        lan.host.receive(ETH0, &frame_of(&reply(DhcpMessageType::Nak, second)));
        lan.host.receive(
            ETH0,
            &frame_of(&DhcpRepr { lease_duration: Some(60), ..reply(DhcpMessageType::Ack, second) }),
        );
        lan.run(Duration::from_secs(1));
    }
    assert_eq!(lan.kinds(), [DhcpMessageType::Request], "renewed in time");
    assert_eq!(lan.lease().unwrap().duration, 3600);
}

#[test]
fn who_asks_says_who_it_is_and_what_it_wants() {
    let mut lan = Lan::new();
    lan.host.poll(lan.now);
    let frame: Vec<_> = lan.host.take_frames(ETH0, 1).flatten().collect();
    let datagram = Datagram::parse(&frame[HEADROOM..]).unwrap();
    assert_eq!(datagram.payload.len(), 8 + 300, "old relays want so much");
    let packet = DhcpPacket::new_checked(&datagram.payload[8..]).unwrap();
    let options: Vec<_> = packet.options().map(|option| (option.kind, option.data)).collect();
    assert!(options.contains(&(61, &[1, 2, 0, 0, 0, 0, 9])), "client identifier");
    assert!(options.contains(&(12, b"redox")), "host name");
    assert!(options.contains(&(57, &1472_u16.to_be_bytes())), "longest message");
    let (_, wanted) = options.iter().find(|(code, _)| *code == 55).unwrap();
    for code in [1, 3, 6, 15, 26, 51, 54, 58, 59, 121] {
        assert!(wanted.contains(&code), "{code}");
    }
}

#[test]
fn nobody_who_answers_is_asked_ever_more_rarely() {
    let mut lan = Lan::new();
    lan.silent = true;
    lan.run(Duration::from_secs(600));
    assert!(lan.kinds().iter().all(|kind| *kind == DhcpMessageType::Discover));
    let waits: Vec<_> = lan.seen.windows(2).map(|pair| pair[1].second - pair[0].second).collect();
    for (wait, expected) in waits.iter().zip([2, 4, 8, 16, 32, 64, 64, 64, 64]) {
        assert!((wait - expected).abs() <= 2, "{waits:?}");
    }
    assert!((9..=14).contains(&lan.seen.len()), "{waits:?}");
}

#[test]
fn an_offer_that_is_not_kept_is_given_up() {
    let mut lan = Lan::new();
    lan.host.poll(lan.now);
    let discover: Vec<_> = lan.host.take_frames(ETH0, 1).flatten().collect();
    let offer = lan.answer(&discover).unwrap();
    lan.host.receive(ETH0, &offer);
    lan.silent = true;
    lan.run(Duration::from_secs(40));
    let kinds = lan.kinds();
    assert_eq!(kinds[1..5], [DhcpMessageType::Request; 4]);
    assert_eq!(kinds[5], DhcpMessageType::Discover);
    assert!(lan.seen[1..5].iter().all(|seen| (seen.requested, seen.server) == (Some(OFFERED), Some(SERVER))));
}

#[test]
fn a_lease_is_renewed_by_its_server_then_by_any_and_ends() {
    let mut lan = Lan::bound();
    lan.silent = true;
    lan.run(Duration::from_secs(3598));
    assert_eq!(lan.address(), Some(OFFERED), "until the end");
    assert!(lan.seen.iter().all(|seen| seen.kind == DhcpMessageType::Request && seen.from == OFFERED));
    let (renewing, rebinding): (Vec<_>, Vec<_>) = lan.seen.iter().partition(|seen| seen.to == SERVER);
    let seconds = |seen: &[&Seen]| seen.iter().map(|seen| seen.second).collect::<Vec<_>>();
    // Halves of what is left, but not less than a minute.
    assert_eq!(seconds(&renewing), [1800, 2475, 2812, 2981, 3065, 3125]);
    assert_eq!(seconds(&rebinding), [3150, 3375, 3487, 3547]);
    lan.run(Duration::from_secs(2));
    assert_eq!(lan.address(), None);
    assert_eq!(lan.host.network.routes.iter().count(), 0);
    assert_eq!(lan.seen.last().unwrap().kind, DhcpMessageType::Discover);
    assert_eq!(lan.seen.last().unwrap().requested, Some(OFFERED));
}

#[test]
fn a_renewal_with_another_address_is_used_whole() {
    let mut lan = Lan::bound();
    let other = Ipv4Addr::new(10, 0, 2, 16);
    lan.given.your_ip = other;
    lan.run(Duration::from_secs(1810));
    assert_eq!(lan.address(), Some(other));
    assert_eq!(lan.host.network.route(Ipv4Addr::new(1, 1, 1, 1).into()).unwrap().source, other);
    assert_eq!(lan.announced.last(), Some(&other));
}

#[test]
fn a_lease_for_ever_is_not_renewed() {
    let mut lan = Lan::new();
    lan.given.lease_duration = Some(u32::MAX);
    lan.run(Duration::from_secs(1_000_000));
    assert_eq!(lan.kinds(), [DhcpMessageType::Discover, DhcpMessageType::Request]);
}

#[test]
fn an_interface_that_is_switched_off_gives_its_lease_back() {
    let mut lan = Lan::bound();
    lan.host.set_up(ETH0, false);
    lan.run(Duration::from_secs(60));
    assert_eq!(lan.address(), None);
    assert_eq!(lan.kinds(), [DhcpMessageType::Release]);
    assert_eq!((lan.seen[0].from, lan.seen[0].to), (OFFERED.into(), SERVER.into()));
    assert_eq!(lan.seen[0].server, Some(SERVER));
    lan.host.set_up(ETH0, true);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.address(), Some(OFFERED));
    assert_eq!(lan.seen[1].requested, Some(OFFERED), "the former one is asked for");
}

#[test]
fn at_the_end_a_lease_is_given_back_unless_it_is_to_be_kept() {
    let kept = "[[interface]]\nmatch.name = 'eth0'\nkeep_lease = true";
    for (text, told) in [("", &[DhcpMessageType::Release][..]), (kept, &[])] {
        let config = config::netd::parse(std::path::Path::new("netd.toml"), text).unwrap();
        let mut lan = Lan::new();
        let mut intent = crate::intent::Intent::new(config);
        intent.follow(&mut lan.host);
        lan.run(Duration::from_secs(1));
        assert_eq!(lan.address(), Some(OFFERED));
        lan.seen.clear();
        intent.leave(&mut lan.host);
        lan.run(Duration::from_secs(1));
        assert_eq!(lan.kinds(), told);
    }
}

#[test]
fn dhcp_can_be_switched_off_and_on_again() {
    let mut lan = Lan::bound();
    lan.host.set_dhcp(ETH0, false);
    lan.host.network.add_address(ETH0, "192.168.1.2/24".parse().unwrap());
    lan.run(Duration::from_secs(4000));
    assert_eq!(lan.kinds(), [DhcpMessageType::Release]);
    lan.host.network.remove_address(ETH0, "192.168.1.2/24".parse().unwrap());
    lan.host.set_dhcp(ETH0, true);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn a_host_with_another_address_of_its_own_asks_anew() {
    let mut lan = Lan::bound();
    lan.host.link_down(ETH0);
    let other = EthernetAddress([2, 0, 0, 0, 0, 10]);
    lan.host.link_up(ETH0, other, 1500);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.kinds(), [DhcpMessageType::Discover, DhcpMessageType::Request]);
    assert!(lan.seen.iter().all(|seen| seen.hardware == other));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn a_server_that_was_not_asked_has_nothing_to_say() {
    let mut lan = Lan::new();
    lan.host.poll(lan.now);
    let discover: Vec<_> = lan.host.take_frames(ETH0, 1).flatten().collect();
    let offer = lan.answer(&discover).unwrap();
    lan.host.receive(ETH0, &offer);
    lan.given.server_identifier = Some(Ipv4Addr::new(10, 0, 2, 66));
    lan.refuse = true;
    lan.run(Duration::from_millis(500));
    lan.given.server_identifier = Some(SERVER);
    lan.refuse = false;
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.address(), Some(OFFERED));
    assert_eq!(lan.kinds().iter().filter(|kind| **kind == DhcpMessageType::Discover).count(), 1);
}

/// Servers answer renewals to the address itself.
#[test]
fn a_message_for_the_client_is_not_answered_and_a_socket_may_read_it_too() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    let message = |text: &[u8]| {
        let packet = crate::stack::udp::datagram(
            SocketAddr::new(SERVER.into(), 67),
            SocketAddr::new(OFFERED.into(), 68),
            text,
        );
        ethernet(EthernetProtocol::Ipv4, &packet.finished()[HEADROOM..])
    };
    lan.host.receive(ETH0, &message(b"unheard"));
    lan.host.poll(lan.now);
    assert_eq!(lan.host.take_frames(ETH0, 9).count(), 0);
    let client = lan.host.udp.open(any(68), None, Default::default(), &mut lan.host.network).unwrap();
    lan.host.receive(ETH0, &message(b"heard"));
    assert_eq!(lan.host.udp.receive_from(client, &mut [0; 9], false).unwrap().1, 5);
}

/// Offers that make no sense, each in its own way.
#[test]
fn absurd_offers_are_ignored_and_counted() {
    let mut lan = Lan::new();
    lan.host.poll(lan.now);
    let frame: Vec<_> = lan.host.take_frames(ETH0, 1).flatten().collect();
    let datagram = Datagram::parse(&frame[HEADROOM..]).unwrap();
    let asked = DhcpPacket::new_checked(&datagram.payload[8..]).unwrap().transaction_id();
    let offer = reply(DhcpMessageType::Offer, asked);
    let absurd = [
        DhcpRepr { your_ip: Ipv4Addr::UNSPECIFIED, ..offer.clone() },
        DhcpRepr { your_ip: Ipv4Addr::LOCALHOST, ..offer.clone() },
        DhcpRepr { your_ip: Ipv4Addr::new(10, 0, 2, 255), ..offer.clone() },
        DhcpRepr { subnet_mask: Some(Ipv4Addr::new(255, 0, 255, 0)), ..offer.clone() },
        DhcpRepr { server_identifier: None, ..offer.clone() },
        DhcpRepr { lease_duration: Some(0), ..offer },
    ];
    for offer in &absurd {
        lan.host.receive(ETH0, &frame_of(offer));
    }
    let counters = lan.host.network.interface(ETH0).unwrap().counters;
    assert_eq!(counters.dhcp_malformed, absurd.len() as u64);
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.address(), Some(OFFERED));
}

proptest! {
    #[test]
    fn damaged_messages_harm_nobody(kind in 0_u8..9, at in 0_usize..320, with in proptest::array::uniform4(0_u8..), cut in 0_usize..320) {
        let mut lan = Lan::new();
        lan.host.poll(lan.now);
        let sent: Vec<_> = lan.host.take_frames(ETH0, 1).flatten().collect();
        let datagram = Datagram::parse(&sent[HEADROOM..]).unwrap();
        let asked = DhcpPacket::new_checked(&datagram.payload[8..]).unwrap().transaction_id();
        let mut frame = frame_of(&reply(DhcpMessageType::from(kind), asked));
        for (to, from) in frame.iter_mut().skip(HEADROOM + 28 + at).zip(with) {
            *to = from;
        }
        // A UDP checksum of 0 is none: the damage reaches the client.
        frame[HEADROOM + 26..HEADROOM + 28].fill(0);
        frame.truncate(frame.len() - cut % frame.len());
        lan.host.receive(ETH0, &frame);
        // Another server may have been made of the offer, which is asked in vain.
        lan.run(Duration::from_secs(60));
        prop_assert!(lan.address().is_some());
    }
}

#[test]
fn what_is_for_all_servers_goes_to_all_whoever_routes() {
    let mut lan = Lan::bound();
    lan.host.link_down(ETH0);
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    lan.host.poll(lan.now);
    let frames: Vec<_> = lan.host.take_frames(ETH0, usize::MAX).collect();
    let mut requests = frames.iter().map(|frame| EthernetFrame::new_checked(frame).unwrap());
    let request = requests.find(|frame| frame.ethertype() == EthernetProtocol::Ipv4);
    assert_eq!(request.map(|frame| frame.dst_addr()), Some(EthernetAddress::BROADCAST));
}

#[test]
fn a_lease_counts_from_its_request_however_long_a_server_was_looked_for() {
    let mut lan = Lan::new();
    lan.silent = true;
    lan.run(Duration::from_secs(2 * 3600));
    lan.silent = false;
    lan.seen.clear();
    lan.run(Duration::from_secs(70));
    assert_eq!(lan.address(), Some(OFFERED));
    assert_eq!(lan.kinds(), [DhcpMessageType::Discover, DhcpMessageType::Request], "it lasts an hour");
}
