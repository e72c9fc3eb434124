//! The messages of neighbour discovery (RFC 4861 section 4) and their options.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use smoltcp::wire::EthernetAddress;

use crate::stack::icmpv6::{self, Message};

/// RFC 4861 section 4.1.
pub const ROUTER_SOLICITATION: u8 = 133;
/// RFC 4861 section 4.2.
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// RFC 4861 section 4.3.
pub const NEIGHBOR_SOLICITATION: u8 = 135;
/// RFC 4861 section 4.4.
pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;

/// Options, RFC 4861 section 4.6 and RFC 8106 section 5.1.
mod option {
    pub const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
    pub const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
    pub const PREFIX_INFORMATION: u8 = 3;
    pub const MTU: u8 = 5;
    pub const RECURSIVE_DNS_SERVER: u8 = 25;
}

/// The unit in which options give their length.
const UNIT: usize = 8;
/// Prefixes, or name servers, that are taken from one advertisement.
const MOST: usize = 16;

/// All nodes of the link (RFC 4291 section 2.7.1).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers of the link (RFC 4291 section 2.7.1).
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// A message of neighbour discovery that a host has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ndisc {
    /// Who is `target`?
    NeighborSolicitation {
        /// The address asked for.
        target: Ipv6Addr,
        /// Where who asks is.
        sender: Option<EthernetAddress>,
    },
    /// `target` is here.
    NeighborAdvertisement(NeighborAdvertisement),
    /// A router's news.
    RouterAdvertisement(RouterAdvertisement),
}

/// RFC 4861 section 4.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborAdvertisement {
    /// Who speaks.
    pub target: Ipv6Addr,
    /// Where it is.
    pub address: Option<EthernetAddress>,
    /// It is a router.
    pub is_router: bool,
    /// It answers our question.
    pub is_solicited: bool,
    /// It goes before what is known.
    pub overrides: bool,
}

/// RFC 4861 section 4.2. Lifetimes are in seconds; `u32::MAX` is for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// For how long it is a default router; 0: it is none.
    pub lifetime: u16,
    /// How it is liked (RFC 4191 section 2.1): more is better.
    pub preference: i8,
    /// Its Ethernet address.
    pub sender: Option<EthernetAddress>,
    /// The link's MTU.
    pub mtu: Option<u32>,
    /// The link's prefixes.
    pub prefixes: Vec<PrefixInformation>,
    /// Name servers, each with its lifetime (RFC 8106).
    pub name_servers: Vec<(Ipv6Addr, u32)>,
}

/// RFC 4861 section 4.6.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixInformation {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// Its addresses are on the link.
    pub on_link: bool,
    /// Hosts make addresses of it.
    pub autonomous: bool,
    /// How long both is so.
    pub valid: u32,
    /// How long new connections use its addresses.
    pub preferred: u32,
}

/// Parses a message of neighbour discovery whose hop limit was 255. One with an option of no length is none.
pub fn parse(message: &Message<'_>) -> Option<Ndisc> {
    if message.code != 0 {
        return None;
    }
    match message.kind {
        NEIGHBOR_SOLICITATION => {
            let (target, options) = target(message.body)?;
            let sender = options.iter().find_map(|option| option.address(option::SOURCE_LINK_LAYER_ADDRESS));
            Some(Ndisc::NeighborSolicitation { target, sender })
        }
        NEIGHBOR_ADVERTISEMENT => {
            let (target, options) = target(message.body)?;
            let flags = message.body.first()?;
            Some(Ndisc::NeighborAdvertisement(NeighborAdvertisement {
                target,
                address: options.iter().find_map(|option| option.address(option::TARGET_LINK_LAYER_ADDRESS)),
                is_router: flags & 0x80 != 0,
                is_solicited: flags & 0x40 != 0,
                overrides: flags & 0x20 != 0,
            }))
        }
        ROUTER_ADVERTISEMENT => router_advertisement(message.body).map(Ndisc::RouterAdvertisement),
        _ => None,
    }
}

fn target(body: &[u8]) -> Option<(Ipv6Addr, Vec<RawOption<'_>>)> {
    let target = Ipv6Addr::from(*body.get(4..)?.first_chunk::<16>()?);
    (!target.is_multicast()).then_some((target, options(body.get(20..)?)?))
}

