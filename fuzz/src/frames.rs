//! Frames into the stack: Ethernet, ARP, IPv4, TCP, UDP, ICMP and DHCP.

use std::net::{Ipv4Addr, SocketAddr};

use netd::stack::icmp::{IcmpId, Purpose};
use netd::stack::raw::RawId;
use netd::stack::tcp::{ConnectionId, ListenerId, Options};
use netd::stack::udp::UdpId;
use netd::stack::{Instant, InterfaceId, Random, Stack};
use smoltcp::time::Duration;
use smoltcp::wire::{
    DhcpPacket, EthernetFrame, EthernetProtocol, IpProtocol, IpVersion, Ipv4Packet, TcpPacket, TcpSeqNumber,
    UdpPacket,
};

use crate::input::Input;
use crate::wire::{self, ETHERNET_HEADER, MTU, OWN, OWN_MAC, PEER, ethernet, from_dhcp_server, ipv4};

/// More frames than this tell nothing new.
const MOST_FRAMES: usize = 200;

/// Gives the frames that `data` describes to a host with sockets of all kinds, with or without DHCP, and looks
/// at what it sends.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut host = Host::new(input.u8() & 1 != 0);
    for _ in 0..MOST_FRAMES {
        if input.is_empty() {
            break;
        }
        let frame = host.frame(&mut input);
        host.stack.receive(host.eth0, &frame);
        host.pass(Duration::from_millis(input.u8().into()) * 16);
        host.use_sockets();
    }
    host.pass(Duration::from_secs(600));
}

/// A host with sockets, and what it said last.
struct Host {
    stack: Stack,
    eth0: InterfaceId,
    now: Instant,
    listener: ListenerId,
    connections: Vec<ConnectionId>,
    udp: UdpId,
    ping: IcmpId,
    raw: RawId,
    /// Its last TCP segment, of which the next one believably follows.
    segment: Option<Vec<u8>>,
    /// Its last DHCP transaction.
    transaction: u32,
}

impl Host {
    fn new(with_dhcp: bool) -> Self {
        let now = Instant::from_secs(1000);
        let mut stack = Stack::new(Random::new([1, 0]), now);
        let eth0 = stack.network.add_ethernet("eth0");
        if !with_dhcp {
            stack.network.stop_dhcp(eth0);
        }
        stack.link_up(eth0, OWN_MAC, MTU);
        if !with_dhcp {
            stack.network.add_address(eth0, ipnet::IpNet::new(OWN.into(), 24).expect("24 bits"));
        }
        let any = |port| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        let Stack { network, tcp, udp, icmp, raw, .. } = &mut stack;
        let listener = tcp.listen(any(80), Options::default(), network).expect("port 80 is free");
        let udp = udp.open(any(53), None, Default::default(), network).expect("port 53 is free");
        let ping = icmp.open(Purpose::Echo, PEER.into(), &mut network.random).expect("an echo socket");
        let raw = raw.open(IpVersion::Ipv4, 6);
        let connections = tcp
            .connect(None, SocketAddr::new(PEER.into(), 7), Options::default(), network)
            .into_iter()
            .collect();
        let mut host =
            Self { stack, eth0, now, listener, connections, udp, ping, raw, segment: None, transaction: 0 };
        host.pass(Duration::from_millis(1));
        host
    }

    /// Lets time pass, with a poll whenever the stack wants one.
    fn pass(&mut self, time: Duration) {
        let mut sent = Vec::new();
        let Self { stack, eth0, now, .. } = self;
        wire::pass(stack, *eth0, now, time, |frame| sent.push(frame.to_vec()));
        sent.iter().for_each(|frame| self.note(frame));
    }

    /// Looks at a frame that the host sends.
    fn note(&mut self, frame: &[u8]) {
        assert!((ETHERNET_HEADER..=ETHERNET_HEADER + MTU).contains(&frame.len()), "{} bytes", frame.len());
        let ethernet = EthernetFrame::new_checked(frame).expect("an Ethernet frame");
        assert_eq!(ethernet.src_addr(), OWN_MAC);
        if ethernet.ethertype() != EthernetProtocol::Ipv4 {
            return;
        }
        let packet = Ipv4Packet::new_checked(ethernet.payload()).expect("an IPv4 packet");
        assert!(packet.verify_checksum());
        match packet.next_header() {
            IpProtocol::Tcp => self.segment = Some(ethernet.payload().to_vec()),
            IpProtocol::Udp => {
                if let Ok(udp) = UdpPacket::new_checked(packet.payload())
                    && let Ok(dhcp) = DhcpPacket::new_checked(udp.payload())
                {
                    self.transaction = dhcp.transaction_id();
                }
            }
            _ => (),
        }
    }

