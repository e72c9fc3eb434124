//! Sockets that are bound to an interface, on a host that has two.

use std::net::SocketAddr;

use scheme::errno::{EINVAL, ENETUNREACH, ENODEV, EPERM};
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};

use super::*;
use crate::schemes::icmp::Icmp;
use crate::schemes::tcp::Tcp;
use crate::schemes::udp::Udp;
use crate::stack::{InterfaceId, udp};

const SET: u64 = 2;
const GET: u64 = 3;
const SO_BINDTODEVICE: u64 = 25;

/// The interfaces, in the order of their ids: 10.0.0.1/24, and 10.0.1.1/24.
const ETH0: InterfaceId = 1;
const ETH1: InterfaceId = 2;

fn mac(interface: InterfaceId) -> EthernetAddress {
    EthernetAddress([2, 0, 0, 0, 0, interface as u8])
}

fn two_links() -> SharedStack {
    let stack = host();
    let mut own = stack.borrow_mut();
    for (number, name) in ["eth0", "eth1"].iter().enumerate() {
        let id = own.network.add_ethernet(*name);
        own.network.stop_dhcp(id);
        own.link_up(id, mac(id), 1500);
        own.network.add_address(id, format!("10.0.{number}.1/24").parse().unwrap());
    }
    drop(own);
    sent(&stack);
    stack
}

/// How many IPv4 and ARP frames have left by either.
fn sent(stack: &SharedStack) -> [usize; 2] {
    let mut stack = stack.borrow_mut();
    let now = stack.network.now;
    stack.poll(now);
    [ETH0, ETH1].map(|id| {
        let is_ours = |frame: &Vec<u8>| {
            let kind = EthernetFrame::new_unchecked(frame).ethertype();
            matches!(kind, EthernetProtocol::Arp | EthernetProtocol::Ipv4)
        };
        stack.take_frames(id, 100).filter(is_ours).count()
    })
}

impl<P: Protocol> Rig<SocketScheme<P>> {
    fn bind_to(&mut self, id: usize, name: &[u8]) -> Answer<usize> {
        self.call(id, &mut name.to_vec(), &[SET, SO_BINDTODEVICE])
    }

    fn device(&mut self, id: usize) -> Answer<Vec<u8>> {
        let mut name = vec![0; 16];
        let length = self.call(id, &mut name, &[GET, SO_BINDTODEVICE])?;
        name.truncate(length);
        Ok(name)
    }
}

/// A datagram comes by one of the interfaces.
fn arrive(stack: &SharedStack, id: InterfaceId, from: &str, to: &str) {
    let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let mut frame = udp::datagram(from, to, b"hello").finished();
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame[..]);
    ethernet.set_src_addr(EthernetAddress([2, 0, 0, 0, 0, 9]));
    ethernet.set_dst_addr(mac(id));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    stack.borrow_mut().receive(id, &frame);
}

#[test]
fn a_device_is_bound_told_and_let_go_of() {
    let mut rig = rig::<Udp>(&two_links());
    let socket = rig.open("").unwrap();
    assert_eq!(rig.device(socket).unwrap(), b"");
    assert_eq!(rig.bind_to(socket, b"eth1\0\0\0\0"), Ok(8));
    assert_eq!(rig.device(socket).unwrap(), b"eth1\0");
    for unknown in [&b"eth2"[..], b"\xff\xff", b"eth"] {
        assert_eq!(rig.bind_to(socket, unknown), Err(ENODEV));
    }
    assert_eq!(rig.call(socket, &mut [0; 4], &[GET, SO_BINDTODEVICE]), Err(EINVAL), "it does not fit");
    rig.bind_to(socket, b"").unwrap();
    assert_eq!(rig.device(socket).unwrap(), b"");
}

#[test]
fn who_is_not_root_binds_a_socket_once() {
    let mut rig = rig::<Udp>(&two_links());
    rig.uid = 1000;
    let socket = rig.open("").unwrap();
    rig.bind_to(socket, b"eth1").unwrap();
    assert_eq!(rig.bind_to(socket, b"eth0"), Err(EPERM));
    assert_eq!(rig.bind_to(socket, b""), Err(EPERM));
}

