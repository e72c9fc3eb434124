//! What an IP address of either version means.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use smoltcp::wire::EthernetAddress;

/// Neither address nor port.
pub const UNSPECIFIED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Whether `address` is 255.255.255.255.
pub fn is_broadcast(address: IpAddr) -> bool {
    address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// Whether `address` names one host: neither all of them nor none.
pub fn is_unicast(address: IpAddr) -> bool {
    !(address.is_unspecified() || address.is_multicast() || is_broadcast(address))
}

/// Whether another host can have `address`: unicast, and not this very host's.
pub fn is_host(address: IpAddr) -> bool {
    is_unicast(address) && !address.is_loopback()
}

/// The unspecified address of the version of `address`.
pub fn unspecified(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// All addresses of the version of `address`: the destination of a default route.
pub fn everything(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(_) => Ipv4Net::default().into(),
        IpAddr::V6(_) => Ipv6Net::default().into(),
    }
}

/// Where the packets to `group` go: RFC 1112 section 6.4, RFC 2464 section 7.
pub fn multicast(group: IpAddr) -> EthernetAddress {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            EthernetAddress([0x01, 0x00, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            EthernetAddress([0x33, 0x33, a, b, c, d])
        }
    }
}
