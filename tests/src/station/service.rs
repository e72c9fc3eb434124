//! A station that looks after its guest by itself: addresses by DHCP, names by DNS, ARP and echo replies.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use etherparse::{EtherType, PacketBuilder, SlicedPacket, TransportSlice};

use super::{ADDRESS, Dhcp, HOPS, MAC, arp_answer, dhcp_answer, dhcp_request, dhcp_type, dns};
use crate::Result;
use crate::nic::Nic;
use crate::peer::Peer;

/// The station's name, which its name server knows.
pub const NAME: &str = "station.test";

/// Where a frame's tag stands, behind both addresses.
const TAG_AT: usize = 12;

const DNS_PORT: u16 = 53;
const DHCP_PORTS: (u16, u16) = (67, 68);

/// How long the service waits for a frame before it looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// A station at work. It ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    peer: Peer,
    /// What stands between the addresses and the type of each frame: the tag of a VLAN, or nothing.
    tag: Vec<u8>,
    /// The address that DHCP gives.
    lease: AtomicU32,
    end: AtomicBool,
    heard: Mutex<Vec<Vec<u8>>>,
}

impl Service {
    /// Starts a station that gives the guest the address `lease`.
    pub fn start(lease: [u8; 4]) -> Result<Self> {
        Self::with_tag(Vec::new(), lease)
    }

    /// Starts one that is in a VLAN (IEEE 802.1Q) of the link, and hears nothing else.
    pub fn start_in_vlan(number: u16, lease: [u8; 4]) -> Result<Self> {
        let [high, low] = number.to_be_bytes();
        Self::with_tag(vec![0x81, 0, high, low], lease)
    }

    fn with_tag(tag: Vec<u8>, lease: [u8; 4]) -> Result<Self> {
        let shared = Arc::new(Shared {
            peer: Peer::new()?,
            tag,
            lease: AtomicU32::new(u32::from_be_bytes(lease)),
            end: AtomicBool::new(false),
            heard: Mutex::default(),
        });
        let own = shared.clone();
        let thread = thread::spawn(move || {
            while !own.end.load(Ordering::Relaxed) {
                // What the guest does not take it asks for again.
                let _ = own.serve();
            }
        });
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A device of this model that is connected to the station.
    pub fn nic(&self, model: &str) -> Nic {
        self.shared.peer.nic(model)
    }

    /// From now on DHCP gives this address.
    pub fn lease(&self, address: [u8; 4]) {
        self.shared.lease.store(u32::from_be_bytes(address), Ordering::Relaxed);
    }

    /// Sends a frame to the guest.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.shared.peer.send(frame)
    }

    /// Every frame that the guest has sent so far.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.shared.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::Relaxed);
        // A thread that panicked has said why.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    /// Takes the next frame, and answers it if it is one of those that the station understands.
    fn serve(&self) -> io::Result<()> {
        let Some(mut frame) = self.peer.receive(PATIENCE)? else { return Ok(()) };
        let tag = TAG_AT..TAG_AT + self.tag.len();
        if frame.get(tag.clone()) != Some(&self.tag) {
            return Ok(());
        }
        frame.drain(tag);
        let answer = self.dhcp(&frame).or_else(|| names(&frame)).or_else(|| echo(&frame));
        if let Some(mut answer) = answer.or_else(|| arp_answer(&frame)) {
            answer.splice(TAG_AT..TAG_AT, self.tag.iter().copied());
            self.peer.send(&answer)?;
        }
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
        Ok(())
    }

    fn dhcp(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let request = dhcp_request(frame)?;
        let kind = match dhcp_type(&request)? {
            kind if kind == Dhcp::Discover as u8 => Dhcp::Offer,
            kind if kind == Dhcp::Request as u8 => Dhcp::Ack,
            _ => return None,
        };
        let mut message = dhcp_answer(&request, kind);
        let lease = self.lease.load(Ordering::Relaxed).to_be_bytes();
        // yiaddr; then the name server (RFC 2132, section 3.8), in the place of the end mark.
        message.splice(16..20, lease);
        message.pop();
        message.extend([6, 4]);
        message.extend(ADDRESS);
        message.push(255);
        Some(super::datagram(DHCP_PORTS.0, DHCP_PORTS.1, &message))
    }
}

/// The answer to a question for a name.
fn names(frame: &[u8]) -> Option<Vec<u8>> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let TransportSlice::Udp(udp) = packet.transport.as_ref()? else { return None };
    let to = sender(&packet)?;
    let answer =
        dns::answer(udp.payload(), NAME, ADDRESS.into()).filter(|_| udp.destination_port() == DNS_PORT)?;
    let builder = PacketBuilder::ethernet2(MAC, to.0).ipv4(ADDRESS, to.1, HOPS);
    let mut frame = Vec::new();
    builder.udp(DNS_PORT, udp.source_port()).write(&mut frame, &answer).ok()?;
    Some(frame)
}

/// The answer to an echo request.
fn echo(frame: &[u8]) -> Option<Vec<u8>> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let TransportSlice::Icmpv4(icmp) = packet.transport.as_ref()? else { return None };
    let etherparse::Icmpv4Type::EchoRequest(header) = icmp.icmp_type() else { return None };
    let to = sender(&packet)?;
    let builder = PacketBuilder::ethernet2(MAC, to.0).ipv4(ADDRESS, to.1, HOPS);
    let mut frame = Vec::new();
    builder.icmpv4_echo_reply(header.id, header.seq).write(&mut frame, icmp.payload()).ok()?;
    Some(frame)
}

/// Who sent an IPv4 packet to the station: MAC and IP address.
fn sender(packet: &SlicedPacket) -> Option<([u8; 6], [u8; 4])> {
    let ethernet = packet.link.as_ref()?.to_header()?.ethernet2()?;
    let etherparse::NetSlice::Ipv4(ip) = packet.net.as_ref()? else { return None };
    let header = ip.header();
    let is_ours =
        ethernet.ether_type == EtherType::IPV4 && header.destination_addr() == Ipv4Addr::from(ADDRESS);
    is_ours.then(|| (ethernet.source, header.source()))
}