#[test]
fn what_is_bound_sends_by_its_interface_alone_wherever_it_goes() {
    let stack = two_links();
    let mut udp = rig::<Udp>(&stack);
    let socket = udp.open("").unwrap();
    udp.bind_to(socket, b"eth1").unwrap();
    let peer = udp.dup(socket, "10.0.0.9:53").unwrap();
    udp.write(peer, b"hello").unwrap();
    assert_eq!(sent(&stack), [0, 1], "eth1's neighbours are asked for it");
    assert!(udp.path(peer).contains("/10.0.1.1:"), "from its address there: {}", udp.path(peer));
    assert_eq!(udp.dup(socket, "10.0.0.1:53"), Err(ENETUNREACH), "this host is not beyond eth1");

    let mut tcp = rig::<Tcp>(&stack);
    let socket = tcp.open_nonblocking("").unwrap();
    tcp.bind_to(socket, b"eth1").unwrap();
    let _ = tcp.dup(socket, "10.0.0.8:80");
    assert_eq!(sent(&stack), [0, 1]);

    let mut icmp = rig::<Icmp>(&stack);
    let socket = icmp.open("echo/10.0.0.7").unwrap();
    icmp.bind_to(socket, b"eth1").unwrap();
    icmp.write(socket, &[0, 1, 2]).unwrap();
    assert_eq!(sent(&stack), [0, 1]);
}

#[test]
fn what_is_bound_hears_its_interface_alone_and_goes_before_others_there() {
    let stack = two_links();
    let mut rig = rig::<Udp>(&stack);
    let sockets = [(); 2].map(|()| {
        let socket = rig.open_nonblocking("").unwrap();
        rig.set_option(socket, &[2], &[1]).unwrap();
        socket
    });
    rig.bind_to(sockets[0], b"eth1").unwrap();
    let [bound, other] = sockets.map(|socket| rig.dup(socket, "/0.0.0.0:5353").unwrap());
    arrive(&stack, ETH0, "10.0.0.9:53", "10.0.0.1:5353");
    assert_eq!([rig.read(bound, 9), rig.read(other, 9)], [Err(EAGAIN), Ok(b"hello".to_vec())]);
    arrive(&stack, ETH1, "10.0.1.9:53", "10.0.1.1:5353");
    assert_eq!([rig.read(bound, 9), rig.read(other, 9)], [Ok(b"hello".to_vec()), Err(EAGAIN)]);
}

/// A host on one of the links, which calls 10.0.N.1:80: whether it is connected in the end.
fn calls(near: &SharedStack, link: InterfaceId) -> bool {
    let mut far = Stack::new(Random::new([3, 4]), Instant::ZERO);
    let eth0 = far.network.add_ethernet("eth0");
    far.network.stop_dhcp(eth0);
    far.link_up(eth0, mac(7), 1500);
    let number = link - ETH0;
    far.network.add_address(eth0, format!("10.0.{number}.7/24").parse().unwrap());
    let server = format!("10.0.{number}.1:80").parse().unwrap();
    let call = far.tcp.connect(None, server, Default::default(), &mut far.network).unwrap();
    for _ in 0..5 {
        far.poll(Instant::ZERO);
        let frames: Vec<_> = far.take_frames(eth0, 100).collect();
        frames.iter().for_each(|frame| near.borrow_mut().receive(link, frame));
        near.borrow_mut().poll(Instant::ZERO);
        let frames: Vec<_> = near.borrow_mut().take_frames(link, 100).collect();
        frames.iter().for_each(|frame| far.receive(eth0, frame));
    }
    far.tcp.connected(call).is_ok()
}

#[test]
fn a_listener_that_is_bound_is_called_by_its_interface_alone() {
    let stack = two_links();
    let mut rig = rig::<Tcp>(&stack);
    let socket = rig.open("").unwrap();
    rig.bind_to(socket, b"eth1").unwrap();
    let listener = rig.dup(socket, "/0.0.0.0:80").unwrap();
    assert_eq!([ETH0, ETH1].map(|link| calls(&stack, link)), [false, true]);
    let connection = rig.dup(listener, "listen").unwrap();
    assert_eq!(rig.device(connection).unwrap(), b"eth1\0");
    assert_eq!(rig.bind_to(connection, b"eth0"), Err(EINVAL), "it stays where it lives");
}
