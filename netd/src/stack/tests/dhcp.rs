//! A lease, its renewal and its end, from a small server.

use proptest::prelude::*;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, DhcpMessageType, DhcpOption, DhcpPacket, DhcpRepr, UdpPacket, UdpRepr,
};

use super::*;
use crate::stack::dhcp::{Former, Lease};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
const OFFERED: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const SERVER_MAC: EthernetAddress = EthernetAddress([2, 2, 2, 2, 2, 2]);
const CLIENT_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 9]);

/// What the server was told.
#[derive(Clone, Debug)]
struct Seen {
    kind: DhcpMessageType,
    /// Seconds since the start, rounded down.
    second: i64,
    from: IpAddr,
    to: IpAddr,
    requested: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
    hardware: EthernetAddress,
}

/// A host that wants a lease, and what the server saw.
struct Lan {
    host: Stack,
    start: Instant,
    now: Instant,
    seen: Vec<Seen>,
    refuse: bool,
    silent: bool,
    /// The server says nothing of leases that it did not give.
    modest: bool,
    /// What the server gives; its kind and transaction are those of the answer.
    given: DhcpRepr<'static>,
    /// Addresses that other hosts have.
    taken: Vec<Ipv4Addr>,
    /// Addresses that nobody has, though they are given.
    absent: Vec<Ipv4Addr>,
    /// The addresses that the host announced.
    announced: Vec<Ipv4Addr>,
}

impl Lan {
    fn new() -> Self {
        let now = Instant::from_secs(1000);
        let mut host = Stack::new(Random::new([5, 5]), now);
        host.network.hostname = "redox".to_owned();
        let eth0 = host.network.add_ethernet("eth0");
        // The frames are looked at one by one.
        host.network.interface_mut(eth0).unwrap().ipv6 = None;
        host.link_up(eth0, CLIENT_MAC, 1500);
        Self {
            host,
            start: now,
            now,
            seen: Vec::new(),
            refuse: false,
            silent: false,
            modest: false,
            given: reply(DhcpMessageType::Ack, 0),
            taken: Vec::new(),
            absent: Vec::new(),
            announced: Vec::new(),
        }
    }

    /// With a lease, and nothing seen yet.
    fn bound() -> Self {
        let mut lan = Self::new();
        lan.run(Duration::from_secs(1));
        assert_eq!(lan.address(), Some(OFFERED));
        lan.seen.clear();
        lan
    }

    fn run(&mut self, limit: Duration) {
        let end = self.now + limit;
        while self.now < end {
            self.host.poll(self.now);
            let frames: Vec<_> = self.host.take_frames(ETH0, usize::MAX).collect();
            for frame in &frames {
                if let Some(answer) = self.answer(frame) {
                    self.host.receive(ETH0, &answer);
                }
            }
            if frames.is_empty() {
                let next = self.host.deadline().unwrap_or(end);
                self.now = next.max(self.now + Duration::from_millis(1)).min(end);
            }
        }
        self.host.network.now = self.now;
    }

    fn answer(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let ethernet = EthernetFrame::new_checked(frame).unwrap();
        if ethernet.ethertype() == EthernetProtocol::Arp {
            return self.answer_arp(ethernet.payload());
        }
        let datagram = Datagram::parse(ethernet.payload()).unwrap();
        let udp = UdpPacket::new_checked(datagram.payload).unwrap();
        let packet = DhcpPacket::new_checked(udp.payload()).unwrap();
        let request = DhcpRepr::parse(&packet).unwrap();
        self.seen.push(Seen {
            kind: request.message_type,
            second: (self.now - self.start).secs() as i64,
            from: datagram.source,
            to: datagram.destination,
            requested: request.requested_ip,
            server: request.server_identifier,
            hardware: request.client_hardware_address,
        });
        let kind = match request.message_type {
            _ if self.silent => return None,
            DhcpMessageType::Discover => DhcpMessageType::Offer,
            DhcpMessageType::Request if self.modest && request.server_identifier.is_none() => return None,
            DhcpMessageType::Request if self.refuse => DhcpMessageType::Nak,
            DhcpMessageType::Request => DhcpMessageType::Ack,
            _ => return None,
        };
        let (transaction_id, client_hardware_address) =
            (request.transaction_id, request.client_hardware_address);
        let given = self.given.clone();
        Some(frame_of(&DhcpRepr { message_type: kind, transaction_id, client_hardware_address, ..given }))
    }

