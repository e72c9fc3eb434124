//! A DHCP server that says anything: what a client makes of it.

use std::net::{IpAddr, Ipv4Addr};

use netd::stack::{Instant, InterfaceId, Random, Stack};
use smoltcp::time::Duration;
use smoltcp::wire::{
    ArpHardware, DhcpOpCode, DhcpPacket, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet,
};

use crate::input::Input;
use crate::wire::{self, MTU, OWN_MAC, UDP_HEADER, from_dhcp_server};

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
        stack.link_up(eth0, OWN_MAC, MTU);
        let mut client = Self { stack, eth0, now, transaction: 0 };
        client.pass(Duration::from_millis(1));
        client
    }

    /// Lets time pass, with a poll whenever the stack wants one.
    fn pass(&mut self, time: Duration) {
        let mut sent = Vec::new();
        let Self { stack, eth0, now, .. } = self;
        wire::pass(stack, *eth0, now, time, |frame| sent.push(frame.to_vec()));
        sent.iter().for_each(|frame| self.note(frame));
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
        from_dhcp_server(&message)
    }
}
