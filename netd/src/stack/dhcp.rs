//! The DHCP client of an interface (RFC 2131): smoltcp's, on an Ethernet interface of its own.
//!
//! smoltcp's client wants to see Ethernet, while our interfaces speak ARP themselves; so it has a private
//! interface, is given DHCP messages and ARP replies alone, and its frames leave with all others.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{DeviceCapabilities, Medium};
use smoltcp::socket::dhcpv4::{self, Event};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{
    DhcpMessageType, DhcpPacket, DhcpRepr, ETHERNET_HEADER_LEN, EthernetAddress, HardwareAddress, IpAddress,
    IpCidr, Ipv4Cidr, UdpPacket,
};

use super::address::is_host;
use super::datagram::Datagram;
use super::wire::{self, Wire};

/// RFC 2131 section 4.1.
const SERVER_PORT: u16 = 67;
/// RFC 2131 section 4.1.
const CLIENT_PORT: u16 = 68;
/// The option with the routers (RFC 2132 section 3.5).
const ROUTER: u8 = 3;
/// Between two DISCOVERs and before the first repeated REQUEST: short, since a link that has just come up
/// loses frames.
const RETRY: Duration = Duration::from_secs(2);

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Our address and its network.
    pub address: Ipv4Net,
    /// The default router.
    pub router: Option<Ipv4Addr>,
    /// Name servers, the first one first.
    pub name_servers: Vec<Ipv4Addr>,
    /// The server's identifier.
    pub server: Ipv4Addr,
    /// How long it lasts, in seconds.
    pub duration: u32,
    /// When it is renewed first (T1), in seconds after it was given.
    pub renew: u32,
}

/// What the interface has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Use this lease.
    Bound(Lease),
    /// The lease is over.
    Lost,
}

/// Why a message from a server was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not for us, or not for now.
    NotOurs,
    /// It cannot be parsed, or its content makes no sense.
    Malformed,
}

/// The client.
pub struct Dhcp {
    seed: u64,
    running: Option<Running>,
    /// The lease in use.
    pub lease: Option<Lease>,
    /// Those of the last ACK.
    terms: Terms,
    /// After a NAK smoltcp would ask again at once, as often as a bad server likes.
    quiet_until: Instant,
}

/// What exists once the Ethernet address is known.
struct Running {
    interface: Interface,
    capabilities: DeviceCapabilities,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
    /// The transaction id of the last message sent: what is to be answered.
    asked: Option<u32>,
}

impl Dhcp {
    /// A client that has not started; `seed` makes its transaction ids.
    pub fn new(seed: u64) -> Self {
        Self { seed, running: None, lease: None, terms: Terms::default(), quiet_until: Instant::ZERO }
    }

    /// Starts, or starts anew for another address. A lease in use goes on until it is renewed or lost.
    pub fn start(&mut self, address: EthernetAddress, mtu: usize, now: Instant) {
        let capabilities = wire::capabilities(Medium::Ethernet, mtu);
        let mut config = Config::new(HardwareAddress::Ethernet(address));
        config.random_seed = self.seed;
        let mut device =
            Wire { incoming: None, outgoing: &mut Vec::new(), room: 0, capabilities: &capabilities };
        let interface = Interface::new(config, &mut device, now);
        let mut socket = dhcpv4::Socket::new();
        let mut retry = socket.get_retry_config();
        retry.discover_timeout = RETRY;
        retry.initial_request_timeout = RETRY;
        socket.set_retry_config(retry);
        // The first poll of a fresh socket reports that it has no configuration: no news.
        socket.poll();
        let mut sockets = SocketSet::new(Vec::new());
        let socket = sockets.add(socket);
        self.running = Some(Running { interface, capabilities, sockets, socket, asked: None });
    }

    /// Whether `datagram` is a server's message to a client.
    pub fn is_answer(datagram: &Datagram<'_>) -> bool {
        datagram.protocol == smoltcp::wire::IpProtocol::Udp
            && UdpPacket::new_checked(datagram.payload)
                .is_ok_and(|udp| udp.src_port() == SERVER_PORT && udp.dst_port() == CLIENT_PORT)
    }

    /// Takes a frame with a server's message.
    pub fn receive(&mut self, frame: &[u8], datagram: &Datagram<'_>, now: Instant) -> Result<(), Refusal> {
        let running = self.running.as_mut().ok_or(Refusal::NotOurs)?;
        match check(datagram, running.address(), running.asked)? {
            Answer::Offer => (),
            Answer::Ack(terms) => {
                self.terms = terms;
                if let Some(lease) = &mut self.lease {
                    // smoltcp reports a renewal only if it changes more than this.
                    (lease.duration, lease.renew) = (terms.duration, terms.renew);
                }
            }
            Answer::Nak => self.quiet_until = now + RETRY,
        }
        running.receive(frame, now);
        Ok(())
    }

    /// Takes a frame with an ARP reply, which tells where a server is that gets a unicast renewal.
    pub fn receive_arp(&mut self, frame: &[u8], now: Instant) {
        if let (Some(running), Some(_)) = (&mut self.running, &self.lease) {
            running.receive(frame, now);
        }
    }

    /// Does what is due: the frames to send, and what changed.
    pub fn poll(&mut self, now: Instant) -> (Vec<Vec<u8>>, Option<Change>) {
        let Some(running) = &mut self.running else { return (Vec::new(), None) };
        let frames = if now < self.quiet_until { Vec::new() } else { running.egress(now) };
        let change = match running.sockets.get_mut::<dhcpv4::Socket>(running.socket).poll() {
            None => None,
            Some(Event::Deconfigured) => {
                self.lease = None;
                Some(Change::Lost)
            }
            Some(Event::Configured(config)) => {
                let lease = lease(&config, self.terms);
                self.lease.clone_from(&lease);
                lease.map(Change::Bound)
            }
        };
        if change.is_some() {
            running.use_lease(self.lease.as_ref());
        }
        (frames, change)
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let running = self.running.as_mut()?;
        running.interface.poll_at(now, &running.sockets).map(|wanted| wanted.max(self.quiet_until))
    }
}