    /// Only what others have is answered for.
    fn answer_arp(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let request = ArpPacket::new_checked(payload).unwrap();
        let asked = Ipv4Addr::from(<[u8; 4]>::try_from(request.target_protocol_addr()).unwrap());
        if request.source_protocol_addr() == request.target_protocol_addr() {
            self.announced.push(asked);
        }
        let is_own = asked == OFFERED || asked == self.given.your_ip;
        let is_there = !self.absent.contains(&asked) && (!is_own || self.taken.contains(&asked));
        is_there.then(|| arp_reply(payload))
    }

    /// Another host says that it has `address`.
    fn claim(&mut self, address: Ipv4Addr) {
        let mut claim =
            arp_reply(&[0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        ArpPacket::new_unchecked(&mut claim[HEADROOM..]).set_source_protocol_addr(&address.octets());
        self.host.receive(ETH0, &claim);
    }

    fn kinds(&self) -> Vec<DhcpMessageType> {
        self.seen.iter().map(|seen| seen.kind).collect()
    }

    fn lease(&self) -> Option<&Lease> {
        self.host.network.interface(ETH0)?.dhcp()?.lease()
    }

    fn address(&self) -> Option<Ipv4Addr> {
        match self.host.network.interface(ETH0)?.addresses.first()?.addr() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }
}

fn arp_reply(payload: &[u8]) -> Vec<u8> {
    let request = ArpPacket::new_checked(payload).unwrap();
    let mut reply = payload.to_vec();
    let mut arp = ArpPacket::new_unchecked(&mut reply);
    arp.set_operation(ArpOperation::Reply);
    arp.set_target_hardware_addr(request.source_hardware_addr());
    arp.set_target_protocol_addr(request.source_protocol_addr());
    arp.set_source_hardware_addr(SERVER_MAC.as_bytes());
    arp.set_source_protocol_addr(request.target_protocol_addr());
    ethernet(EthernetProtocol::Arp, &reply)
}

fn reply(message_type: DhcpMessageType, transaction_id: u32) -> DhcpRepr<'static> {
    DhcpRepr {
        message_type,
        transaction_id,
        secs: 0,
        client_hardware_address: CLIENT_MAC,
        client_ip: Ipv4Addr::UNSPECIFIED,
        your_ip: OFFERED,
        server_ip: SERVER,
        router: Some(SERVER),
        subnet_mask: Some(Ipv4Addr::new(255, 255, 255, 0)),
        relay_agent_ip: Ipv4Addr::UNSPECIFIED,
        broadcast: false,
        requested_ip: None,
        client_identifier: None,
        server_identifier: Some(SERVER),
        parameter_request_list: None,
        dns_servers: Some([Ipv4Addr::new(10, 0, 2, 3)].into_iter().collect()),
        max_size: None,
        lease_duration: Some(3600),
        renew_duration: None,
        rebind_duration: None,
        additional_options: &[],
    }
}

fn frame_of(message: &DhcpRepr<'_>) -> Vec<u8> {
    let length = 8 + message.buffer_len();
    let packet = ipv4::build(SERVER, Ipv4Addr::BROADCAST, IpProtocol::Udp, length, |payload| {
        UdpRepr { src_port: 67, dst_port: 68 }.emit(
            &mut UdpPacket::new_unchecked(payload),
            &SERVER.into(),
            &Ipv4Addr::BROADCAST.into(),
            length - 8,
            |room| message.emit(&mut DhcpPacket::new_unchecked(room)).unwrap(),
            &ChecksumCapabilities::default(),
        );
    });
    ethernet(EthernetProtocol::Ipv4, &packet[HEADROOM..])
}

fn ethernet(protocol: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADROOM];
    bytes.extend_from_slice(payload);
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_dst_addr(EthernetAddress::BROADCAST);
    frame.set_src_addr(SERVER_MAC);
    frame.set_ethertype(protocol);
    bytes
}

