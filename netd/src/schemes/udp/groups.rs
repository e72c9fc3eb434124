//! The values of the options about multicast groups, as `<netinet/in.h>` has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use scheme::errno::{EADDRNOTAVAIL, EINVAL};
use scheme::{Error, Result};

use crate::schemes::errno::errno;
use crate::schemes::option::GroupForm;
use crate::stack::routes::InterfaceId;
use crate::stack::udp::Member;
use crate::stack::{Network, SocketError};

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Which group is to be joined or left, and where, if that is said.
pub(super) fn group(
    form: GroupForm,
    value: &[u8],
    network: &Network,
) -> Result<(IpAddr, Option<InterfaceId>)> {
    let (group, index, own) = match form {
        GroupForm::Mreq => (Ipv4Addr::from(at(value, 0)?).into(), index_of_mreqn(value), at(value, 4)?),
        GroupForm::Ipv6Mreq => (Ipv6Addr::from(at(value, 0)?).into(), word(value, 16)?, [0; 4]),
        GroupForm::GroupReq => (address(value.get(8..).unwrap_or_default())?, word(value, 0)?, [0; 4]),
    };
    if !group.is_multicast() {
        return Err(errno(SocketError::NotAGroup(group)));
    }
    let interface = match (index, Ipv4Addr::from(own)) {
        (0, Ipv4Addr::UNSPECIFIED) => Ok(None),
        (0, own) => with_address(own, network).map(Some),
        (index, _) => with_index(index, network).map(Some),
    };
    Ok((group, interface.map_err(errno)?))
}

/// A group that is to be joined: by the preferred interface, unless another is said.
pub(super) fn member(form: GroupForm, value: &[u8], network: &Network) -> Result<Member> {
    let (group, interface) = group(form, value, network)?;
    let interface = interface.or_else(|| network.preferred(group, None));
    let interface = interface.ok_or(SocketError::NoSuchInterface).map_err(errno)?;
    Ok(Member { group, interface })
}

/// Where what is sent to groups is to leave: `IP_MULTICAST_IF`'s address, `struct ip_mreq` or `struct ip_mreqn`.
pub(super) fn interface_v4(value: &[u8], network: &Network) -> Result<Option<InterfaceId>> {
    let own = if value.len() < 8 { at(value, 0)? } else { at(value, 4)? };
    match (index_of_mreqn(value), Ipv4Addr::from(own)) {
        (0, Ipv4Addr::UNSPECIFIED) => Ok(None),
        // It is no membership that fails here, as on Linux.
        (0, own) => with_address(own, network).map(Some).map_err(|_| Error::new(EADDRNOTAVAIL)),
        (index, _) => with_index(index, network).map(Some).map_err(errno),
    }
}

/// As [`interface_v4`], of `IPV6_MULTICAST_IF`: an index.
pub(super) fn interface_v6(value: &[u8], network: &Network) -> Result<Option<InterfaceId>> {
    match word(value, 0)? {
        0 => Ok(None),
        index => with_index(index, network).map(Some).map_err(errno),
    }
}

/// An interface's address, as `IP_MULTICAST_IF` tells it.
pub(super) fn address_of(interface: Option<InterfaceId>, network: &Network) -> Ipv4Addr {
    let own = interface.and_then(|id| network.interface(id)).into_iter().flat_map(|own| &own.addresses);
    let mut own = own.filter_map(|own| match own.addr() {
        IpAddr::V4(own) => Some(own),
        IpAddr::V6(_) => None,
    });
    own.next().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// The last word of a `struct ip_mreqn`; of what is shorter, 0 for none.
fn index_of_mreqn(value: &[u8]) -> u32 {
    word(value, 8).unwrap_or(0)
}

/// The address in a `struct sockaddr`.
fn address(value: &[u8]) -> Result<IpAddr> {
    match u16::from_ne_bytes(at(value, 0)?) {
        AF_INET => Ok(Ipv4Addr::from(at(value, 4)?).into()),
        AF_INET6 => Ok(Ipv6Addr::from(at(value, 8)?).into()),
        _ => Err(Error::new(EINVAL)),
    }
}

fn with_address(own: Ipv4Addr, network: &Network) -> std::result::Result<InterfaceId, SocketError> {
    let has = |id: &InterfaceId| network.interface(*id).is_some_and(|known| known.has_address(own.into()));
    network.interface_ids().find(has).ok_or(SocketError::NoSuchInterface)
}

/// The index is the interface's scope, as in addresses of one link.
fn with_index(index: u32, network: &Network) -> std::result::Result<InterfaceId, SocketError> {
    let id = usize::try_from(index).ok().filter(|id| network.interface(*id).is_some());
    id.ok_or(SocketError::NoSuchInterface)
}

fn word(value: &[u8], offset: usize) -> Result<u32> {
    at(value, offset).map(u32::from_ne_bytes)
}

fn at<const LENGTH: usize>(value: &[u8], offset: usize) -> Result<[u8; LENGTH]> {
    value.get(offset..).and_then(|rest| rest.first_chunk()).copied().ok_or(Error::new(EINVAL))
}