fn router_advertisement(body: &[u8]) -> Option<RouterAdvertisement> {
    let ([_hop_limit, flags, high, low, ..], rest) = body.split_first_chunk::<12>()?;
    let mut advertisement = RouterAdvertisement {
        lifetime: u16::from_be_bytes([*high, *low]),
        preference: match flags >> 3 & 3 {
            1 => 1,
            3 => -1,
            _ => 0,
        },
        ..RouterAdvertisement::default()
    };
    for option in options(rest)? {
        match option.kind {
            option::SOURCE_LINK_LAYER_ADDRESS => advertisement.sender = option.address(option.kind),
            option::MTU => advertisement.mtu = option.word(4),
            option::PREFIX_INFORMATION if advertisement.prefixes.len() < MOST => {
                advertisement.prefixes.extend(option.prefix());
            }
            option::RECURSIVE_DNS_SERVER => {
                let room = MOST - advertisement.name_servers.len();
                advertisement.name_servers.extend(option.name_servers().take(room));
            }
            _ => (),
        }
    }
    Some(advertisement)
}

/// An option: its type, and all of it.
struct RawOption<'a> {
    kind: u8,
    bytes: &'a [u8],
}

fn options(mut rest: &[u8]) -> Option<Vec<RawOption<'_>>> {
    let mut options = Vec::new();
    while let [kind, length, ..] = rest {
        let length = usize::from(*length) * UNIT;
        if length == 0 {
            return None;
        }
        let (bytes, others) = rest.split_at_checked(length)?;
        options.push(RawOption { kind: *kind, bytes });
        rest = others;
    }
    rest.is_empty().then_some(options)
}

impl<'a> RawOption<'a> {
    fn address(&self, kind: u8) -> Option<EthernetAddress> {
        let bytes = self.bytes.get(2..8).filter(|_| self.kind == kind)?;
        let address = EthernetAddress::from_bytes(bytes);
        address.is_unicast().then_some(address)
    }

    fn word(&self, at: usize) -> Option<u32> {
        self.bytes.get(at..)?.first_chunk::<4>().copied().map(u32::from_be_bytes)
    }

    fn prefix(&self) -> Option<PrefixInformation> {
        let flags = *self.bytes.get(3)?;
        let prefix = Ipv6Addr::from(*self.bytes.get(16..)?.first_chunk::<16>()?);
        Some(PrefixInformation {
            prefix: Ipv6Net::new(prefix, *self.bytes.get(2)?).ok()?.trunc(),
            on_link: flags & 0x80 != 0,
            autonomous: flags & 0x40 != 0,
            valid: self.word(4)?,
            preferred: self.word(8)?,
        })
    }

    fn name_servers(&self) -> impl Iterator<Item = (Ipv6Addr, u32)> + use<'a> {
        let lifetime = self.word(4).unwrap_or_default();
        let addresses = self.bytes.get(8..).unwrap_or_default().as_chunks::<16>().0;
        addresses.iter().map(move |address| (Ipv6Addr::from(*address), lifetime))
    }
}

/// The group of the nodes whose addresses end like `address` (RFC 4291 section 2.7.1).
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    let [high, low] = [u16::from(a) | 0xff00, u16::from_be_bytes([b, c])];
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low)
}

/// Asks for `target`, whoever is in `destination`. Without a `source` (RFC 4862 section 5.4.2) the question is whether
/// anybody has it, and nobody is told who asks.
pub fn neighbor_solicitation(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    target: Ipv6Addr,
    own: EthernetAddress,
) -> Vec<u8> {
    let length = if source.is_unspecified() { 20 } else { 28 };
    icmpv6::build_for_link(source, destination, NEIGHBOR_SOLICITATION, length, |body| {
        body[4..20].copy_from_slice(&target.octets());
        put_address(&mut body[20..], option::SOURCE_LINK_LAYER_ADDRESS, own);
    })
}

/// Says that `target` is at `own`: to who asked for it, or to all.
pub fn neighbor_advertisement(destination: Ipv6Addr, target: Ipv6Addr, own: EthernetAddress) -> Vec<u8> {
    const SOLICITED: u8 = 0x40;
    const OVERRIDE: u8 = 0x20;
    let flags = if destination.is_multicast() { OVERRIDE } else { SOLICITED | OVERRIDE };
    icmpv6::build_for_link(target, destination, NEIGHBOR_ADVERTISEMENT, 28, |body| {
        body[0] = flags;
        body[4..20].copy_from_slice(&target.octets());
        put_address(&mut body[20..], option::TARGET_LINK_LAYER_ADDRESS, own);
    })
}

/// Asks routers to advertise themselves.
pub fn router_solicitation(source: Ipv6Addr, own: EthernetAddress) -> Vec<u8> {
    let length = if source.is_unspecified() { 4 } else { 12 };
    icmpv6::build_for_link(source, ALL_ROUTERS, ROUTER_SOLICITATION, length, |body| {
        put_address(&mut body[4..], option::SOURCE_LINK_LAYER_ADDRESS, own);
    })
}

/// Writes an option with an Ethernet address where there is room for one.
fn put_address(room: &mut [u8], kind: u8, address: EthernetAddress) {
    if let [first, length, rest @ ..] = room {
        (*first, *length) = (kind, 1);
        rest.copy_from_slice(address.as_bytes());
    }
}
