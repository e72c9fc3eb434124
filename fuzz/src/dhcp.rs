//! A DHCP server that says anything: what a client makes of it.

use std::net::{IpAddr, Ipv4Addr};

use netd::stack::{Instant, InterfaceId, Random, Stack};
use smoltcp::time::Duration;
use smoltcp::wire::{
    ArpHardware, DhcpOpCode, DhcpPacket, EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol,
    Ipv4Packet, UdpPacket,
};

use crate::input::Input;

const OWN_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const SERVER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const ETHERNET_HEADER: usize = 14;
const IPV4_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
/// The message's fields before its options, the cookie included.
const FIXED: usize = 240;
/// More messages than this tell nothing new.
const MOST_MESSAGES: usize = 64;

/// Answers the client with the messages that `data` describes, and looks at the addresses that it takes.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut client = Client::new();
    for _ in 0..MOST_MESSAGES {
        if input.is_empty() {
            break;
        }
        let message = client.answer(&mut input);
        client.stack.receive(client.eth0, &message);
        client.pass(Duration::from_millis(u64::from(input.u8())) * 100);
        client.look();
    }
    client.pass(Duration::from_secs(4 * 3600));
    client.look();
}

struct Client {
    stack: Stack,
    eth0: InterfaceId,
    now: Instant,
    transaction: u32,
}

impl Client {
    fn new() -> Self {
        let now = Instant::from_secs(1000);
        let mut stack = Stack::new(Random::new([1, 0]), now);
        let eth0 = stack.network.add_ethernet("eth0");
        stack.link_up(eth0, OWN_MAC, 1500);
        let mut client = Self { stack, eth0, now, transaction: 0 };
        client.pass(Duration::from_millis(1));
        client
    }

    /// Lets time pass, with a poll whenever the stack wants one.
    fn pass(&mut self, time: Duration) {
        /// Far more than timers and answers can need.
        const MOST_POLLS: usize = 20_000;
        let end = self.now + time;
        for _ in 0..MOST_POLLS {
            self.stack.poll(self.now);
            let frames: Vec<_> = self.stack.take_frames(self.eth0, usize::MAX).collect();
            frames.iter().for_each(|frame| self.note(frame));
            match self.stack.deadline() {
                Some(at) if at <= end => self.now = at.max(self.now),
                _ if self.now == end && frames.is_empty() => return,
                _ => self.now = end,
            }
        }
        panic!("there is no end to what the client has to do");
    }

    /// Remembers what is to be answered.
    fn note(&mut self, frame: &[u8]) {
        let ethernet = EthernetFrame::new_checked(frame).expect("an Ethernet frame");
        if ethernet.ethertype() != EthernetProtocol::Ipv4 {
            return;
        }
        let packet = Ipv4Packet::new_checked(ethernet.payload()).expect("an IPv4 packet");
        if packet.next_header() == IpProtocol::Udp {
            let message = packet.payload().get(UDP_HEADER..).unwrap_or_default();
            self.transaction = DhcpPacket::new_checked(message).expect("a DHCP message").transaction_id();
        }
    }

    /// What was leased is an address that a host can have.
    fn look(&self) {
        let interface = self.stack.network.interface(self.eth0).expect("eth0");
        for address in interface.addresses.iter().filter(|own| own.addr().is_ipv4()) {
            let is_reserved = address.prefix_len() < 31
                && [address.network(), address.broadcast()].contains(&address.addr());
            let IpAddr::V4(own) = address.addr() else { continue };
            let is_host =
                !(own.is_unspecified() || own.is_loopback() || own.is_multicast() || own.is_broadcast());
            assert!(is_host && !is_reserved && address.prefix_len() > 0, "{address}");
        }
        assert!(interface.mtu() >= 576, "{}", interface.mtu());
    }

    /// A server's message in the present transaction, with all else from the input.
    fn answer(&self, input: &mut Input<'_>) -> Vec<u8> {
        let length = usize::from(input.u16() % 1200);
        let mut message = vec![0; FIXED];
        let mut dhcp = DhcpPacket::new_unchecked(&mut message);
        dhcp.set_opcode(DhcpOpCode::Reply);
        dhcp.set_hardware_type(ArpHardware::Ethernet);
        dhcp.set_hardware_len(6);
        dhcp.set_transaction_id(self.transaction);
        dhcp.set_client_hardware_address(OWN_MAC);
        dhcp.set_your_ip(Ipv4Addr::from(input.u32().to_be_bytes()));
        dhcp.set_magic_number(0x6382_5363);
        // The names, which may hold options.
        let length_of_names = usize::from(input.u8()) % 192;
        let names = input.bytes(length_of_names);
        message[44..44 + names.len()].copy_from_slice(names);
        message.extend(input.bytes(length));
        framed(message)
    }
}

fn framed(message: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![0; ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER];
    bytes.extend(message);
    let length = bytes.len() - ETHERNET_HEADER;
    let mut ethernet = EthernetFrame::new_unchecked(&mut bytes);
    ethernet.set_dst_addr(OWN_MAC);
    ethernet.set_src_addr(SERVER_MAC);
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes[ETHERNET_HEADER..]);
    packet.set_version(4);
    packet.set_header_len(IPV4_HEADER as u8);
    packet.set_total_len(length as u16);
    packet.set_hop_limit(64);
    packet.set_next_header(IpProtocol::Udp);
    packet.set_src_addr(SERVER);
    packet.set_dst_addr(Ipv4Addr::BROADCAST);
    packet.fill_checksum();
    let mut udp = UdpPacket::new_unchecked(packet.payload_mut());
    udp.set_src_port(67);
    udp.set_dst_port(68);
    udp.set_len((length - IPV4_HEADER) as u16);
    udp.fill_checksum(&SERVER.into(), &Ipv4Addr::BROADCAST.into());
    bytes
}
