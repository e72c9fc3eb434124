//! What a host makes of an IPv6 router's advertisements.

use std::net::Ipv6Addr;

use super::*;
use crate::stack::{icmpv6, ndisc};

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const OTHER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
const FAR: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1));
const DAY: u32 = 86_400;

/// A host, and a link on which we play the routers.
struct Lan {
    host: Stack,
    now: Instant,
    /// The ICMPv6 messages that the host sent: type, and whom to.
    said: Vec<(u8, Ipv6Addr)>,
}

impl Lan {
    fn new() -> Self {
        let now = Instant::from_secs(1000);
        let mut lan = Self { host: dual_stack(1, LEFT, now), now, said: Vec::new() };
        lan.pass(5);
        lan
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            self.host.poll(self.now);
            let frames: Vec<_> = self.host.take_frames(ETH0, usize::MAX).collect();
            self.said.extend(frames.iter().filter_map(|frame| message(frame)));
            match self.host.deadline() {
                Some(at) if at <= end => self.now = at.max(self.now + Duration::from_micros(1)),
                _ if self.now >= end => return,
                _ => self.now = end,
            }
        }
    }

    /// `router` says that it is one for `lifetime` seconds, with `options` beside.
    fn advertise(&mut self, router: Ipv6Addr, lifetime: u16, options: &[Vec<u8>]) {
        self.advertise_from(router, 255, lifetime, options);
    }

    fn advertise_from(&mut self, router: Ipv6Addr, hop_limit: u8, lifetime: u16, options: &[Vec<u8>]) {
        self.host.network.now = self.now;
        self.host.receive(ETH0, &advertisement(router, hop_limit, lifetime, options));
    }

    fn addresses(&self) -> Vec<String> {
        let own = &self.host.network.interface(ETH0).unwrap().addresses;
        own.iter().filter(|own| own.addr().is_ipv6()).map(ToString::to_string).collect()
    }

    fn next_hop(&self) -> Option<IpAddr> {
        self.host.network.route(FAR).ok().map(|path| path.next_hop)
    }
}

fn advertisement(router: Ipv6Addr, hop_limit: u8, lifetime: u16, options: &[Vec<u8>]) -> Vec<u8> {
    const ROUTER_ADVERTISEMENT: u8 = 134;
    let options = options.concat();
    let all = ndisc::ALL_NODES;
    let mut frame = icmpv6::build(router, all, ROUTER_ADVERTISEMENT, 0, 12 + options.len(), |body| {
        body[2..4].copy_from_slice(&lifetime.to_be_bytes());
        body[12..].copy_from_slice(&options);
    });
    frame[HEADROOM + 7] = hop_limit;
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame);
    ethernet.set_src_addr(EthernetAddress([2, 0, 0, 0, 9, router.octets()[15]]));
    ethernet.set_dst_addr(EthernetAddress([0x33, 0x33, 0, 0, 0, 1]));
    ethernet.set_ethertype(EthernetProtocol::Ipv6);
    frame
}

fn message(frame: &[u8]) -> Option<(u8, Ipv6Addr)> {
    let datagram = Datagram::parse(&frame[HEADROOM..])?;
    let (IpProtocol::Icmpv6, IpAddr::V6(to)) = (datagram.protocol, datagram.destination) else { return None };
    Some((datagram.payload[0], to))
}

fn prefix(text: &str, valid: u32, preferred: u32) -> Vec<u8> {
    let prefix: ipnet::Ipv6Net = text.parse().unwrap();
    let mut option = vec![3, 4, prefix.prefix_len(), 0xc0];
    option.extend([valid.to_be_bytes(), preferred.to_be_bytes(), [0; 4]].concat());
    option.extend(prefix.network().octets());
    option
}

fn name_server(address: &str, lifetime: u32) -> Vec<u8> {
    let mut option = vec![25, 3, 0, 0];
    option.extend(lifetime.to_be_bytes());
    option.extend(address.parse::<Ipv6Addr>().unwrap().octets());
    option
}