    /// The sockets' users take what there is, and answer.
    fn use_sockets(&mut self) {
        let mut buffer = [0; 2048];
        let Stack { network, tcp, udp, icmp, raw, .. } = &mut self.stack;
        while let Ok(connection) = tcp.accept(self.listener) {
            self.connections.push(connection);
        }
        for &connection in &self.connections {
            while matches!(tcp.read(connection, &mut buffer, false), Ok(1..)) {}
            let _ = tcp.write(connection, b"an answer");
        }
        while udp.receive_from(self.udp, &mut buffer, false).is_ok() {}
        while icmp.read(self.ping, &mut buffer).is_ok() {}
        while raw.read(self.raw, &mut buffer).is_ok() {}
        let _ = icmp.write(self.ping, &[0; 16], network);
    }

    /// A frame: any bytes, or the headers of a believable one with what the input makes of the rest.
    fn frame(&self, input: &mut Input<'_>) -> Vec<u8> {
        let (kind, length) = (input.u8() % 8, usize::from(input.u16() % 1600));
        match kind {
            0 => input.bytes(length).to_vec(),
            1 => ethernet(EthernetProtocol::Arp, input.bytes(length)),
            2 => ethernet(EthernetProtocol::Ipv4, input.bytes(length)),
            3 => self.next_segment(input, length),
            4 => datagram(input, length, IpProtocol::Tcp),
            5 => datagram(input, length, IpProtocol::Udp),
            6 => datagram(input, length, IpProtocol::Icmp),
            _ => self.lease(input, length),
        }
    }

    /// What the peer of the last connection might say next: its flags, numbers near the right ones, its window,
    /// and options and data as they come.
    fn next_segment(&self, input: &mut Input<'_>, length: usize) -> Vec<u8> {
        let Some(last) = &self.segment else { return Vec::new() };
        let packet = Ipv4Packet::new_unchecked(last);
        let (own, peer) = (packet.src_addr(), packet.dst_addr());
        let said = TcpPacket::new_unchecked(packet.payload());
        let flags = input.u8();
        let near = |number: TcpSeqNumber, by: u8| number + 128 - usize::from(by ^ 0x80);
        let acknowledged = near(said.seq_number() + said.segment_len(), input.u8());
        let sequence = near(said.ack_number(), input.u8());
        let header = 20 + 4 * usize::from(input.u8() % 11);
        let mut segment = vec![0; header];
        segment.extend(input.bytes(length));
        let options = input.bytes(header - 20);
        segment[20..20 + options.len()].copy_from_slice(options);
        let mut tcp = TcpPacket::new_unchecked(&mut segment);
        tcp.set_src_port(said.dst_port());
        tcp.set_dst_port(said.src_port());
        tcp.set_seq_number(sequence);
        tcp.set_ack_number(acknowledged);
        tcp.set_window_len(input.u16());
        tcp.set_header_len(header as u8);
        for (bit, set) in [
            TcpPacket::set_fin,
            TcpPacket::set_syn,
            TcpPacket::set_rst,
            TcpPacket::set_psh,
            TcpPacket::set_ack,
            TcpPacket::set_urg,
        ]
        .into_iter()
        .enumerate()
        {
            set(&mut tcp, flags >> bit & 1 != 0);
        }
        ipv4(peer, own, IpProtocol::Tcp, segment)
    }

    /// A server's answer to the present DHCP transaction, with its fields and options from the input.
    fn lease(&self, input: &mut Input<'_>, length: usize) -> Vec<u8> {
        const OPTIONS: usize = 240;
        let mut message = vec![0; OPTIONS];
        let mut dhcp = DhcpPacket::new_unchecked(&mut message);
        dhcp.set_opcode(smoltcp::wire::DhcpOpCode::Reply);
        dhcp.set_hardware_type(smoltcp::wire::ArpHardware::Ethernet);
        dhcp.set_hardware_len(6);
        dhcp.set_transaction_id(self.transaction);
        dhcp.set_client_hardware_address(OWN_MAC);
        dhcp.set_your_ip(Ipv4Addr::from(input.u32().to_le_bytes()));
        dhcp.set_server_ip(PEER);
        dhcp.set_magic_number(0x6382_5363);
        message.extend(input.bytes(length));
        from_dhcp_server(&message)
    }
}

/// A packet of `protocol` to the host, with its payload from the input and everything else as it should be.
fn datagram(input: &mut Input<'_>, length: usize, protocol: IpProtocol) -> Vec<u8> {
    let destination = match input.u8() % 8 {
        0 => Ipv4Addr::BROADCAST,
        1 => Ipv4Addr::new(10, 0, 0, 255),
        2 => Ipv4Addr::from(input.u32().to_le_bytes()),
        _ => OWN,
    };
    ipv4(PEER, destination, protocol, input.bytes(length).to_vec())
}
