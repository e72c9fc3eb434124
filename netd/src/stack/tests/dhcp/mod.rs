//! A lease, its renewal and its end, from a small server.

mod brings;
mod exchange;
mod former;

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