#[test]
fn an_advertisement_brings_address_router_name_server_and_mtu() {
    let mut lan = Lan::new();
    assert_eq!(lan.next_hop(), None);
    let mtu = [vec![5, 1, 0, 0], 1400_u32.to_be_bytes().to_vec()].concat();
    let options = [prefix("2001:db8::/64", DAY, DAY), name_server("2001:db8::53", 600), mtu];
    lan.advertise(ROUTER, 1800, &options);
    lan.pass(3);
    assert_eq!(lan.addresses(), ["fe80::ff:fe00:1/64", "2001:db8::ff:fe00:1/64"]);
    let path = lan.host.network.route(FAR).unwrap();
    assert_eq!(path.next_hop, IpAddr::V6(ROUTER));
    assert_eq!(path.source.to_string(), "2001:db8::ff:fe00:1");
    assert_eq!(lan.host.network.mtu(&path), 1400);
    let near = "2001:db8::77".parse().unwrap();
    assert_eq!(lan.host.network.route(near).unwrap().next_hop, near, "its prefix is on the link");
    assert_eq!(servers(&lan.host), ["2001:db8::53".parse::<IpAddr>().unwrap()]);
    lan.pass(600);
    assert_eq!(servers(&lan.host).len(), 0, "its lifetime is over");
    lan.pass(1200);
    assert_eq!(lan.next_hop(), None, "so is the router's");
}

#[test]
fn routers_are_asked_for_until_one_answers() {
    let mut lan = Lan::new();
    lan.pass(60);
    let asked = |lan: &Lan| lan.said.iter().filter(|(kind, _)| *kind == 133).count();
    assert!((4..=6).contains(&asked(&lan)), "{} times in 65 s", asked(&lan));
    lan.advertise(OTHER, 0, &[prefix("fd00::/64", DAY, DAY)]);
    let before = asked(&lan);
    lan.pass(100);
    assert!(asked(&lan) > before, "that one has a prefix, but is no default router");
    lan.advertise(ROUTER, 1800, &[]);
    let before = asked(&lan);
    lan.pass(1000);
    assert_eq!(asked(&lan), before);
}

#[test]
fn an_address_is_given_up_no_sooner_than_in_two_hours() {
    let mut lan = Lan::new();
    lan.advertise(ROUTER, 1800, &[prefix("2001:db8::/64", DAY, DAY)]);
    lan.pass(3);
    lan.advertise(ROUTER, 1800, &[prefix("2001:db8::/64", 10, 10)]);
    lan.pass(7199);
    assert_eq!(lan.addresses().len(), 2, "a forged advertisement takes no address away at once");
    lan.advertise(ROUTER, 1800, &[prefix("2001:db8::/64", 0, 0)]);
    lan.pass(2);
    assert_eq!(lan.addresses().len(), 1);
}

#[test]
fn of_two_addresses_new_connections_use_the_one_that_is_preferred() {
    let mut lan = Lan::new();
    let source = |lan: &Lan| lan.host.network.route(FAR).unwrap().source.to_string();
    lan.advertise(
        ROUTER,
        9000,
        &[prefix("2001:db8:ffff:1::/64", DAY, 60), prefix("2001:db8:1::/64", DAY, DAY)],
    );
    lan.pass(3);
    assert!(source(&lan).starts_with("2001:db8:ffff:1:"), "it is more like the destination");
    lan.pass(60);
    assert!(source(&lan).starts_with("2001:db8:1:"), "the other one is deprecated");
    assert_eq!(lan.addresses().len(), 3, "but still ours");
}

#[test]
fn another_router_takes_over_from_one_that_resigns_or_is_silent() {
    let mut lan = Lan::new();
    lan.advertise(ROUTER, 1800, &[prefix("2001:db8::/64", DAY, DAY)]);
    lan.advertise(OTHER, 1800, &[]);
    lan.pass(3);
    assert_eq!(lan.next_hop(), Some(ROUTER.into()));
    let Stack { network, udp, .. } = &mut lan.host;
    let to = SocketAddr::new(FAR, 53);
    let socket = udp.open("[::]:0".parse().unwrap(), Some(to), Default::default(), network).unwrap();
    udp.send_to(socket, b"?", None, network).unwrap();
    lan.pass(4);
    assert_eq!(lan.next_hop(), Some(OTHER.into()), "the first one does not answer");
    lan.advertise(ROUTER, 1800, &[]);
    assert_eq!(lan.next_hop(), Some(ROUTER.into()), "it lives");
    lan.advertise(ROUTER, 0, &[]);
    assert_eq!(lan.next_hop(), Some(OTHER.into()), "it resigns");
}