impl Running {
    fn address(&self) -> EthernetAddress {
        match self.interface.hardware_addr() {
            HardwareAddress::Ethernet(address) => address,
            HardwareAddress::Ip => EthernetAddress::BROADCAST,
        }
    }

    fn receive(&mut self, frame: &[u8], now: Instant) {
        let mut answers = Vec::new();
        let mut wire =
            Wire { incoming: Some(frame), outgoing: &mut answers, room: 0, capabilities: &self.capabilities };
        self.interface.poll_ingress_single(now, &mut wire, &mut self.sockets);
    }

    fn egress(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let mut wire =
            Wire { incoming: None, outgoing: &mut frames, room: 1, capabilities: &self.capabilities };
        self.interface.poll_egress(now, &mut wire, &mut self.sockets);
        self.asked = frames.iter().rev().find_map(|frame| transaction(frame)).or(self.asked);
        frames
    }

    /// Renewals are sent from the leased address, and a server elsewhere is reached by the router.
    fn use_lease(&mut self, lease: Option<&Lease>) {
        self.interface.update_ip_addrs(|addresses| {
            addresses.clear();
            if let Some(lease) = lease {
                let cidr = Ipv4Cidr::new(lease.address.addr(), lease.address.prefix_len());
                // Never full: it was just cleared.
                let _ = addresses.push(IpCidr::Ipv4(cidr));
            }
        });
        self.interface.routes_mut().remove_default_ipv4_route();
        if let Some(router) = lease.and_then(|lease| lease.router) {
            // Never full: the only route was just removed.
            let _ = self.interface.routes_mut().add_default_ipv4_route(router);
        }
    }
}

/// What a server says.
enum Answer {
    Offer,
    Ack(Terms),
    Nak,
}

/// What an ACK says and smoltcp does not tell.
#[derive(Clone, Copy, Debug, Default)]
struct Terms {
    /// The lease's duration, in seconds.
    duration: u32,
    /// When it is to be renewed, in seconds.
    renew: u32,
    /// The first of the routers: smoltcp wants exactly one.
    router: Option<Ipv4Addr>,
}

/// The transaction id of a frame of ours, unless it is an ARP packet.
fn transaction(frame: &[u8]) -> Option<u32> {
    let datagram = Datagram::parse(frame.get(ETHERNET_HEADER_LEN..)?)?;
    let message = UdpPacket::new_checked(datagram.payload).ok()?;
    Some(DhcpPacket::new_checked(message.payload()).ok()?.transaction_id())
}

/// Checks what smoltcp takes on trust.
fn check(datagram: &Datagram<'_>, own: EthernetAddress, asked: Option<u32>) -> Result<Answer, Refusal> {
    let message = UdpPacket::new_checked(datagram.payload).map_err(|_| Refusal::Malformed)?;
    let packet = DhcpPacket::new_checked(message.payload()).map_err(|_| Refusal::Malformed)?;
    let message = DhcpRepr::parse(&packet).map_err(|_| Refusal::Malformed)?;
    if message.client_hardware_address != own || Some(message.transaction_id) != asked {
        return Err(Refusal::NotOurs);
    }
    let server_makes_sense =
        is_host(datagram.source) && message.server_identifier.is_some_and(|server| is_host(server.into()));
    if !server_makes_sense {
        return Err(Refusal::Malformed);
    }
    let router = router(&packet);
    match message.message_type {
        DhcpMessageType::Offer if address_makes_sense(&message, router) => Ok(Answer::Offer),
        DhcpMessageType::Ack if address_makes_sense(&message, router) => {
            let duration = message.lease_duration.ok_or(Refusal::Malformed)?;
            let renew = message.renew_duration.filter(|renew| *renew < duration).unwrap_or(duration / 2);
            Ok(Answer::Ack(Terms { duration, renew, router }))
        }
        DhcpMessageType::Nak => Ok(Answer::Nak),
        _ => Err(Refusal::Malformed),
    }
}

/// The router to prefer (RFC 2132 section 3.5).
fn router(packet: &DhcpPacket<&[u8]>) -> Option<Ipv4Addr> {
    let option = packet.options().find(|option| option.kind == ROUTER)?;
    option.data.first_chunk::<4>().copied().map(Ipv4Addr::from)
}

/// An address that a host can have, in a network that it can be in, with a router that can be one. That may
/// be outside of the network: a network of one address has no other.
fn address_makes_sense(message: &DhcpRepr<'_>, router: Option<Ipv4Addr>) -> bool {
    let Some(prefix) = message.subnet_mask.and_then(|mask| IpAddress::Ipv4(mask).prefix_len()) else {
        return false;
    };
    let Ok(network) = Ipv4Net::new(message.your_ip, prefix) else { return false };
    let usable = |address: Ipv4Addr| {
        is_host(address.into())
            && (prefix >= 31 || (address != network.broadcast() && address != network.network()))
    };
    prefix > 0 && usable(message.your_ip) && router.is_none_or(usable) && message.lease_duration != Some(0)
}

fn lease(config: &dhcpv4::Config<'_>, terms: Terms) -> Option<Lease> {
    let address = Ipv4Net::new(config.address.address(), config.address.prefix_len()).ok()?;
    Some(Lease {
        address,
        router: terms.router,
        name_servers: config.dns_servers.to_vec(),
        server: config.server.identifier,
        duration: terms.duration,
        renew: terms.renew,
    })
}
