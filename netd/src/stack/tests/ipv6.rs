//! IPv6.

use std::net::Ipv6Addr;

use super::*;

fn localhost(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)
}

#[test]
fn a_host_talks_to_itself_over_ipv6() {
    let mut bed = Bed::new();
    let Stack { network, tcp, udp, .. } = &mut bed.left;
    let listener = tcp.listen(localhost(80), network).unwrap();
    let client = tcp.connect(None, localhost(80), network).unwrap();
    let server = udp.open(localhost(53), None, network).unwrap();
    let asker = udp.open("[::]:0".parse().unwrap(), Some(localhost(53)), network).unwrap();
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
    tcp.listen(any(80), network).unwrap();
    tcp.listen("[::]:80".parse().unwrap(), network).unwrap();
    assert_eq!(tcp.listen(localhost(80), network), Err(SocketError::AddressInUse(80)));
    let only_ipv4 = udp.open(any(53), None, network).unwrap();
    let over_ipv6 = udp.send_to(only_ipv4, b"?", Some(localhost(53)), network);
    assert_eq!(over_ipv6, Err(SocketError::InvalidDestination(localhost(53))));
}
