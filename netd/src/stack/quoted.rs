//! The packet of ours that an ICMP error is about: as much of it as the error quotes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use smoltcp::wire::IpProtocol;

use super::network::{LOOPBACK, Network};
use super::routes::InterfaceId;
use super::{ipv4, ipv6};

/// Whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Its protocol.
    pub protocol: IpProtocol,
    /// Our end.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// Whom a packet of ours concerns that left by `interface`. Of what its header carries at least 4 bytes must be there.
pub fn quoted(packet: &[u8], interface: InterfaceId, network: &Network) -> Option<Quoted> {
    let (source, destination, protocol, upper) = match packet.first()? >> 4 {
        4 => ipv4_parts(packet)?,
        6 => ipv6_parts(packet)?,
        _ => return None,
    };
    // What is for this very host leaves by no link.
    if network.is_local(destination) != (interface == LOOPBACK) {
        return None;
    }
    let port = |at: usize| upper.get(at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes);
    Some(Quoted {
        protocol,
        local: network.endpoint(source, port(0)?, interface),
        remote: network.endpoint(destination, port(2)?, interface),
    })
}

type Parts<'a> = (IpAddr, IpAddr, IpProtocol, &'a [u8]);

fn ipv4_parts(packet: &[u8]) -> Option<Parts<'_>> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    if header < ipv4::HEADER {
        return None;
    }
    let address = |at: usize| packet.get(at..)?.first_chunk::<4>().copied().map(Ipv4Addr::from);
    let protocol = IpProtocol::from(*packet.get(9)?);
    Some((address(12)?.into(), address(16)?.into(), protocol, packet.get(header..)?))
}

/// What we send has no extension header but that of a fragment.
fn ipv6_parts(packet: &[u8]) -> Option<Parts<'_>> {
    const NEXT_HEADER: usize = 6;
    let address = |at: usize| packet.get(at..)?.first_chunk::<16>().copied().map(IpAddr::from);
    let (source, destination) = (address(8)?, address(24)?);
    match IpProtocol::from(*packet.get(NEXT_HEADER)?) {
        IpProtocol::Ipv6Frag => {
            let ([protocol, _, _, last, ..], upper) =
                packet.get(ipv6::HEADER..)?.split_first_chunk::<{ ipv6::FRAGMENT_HEADER }>()?;
            let is_first = last & !7 == 0;
            is_first.then_some((source, destination, IpProtocol::from(*protocol), upper))
        }
        protocol => Some((source, destination, protocol, packet.get(ipv6::HEADER..)?)),
    }
}
