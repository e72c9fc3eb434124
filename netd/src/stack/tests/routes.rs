//! A host with two NICs: which way packets go.

use super::*;
use crate::stack::routes::Route;

const FIRST: IpAddr = v4([10, 0, 1, 5]);
const SECOND: IpAddr = v4([10, 0, 2, 5]);
const FAR: IpAddr = v4([1, 1, 1, 1]);
const ETH1: InterfaceId = 2;

const fn v4(octets: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
}

/// Each NIC has an address and a router.
fn host() -> Stack {
    let mut host = Stack::new(Random::new([1, 0]), Instant::from_secs(1000));
    for (id, address) in [(ETH0, FIRST), (ETH1, SECOND)] {
        assert_eq!(host.network.add_ethernet(format!("eth{}", id - 1)), id);
        host.network.stop_dhcp(id);
        host.link_up(id, EthernetAddress([2, 0, 0, 0, 0, id as u8]), 1500);
        host.network.add_address(id, ipnet::IpNet::new(address, 24).unwrap());
        add_default(&mut host, id);
    }
    host
}

fn add_default(host: &mut Stack, id: InterfaceId) {
    host.network.add_route(id, "0.0.0.0/0".parse().unwrap(), Some(router(id)), None);
}

fn router(id: InterfaceId) -> IpAddr {
    v4([10, 0, id as u8, 1])
}

fn way(host: &Stack, destination: IpAddr) -> (InterfaceId, IpAddr, IpAddr) {
    let path = host.network.route(destination).unwrap();
    (path.interface, path.next_hop, path.source)
}

#[test]
fn the_longest_prefix_wins_and_then_the_smallest_metric() {
    let mut host = host();
    let near = v4([10, 0, 2, 9]);
    assert_eq!(way(&host, near), (ETH1, near, SECOND));
    assert_eq!(way(&host, FAR), (ETH0, router(ETH0), FIRST), "the first of equal ones");
    host.set_metric(ETH0, 10);
    assert_eq!(way(&host, FAR), (ETH1, router(ETH1), SECOND));
    assert_eq!(way(&host, v4([10, 0, 1, 9])).0, ETH0, "whatever the metric is");
    let route = *host.network.lookup(FAR, None).unwrap();
    host.network.routes.remove(route.destination, route.interface);
    host.network.routes.add(Route { metric: Some(20), ..route });
    add_default(&mut host, ETH0);
    assert_eq!(way(&host, FAR).0, ETH0, "a route's own metric counts");
}

#[test]
fn a_way_with_a_link_is_preferred_and_one_that_is_switched_off_is_none() {
    let mut host = host();
    host.link_down(ETH0);
    assert_eq!(way(&host, FAR).0, ETH1);
    assert_eq!(way(&host, v4([10, 0, 1, 9])).0, ETH0, "the driver may come back");
    host.set_up(ETH0, false);
    assert_eq!(way(&host, v4([10, 0, 1, 9])).0, ETH1, "by the router");
    host.set_up(ETH1, false);
    assert!(matches!(host.network.route(FAR), Err(SocketError::NetworkUnreachable(_))));
    host.set_up(ETH0, true);
    assert_eq!(way(&host, FAR).0, ETH0);
}

#[test]
fn a_packet_leaves_by_the_interface_whose_address_it_comes_from() {
    let mut host = host();
    let path = host.network.route_from(FAR, Some(SECOND)).unwrap();
    assert_eq!((path.interface, path.next_hop, path.source), (ETH1, router(ETH1), SECOND));
    let Stack { udp, network, .. } = &mut host;
    for (source, leaves_by) in [(FIRST, ETH0), (SECOND, ETH1)] {
        let socket = udp.open(SocketAddr::new(source, 0), None, Default::default(), network).unwrap();
        network.interface_mut(leaves_by).unwrap().queue.clear();
        udp.send_to(socket, b"?", Some(SocketAddr::new(FAR, 53)), network).unwrap();
        assert_eq!(network.interface(leaves_by).unwrap().queue.len(), 1, "it asks for its router");
    }
}

#[test]
fn what_comes_from_loopback_does_not_leave() {
    let host = host();
    let from = Some(Ipv4Addr::LOCALHOST.into());
    assert!(matches!(host.network.route_from(FAR, from), Err(SocketError::NetworkUnreachable(_))));
    assert_eq!(host.network.route_from(FIRST, from).unwrap().source, Ipv4Addr::LOCALHOST);
}

#[test]
fn broadcasts_leave_by_the_preferred_interface_with_a_link() {
    let mut host = host();
    let all = IpAddr::V4(Ipv4Addr::BROADCAST);
    assert_eq!(way(&host, all), (ETH0, all, FIRST));
    host.link_down(ETH0);
    assert_eq!(way(&host, all), (ETH1, all, SECOND));
    assert_eq!(host.network.route_from(all, Some(FIRST)).unwrap().interface, ETH0);
}

#[test]
fn nothing_is_forwarded() {
    let mut host = host();
    host.poll(host.network.now);
    let counted = |host: &Stack| host.network.interface(ETH0).unwrap().counters.rx_dropped;
    let before = counted(&host);
    let datagram = crate::stack::udp::datagram(
        SocketAddr::new(v4([10, 0, 1, 9]), 9),
        SocketAddr::new(v4([10, 0, 2, 9]), 9),
        b"through",
    );
    let mut frame = datagram.finished();
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame);
    ethernet.set_src_addr(EthernetAddress([2, 0, 0, 0, 0, 9]));
    ethernet.set_dst_addr(EthernetAddress([2, 0, 0, 0, 0, ETH0 as u8]));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    host.network.interface_mut(ETH1).unwrap().queue.clear();
    host.receive(ETH0, &frame);
    assert_eq!(counted(&host), before + 1);
    assert!(host.network.interface(ETH1).unwrap().queue.is_empty());
}