#[test]
fn what_no_router_of_the_link_can_have_said_is_ignored() {
    let mut lan = Lan::new();
    let good = prefix("2001:db8::/64", DAY, DAY);
    lan.advertise_from(ROUTER, 254, 1800, std::slice::from_ref(&good));
    lan.advertise("2001:db8::1".parse().unwrap(), 1800, std::slice::from_ref(&good));
    lan.advertise(ROUTER, 1800, &[good.clone(), vec![3, 0]]);
    lan.pass(3);
    assert_eq!(
        (lan.addresses().len(), lan.next_hop()),
        (1, None),
        "from afar, or with an option of no length"
    );
    let odd =
        [prefix("2001:db8::/63", DAY, DAY), prefix("2001:db8:1::/64", 5, 6), prefix("fe80::/64", DAY, DAY)];
    lan.advertise(ROUTER, 1800, &odd);
    lan.pass(3);
    assert_eq!(lan.addresses().len(), 1);
}

#[test]
fn routers_cannot_make_us_grow() {
    let mut lan = Lan::new();
    for number in 0..1000_u32 {
        let router = Ipv6Addr::from_bits(ROUTER.to_bits() + u128::from(number));
        let text = format!("2001:db8:{number:x}::/64");
        lan.advertise(router, 1800, &[prefix(&text, DAY, DAY), name_server("2001:db8::53", 600)]);
    }
    lan.pass(3);
    assert!(lan.addresses().len() <= 32);
    assert!(lan.host.network.routes.iter().count() <= 64);
}

#[test]
fn groups_are_told_to_routers_and_echo_requests_to_them_answered() {
    let mut lan = Lan::new();
    const REPORT: u8 = 143;
    assert_eq!(lan.said.iter().filter(|(kind, _)| *kind == REPORT).count(), 2);
    let ping = icmpv6::build(ROUTER, ndisc::ALL_NODES, icmpv6::ECHO_REQUEST, 0, 8, |_| ());
    let mut frame = ping;
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame);
    ethernet.set_src_addr(EthernetAddress([2, 0, 0, 0, 9, 1]));
    ethernet.set_dst_addr(EthernetAddress([0x33, 0x33, 0, 0, 0, 1]));
    ethernet.set_ethertype(EthernetProtocol::Ipv6);
    lan.host.receive(ETH0, &frame);
    lan.said.clear();
    lan.pass(1);
    assert_eq!(lan.said.first(), Some(&(135, ndisc::solicited_node(ROUTER))), "who is it?");
}

#[test]
fn name_servers_go_with_the_interface_on_which_they_are() {
    let mut lan = Lan::new();
    lan.advertise(ROUTER, 1800, &[name_server("2001:db8::53", 600)]);
    lan.host.add_vlan(ETH0, 10);
    let vlan = lan.host.network.vlan(ETH0, 10).unwrap();
    lan.host.receive(vlan, &advertisement(ROUTER, 255, 1800, &[name_server("2001:db8:10::53", 600)]));
    assert_eq!(servers(&lan.host).len(), 2);
    lan.host.remove_vlan(ETH0, 10);
    assert_eq!(servers(&lan.host), ["2001:db8::53".parse::<IpAddr>().unwrap()]);
    lan.host.set_up(ETH0, false);
    assert!(servers(&lan.host).is_empty());
    lan.host.set_up(ETH0, true);
    assert_eq!(servers(&lan.host).len(), 1, "as before, until its lifetime is over");
}

#[test]
fn on_another_link_its_router_its_prefix_and_its_name_server_go_first() {
    let mut lan = Lan::new();
    let near = "2001:db8:ffff:1::/64";
    lan.advertise(ROUTER, 1800, &[prefix(near, DAY, DAY), name_server("2001:db8:ffff:1::53", 600)]);
    lan.pass(3);
    lan.host.link_down(ETH0);
    lan.host.link_up(ETH0, ethernet_address(LEFT), 1500);
    assert_eq!(lan.next_hop(), Some(ROUTER.into()), "it may be the same link");
    lan.advertise(OTHER, 1800, &[prefix("2001:db8:1::/64", DAY, DAY), name_server("2001:db8:1::53", 600)]);
    lan.pass(3);
    let path = lan.host.network.route(FAR).unwrap();
    assert_eq!(path.next_hop, IpAddr::V6(OTHER));
    assert_eq!(path.source.to_string(), "2001:db8:1::ff:fe00:1");
    assert_eq!(servers(&lan.host)[0].to_string(), "2001:db8:1::53");
    lan.advertise(ROUTER, 1800, &[prefix(near, DAY, DAY), name_server("2001:db8:ffff:1::53", 600)]);
    assert_eq!(lan.next_hop(), Some(ROUTER.into()), "it was the same link");
    assert!(lan.host.network.route(FAR).unwrap().source.to_string().starts_with("2001:db8:ffff:1:"));
}