#[test]
fn a_lease_sets_address_route_and_name_server() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.kinds(), [DhcpMessageType::Discover, DhcpMessageType::Request]);
    assert_eq!(lan.address(), Some(OFFERED));
    let far = lan.host.network.route(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))).unwrap();
    assert_eq!((far.next_hop, far.source), (IpAddr::V4(SERVER), IpAddr::V4(OFFERED)));
    assert_eq!(servers(&lan.host), [IpAddr::V4(Ipv4Addr::new(10, 0, 2, 3))]);
}

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
fn a_renewal_that_changes_a_name_server_keeps_the_routes_of_the_administrator() {
    let mut lan = Lan::new();
    lan.run(Duration::from_secs(1));
    let far = IpAddr::V4(Ipv4Addr::new(192, 168, 7, 1));
    let by = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 77));
    lan.host.network.add_route(ETH0, "192.168.7.0/24".parse().unwrap(), Some(by), None);
    let other = Ipv4Addr::new(10, 0, 2, 4);
    lan.given.dns_servers = Some([other].into_iter().collect());
    lan.given.lease_duration = Some(7200);
    lan.given.router = Some(other);
    lan.run(Duration::from_secs(1810));
    assert_eq!(servers(&lan.host), [other]);
    assert_eq!(lan.host.network.route(far).unwrap().next_hop, by);
    assert_eq!(
        lan.host.network.route(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))).unwrap().next_hop,
        IpAddr::V4(other)
    );
}

/// Some clouds lease a network of one address.
#[test]
fn a_router_outside_of_the_network_is_reached_on_the_link() {
    let mut lan = Lan::new();
    let router = Ipv4Addr::new(169, 254, 1, 1);
    lan.given.router = Some(router);
    lan.given.subnet_mask = Some(Ipv4Addr::BROADCAST);
    lan.run(Duration::from_secs(1));
    let far = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
    let path = lan.host.network.route(far).unwrap();
    assert_eq!((path.next_hop, path.source), (IpAddr::V4(router), IpAddr::V4(OFFERED)));
    let socket = lan.host.udp.open(super::any(0), None, Default::default(), &mut lan.host.network).unwrap();
    lan.host.udp.send_to(socket, b"?", Some(SocketAddr::new(far, 53)), &mut lan.host.network).unwrap();
    let [request] = &lan.host.take_frames(ETH0, 9).collect::<Vec<_>>()[..] else { panic!("one ARP request") };
    let answer = lan.answer(request).unwrap();
    lan.host.receive(ETH0, &answer);
    assert_eq!(lan.host.take_frames(ETH0, 9).count(), 1, "the datagram leaves");
}

#[test]
fn the_first_of_several_routers_is_used() {
    let mut lan = Lan::new();
    lan.given.router = None;
    lan.given.additional_options = &[DhcpOption { kind: 3, data: &[10, 0, 2, 7, 10, 0, 2, 8] }];
    lan.run(Duration::from_secs(1));
    assert_eq!(
        lan.host.network.route(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))).unwrap().next_hop,
        IpAddr::V4(Ipv4Addr::new(10, 0, 2, 7))
    );
}

#[test]
fn a_router_that_does_not_answer_gives_way_to_the_next_for_a_minute() {
    const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
    let [first, second] = [7, 8].map(|last| Ipv4Addr::new(10, 0, 2, last));
    let mut lan = Lan::new();
    lan.given.router = None;
    lan.given.additional_options = &[DhcpOption { kind: 3, data: &[10, 0, 2, 7, 10, 0, 2, 8] }];
    lan.run(Duration::from_secs(1));
    lan.absent.push(first);
    let texts: Vec<_> =
        lan.host.network.routes.iter().map(|route| lan.host.network.route_text(route).to_string()).collect();
    assert!(texts.contains(&"default via 10.0.2.8 dev eth0 src 10.0.2.15 metric 1".to_owned()), "{texts:?}");
    lan.host.set_metric(ETH0, 5);
    assert_eq!(lan.host.network.route(FAR).unwrap().next_hop, IpAddr::V4(first));

    let socket = lan.host.udp.open(super::any(0), None, Default::default(), &mut lan.host.network).unwrap();
    lan.host.udp.send_to(socket, b"?", Some(SocketAddr::new(FAR, 53)), &mut lan.host.network).unwrap();
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.host.network.route(FAR).unwrap().next_hop, IpAddr::V4(second), "nobody is there");
    lan.run(Duration::from_secs(60));
    assert_eq!(lan.host.network.route(FAR).unwrap().next_hop, IpAddr::V4(first), "it may be back");
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
fn without_a_mask_the_class_tells_the_network() {
    let mut lan = Lan::new();
    lan.given.subnet_mask = None;
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.lease().unwrap().address.to_string(), "10.0.2.15/8");
}

