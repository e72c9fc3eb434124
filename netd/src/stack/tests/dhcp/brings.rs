//! What a lease brings: an address that is looked for first, routes, name servers, an MTU.

use super::*;

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
    let socket = lan.host.udp.open(any(0), None, Default::default(), &mut lan.host.network).unwrap();
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
fn a_router_that_no_host_can_be_is_left_out_of_a_lease() {
    let mut lan = Lan::new();
    lan.given.router = None;
    lan.given.additional_options = &[DhcpOption { kind: 3, data: &[255, 255, 255, 255, 10, 0, 2, 8] }];
    lan.run(Duration::from_secs(1));
    assert_eq!(
        lan.host.network.route(IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1))).unwrap().next_hop,
        IpAddr::V4(Ipv4Addr::new(10, 0, 2, 8))
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

    let socket = lan.host.udp.open(any(0), None, Default::default(), &mut lan.host.network).unwrap();
    lan.host.udp.send_to(socket, b"?", Some(SocketAddr::new(FAR, 53)), &mut lan.host.network).unwrap();
    lan.run(Duration::from_secs(5));
    assert_eq!(lan.host.network.route(FAR).unwrap().next_hop, IpAddr::V4(second), "nobody is there");
    lan.run(Duration::from_secs(60));
    assert_eq!(lan.host.network.route(FAR).unwrap().next_hop, IpAddr::V4(first), "it may be back");
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