#[test]
fn leased_routes_come_and_go_with_the_lease() {
    let mut lan = Lan::new();
    // 192.168.7.0/24 by 10.0.2.9, 192.168.8.0/24 on the link, and the default route.
    const ROUTES: &[u8] = &[24, 192, 168, 7, 10, 0, 2, 9, 24, 192, 168, 8, 0, 0, 0, 0, 0, 10, 0, 2, 4];
    lan.given.additional_options = &[DhcpOption { kind: 121, data: ROUTES }];
    lan.run(Duration::from_secs(1));
    let next_hop =
        |lan: &Lan, to: [u8; 4]| lan.host.network.route(Ipv4Addr::from(to).into()).unwrap().next_hop;
    assert_eq!(next_hop(&lan, [192, 168, 7, 1]), Ipv4Addr::new(10, 0, 2, 9));
    assert_eq!(next_hop(&lan, [192, 168, 8, 1]), Ipv4Addr::new(192, 168, 8, 1));
    assert_eq!(next_hop(&lan, [1, 1, 1, 1]), Ipv4Addr::new(10, 0, 2, 4), "not the router option's");
    lan.given.additional_options = &[];
    lan.run(Duration::from_secs(1810));
    assert_eq!(next_hop(&lan, [192, 168, 7, 1]), SERVER);
    assert_eq!(lan.host.network.routes.iter().count(), 2);
}

#[test]
fn a_lease_may_shorten_the_link_s_packets_unless_the_administrator_chooses() {
    let mut lan = Lan::new();
    lan.given.additional_options = &[DhcpOption { kind: 26, data: &[5, 0x78] }];
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.host.network.interface(ETH0).unwrap().mtu(), 1400);
    lan.host.set_mtu(ETH0, Some(1450));
    assert_eq!(lan.host.network.interface(ETH0).unwrap().mtu(), 1450);
    lan.host.set_mtu(ETH0, None);
    lan.host.set_dhcp(ETH0, false);
    assert_eq!(lan.host.network.interface(ETH0).unwrap().mtu(), 1500);
}

#[test]
fn name_servers_go_with_their_lease_and_those_of_the_preferred_interface_come_first() {
    let mut lan = Lan::bound();
    let eth1 = lan.host.network.add_ethernet("eth1");
    lan.host.link_up(eth1, EthernetAddress([2, 0, 0, 0, 0, 10]), 1500);
    let other = Ipv4Addr::new(192, 168, 1, 3);
    let mut second = Lan { given: reply(DhcpMessageType::Ack, 0), ..Lan::new() };
    second.given.your_ip = Ipv4Addr::new(192, 168, 1, 9);
    second.given.dns_servers = Some([other].into_iter().collect());
    for _ in 0..1000 {
        lan.run(Duration::from_millis(10));
        for frame in lan.host.take_frames(eth1, 99).collect::<Vec<_>>() {
            let is_ipv6 = frame[12..14] == [0x86, 0xdd];
            if !is_ipv6 && let Some(answer) = second.answer(&frame) {
                lan.host.receive(eth1, &answer);
            }
        }
    }
    let own = Ipv4Addr::new(10, 0, 2, 3);
    let servers = |lan: &Lan| servers(&lan.host);
    assert_eq!(servers(&lan), [own, other]);
    lan.host.set_metric(ETH0, 10);
    assert_eq!(servers(&lan), [other, own]);
    lan.host.set_up(eth1, false);
    assert_eq!(servers(&lan), [own]);
}

#[test]
fn an_address_is_announced_once_it_is_ours() {
    let mut lan = Lan::new();
    lan.run(Duration::from_millis(150));
    assert_eq!(lan.address(), None, "it is asked for first");
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.announced, [OFFERED; 2]);
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let mut lan = Lan::new();
    lan.taken.push(OFFERED);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.address(), None);
    let declined = lan.seen.last().unwrap();
    assert_eq!(declined.kind, DhcpMessageType::Decline);
    assert_eq!((declined.requested, declined.server), (Some(OFFERED), Some(SERVER)));
    lan.run(Duration::from_secs(8));
    assert_eq!(lan.seen.len(), 3, "ten seconds of peace");
    lan.given.your_ip = Ipv4Addr::new(10, 0, 2, 16);
    lan.run(Duration::from_secs(3));
    assert_eq!(lan.address(), Some(lan.given.your_ip));
}

#[test]
fn an_address_is_defended_once_and_then_given_up() {
    let mut lan = Lan::bound();
    lan.run(Duration::from_secs(5));
    lan.announced.clear();
    lan.claim(OFFERED);
    lan.run(Duration::from_secs(5));
    assert_eq!((lan.address(), &lan.announced[..]), (Some(OFFERED), &[OFFERED][..]));
    lan.claim(OFFERED);
    lan.run(Duration::from_secs(1));
    assert_eq!((lan.address(), lan.kinds()), (None, vec![DhcpMessageType::Decline]));
    assert_eq!(lan.host.network.interface(ETH0).unwrap().counters.address_conflicts, 2);
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

/// A host that had `OFFERED` before netd was started.
fn started_again(is_held: bool, hardware: EthernetAddress) -> Lan {
    let mut lan = Lan::new();
    let former = Former { address: OFFERED, hardware, is_held };
    lan.host = Stack::new(Random::new([5, 5]), lan.now);
    lan.host.network.former_leases.insert("eth0".to_owned(), former);
    let eth0 = lan.host.network.add_ethernet("eth0");
    lan.host.network.interface_mut(eth0).unwrap().ipv6 = None;
    lan.host.link_up(eth0, CLIENT_MAC, 1500);
    lan
}

#[test]
fn the_lease_of_a_former_netd_is_asked_for_without_looking_for_servers() {
    let mut lan = started_again(true, CLIENT_MAC);
    lan.run(Duration::from_secs(1));
    assert_eq!(lan.kinds(), [DhcpMessageType::Request]);
    assert_eq!((lan.seen[0].requested, lan.seen[0].server), (Some(OFFERED), None));
    assert_eq!(lan.seen[0].from, IpAddr::from(Ipv4Addr::UNSPECIFIED));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn a_server_that_does_not_know_the_former_lease_is_found_anew() {
    let mut lan = started_again(true, CLIENT_MAC);
    lan.silent = true;
    lan.run(Duration::from_secs(6));
    lan.silent = false;
    lan.run(Duration::from_secs(10));
    let kinds = lan.kinds();
    assert_eq!(kinds.first(), Some(&DhcpMessageType::Request));
    assert_eq!(kinds.last(), Some(&DhcpMessageType::Request));
    assert!(kinds.contains(&DhcpMessageType::Discover));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn an_address_that_was_given_back_is_only_preferred_and_another_card_s_is_not() {
    for (is_held, hardware, requested) in [(false, CLIENT_MAC, Some(OFFERED)), (true, SERVER_MAC, None)] {
        let mut lan = started_again(is_held, hardware);
        lan.run(Duration::from_secs(1));
        assert_eq!(lan.kinds()[0], DhcpMessageType::Discover);
        assert_eq!(lan.seen[0].requested, requested);
    }
}

#[test]
fn in_another_network_the_former_lease_is_refused_and_a_new_one_asked_for() {
    let mut lan = Lan::bound();
    lan.host.link_down(ETH0);
    lan.refuse = true;
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    assert_eq!(lan.address(), Some(OFFERED), "meanwhile it is used");
    lan.run(Duration::from_millis(900));
    assert_eq!(lan.address(), None);
    assert_eq!((lan.seen[0].requested, lan.seen[0].server), (Some(OFFERED), None), "RFC 2131 section 4.3.2");
    lan.refuse = false;
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.address(), Some(OFFERED));
}

#[test]
fn in_another_network_whose_server_says_nothing_of_the_former_lease_a_new_one_is_asked_for() {
    let mut lan = Lan::bound();
    let other = Ipv4Addr::new(192, 168, 7, 9);
    lan.host.link_down(ETH0);
    (lan.modest, lan.given.your_ip) = (true, other);
    lan.given.router = Some(Ipv4Addr::new(192, 168, 7, 1));
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    lan.run(Duration::from_secs(10));
    assert_eq!(lan.address(), Some(other));
    assert_eq!(lan.host.network.routes.iter().filter(|route| route.source == OFFERED).count(), 0);
}

#[test]
fn a_lease_that_no_server_confirms_is_used_until_it_ends() {
    let mut lan = Lan::bound();
    lan.host.link_down(ETH0);
    lan.silent = true;
    lan.host.link_up(ETH0, CLIENT_MAC, 1500);
    lan.run(Duration::from_secs(3000));
    assert_eq!(lan.address(), Some(OFFERED));
    lan.run(Duration::from_secs(600));
    assert_eq!(lan.address(), None);
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
    let client = lan.host.udp.open(super::any(68), None, Default::default(), &mut lan.host.network).unwrap();
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
        DhcpRepr { router: Some(Ipv4Addr::BROADCAST), ..offer.clone() },
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
