//! Socket options: which there are, and how their values are written.

use std::net::SocketAddr;

use scheme::errno::{EINVAL, ENODEV, ENOPROTOOPT, EPERM};
use scheme::{Error, Result};

use crate::stack::{InterfaceId, Network};

/// A socket option, as `setsockopt` and `getsockopt` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// `SO_REUSEADDR`: a local port that another one uses, or has used, may be taken.
    ReuseAddress,
    /// `SO_REUSEPORT`: sockets of one user share a port, and what comes to it.
    ReusePort,
    /// `SO_TYPE`: `SOCK_STREAM` or `SOCK_DGRAM`.
    Type,
    /// `SO_ERROR`: the pending error, which is taken.
    Error,
    /// `SO_BROADCAST`: broadcasts may be sent.
    Broadcast,
    /// `SO_SNDBUF`: bytes of the send buffer.
    SendBuffer,
    /// `SO_RCVBUF`: bytes of the receive buffer.
    ReceiveBuffer,
    /// `SO_KEEPALIVE`: an idle connection is tried now and then.
    KeepAlive,
    /// `SO_LINGER`: what `close` does with what was not sent: a `struct linger`.
    Linger,
    /// `SO_BINDTODEVICE`: the interface that the socket sends and receives by, by its name.
    Device,
    /// `SO_RCVTIMEO`: how long reads wait: a `struct timeval`.
    ReceiveTimeout,
    /// `SO_SNDTIMEO`: how long writes wait.
    SendTimeout,
    /// `SO_ACCEPTCONN`: whether the socket listens.
    AcceptsConnections,
    /// `SO_PROTOCOL`: IANA's number.
    Protocol,
    /// `SO_DOMAIN`: `AF_INET` or `AF_INET6`.
    Domain,
    /// `TCP_NODELAY`: small segments do not wait.
    NoDelay,
    /// `TCP_MAXSEG`: bytes of the longest segment.
    LongestSegment,
    /// `TCP_KEEPIDLE`: seconds that an idle connection is left alone.
    KeepIdle,
    /// `TCP_KEEPINTVL`: seconds between two probes.
    KeepInterval,
    /// `TCP_KEEPCNT`: probes without an answer that end it.
    KeepCount,
    /// `TCP_USER_TIMEOUT`: milliseconds that what was sent may stay without an acknowledgement; 0 is the usual time.
    UserTimeout,
    /// `IPV6_V6ONLY`: a socket of IPv6 has nothing to do with IPv4, which is always so.
    OnlyIpv6,
    /// `IP_TTL` or `IPV6_UNICAST_HOPS`.
    HopLimit,
    /// `IP_TOS` or `IPV6_TCLASS`.
    TrafficClass,
    /// `IP_ADD_MEMBERSHIP`, `IPV6_JOIN_GROUP`, `MCAST_JOIN_GROUP`: what is sent to a group comes from now on.
    JoinGroup(GroupForm),
    /// `IP_DROP_MEMBERSHIP`, `IPV6_LEAVE_GROUP`, `MCAST_LEAVE_GROUP`.
    LeaveGroup(GroupForm),
    /// `IP_MULTICAST_TTL`, `IPV6_MULTICAST_HOPS`: how far what is sent to groups goes.
    MulticastHops,
    /// `IP_MULTICAST_LOOP`, `IPV6_MULTICAST_LOOP`: members on this host get it, too.
    MulticastLoop,
    /// `IP_MULTICAST_IF`: where it leaves, by an address.
    MulticastInterfaceV4,
    /// `IPV6_MULTICAST_IF`: the same, by an index.
    MulticastInterfaceV6,
}

/// How a group is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupForm {
    /// `struct ip_mreq` or `struct ip_mreqn`.
    Mreq,
    /// `struct ipv6_mreq`.
    Ipv6Mreq,
    /// `struct group_req`.
    GroupReq,
}

/// relibc's numbers, which are Linux's.
const SOL_SOCKET: u64 = 1;
const IPPROTO_IP: u64 = 0;
const IPPROTO_TCP: u64 = 6;
const IPPROTO_IPV6: u64 = 41;

const AF_INET: i32 = 2;
const AF_INET6: i32 = 10;
/// The usual hop limit (RFC 1700).
pub const HOP_LIMIT: u8 = 64;
/// The usual one for groups (RFC 1112 section 6.1).
const MULTICAST_HOPS: u8 = 1;

impl SocketOption {
    /// The option that a call's metadata name: its number in the second word, and its level, plus one, in the third.
    /// relibc gives no third one, and means `SOL_SOCKET`. Others are `ENOPROTOOPT`.
    pub fn parse(metadata: &[u64]) -> Result<Self> {
        let number = metadata.get(1).copied().unwrap_or_default();
        let level = metadata.get(2).and_then(|level| level.checked_sub(1)).unwrap_or(SOL_SOCKET);
        Ok(match (level, number) {
            (SOL_SOCKET, 2) => Self::ReuseAddress,
            (SOL_SOCKET, 3) => Self::Type,
            (SOL_SOCKET, 4) => Self::Error,
            (SOL_SOCKET, 6) => Self::Broadcast,
            (SOL_SOCKET, 7) => Self::SendBuffer,
            (SOL_SOCKET, 8) => Self::ReceiveBuffer,
            (SOL_SOCKET, 9) => Self::KeepAlive,
            (SOL_SOCKET, 13) => Self::Linger,
            (SOL_SOCKET, 15) => Self::ReusePort,
            (SOL_SOCKET, 20) => Self::ReceiveTimeout,
            (SOL_SOCKET, 21) => Self::SendTimeout,
            (SOL_SOCKET, 25) => Self::Device,
            (SOL_SOCKET, 30) => Self::AcceptsConnections,
            (SOL_SOCKET, 38) => Self::Protocol,
            (SOL_SOCKET, 39) => Self::Domain,
            (IPPROTO_TCP, 1) => Self::NoDelay,
            (IPPROTO_TCP, 2) => Self::LongestSegment,
            (IPPROTO_TCP, 4) => Self::KeepIdle,
            (IPPROTO_TCP, 5) => Self::KeepInterval,
            (IPPROTO_TCP, 6) => Self::KeepCount,
            (IPPROTO_TCP, 18) => Self::UserTimeout,
            (IPPROTO_IPV6, 26) => Self::OnlyIpv6,
            (IPPROTO_IP, 1) | (IPPROTO_IPV6, 67) => Self::TrafficClass,
            (IPPROTO_IP, 2) | (IPPROTO_IPV6, 16) => Self::HopLimit,
            (IPPROTO_IP, 32) => Self::MulticastInterfaceV4,
            (IPPROTO_IPV6, 17) => Self::MulticastInterfaceV6,
            (IPPROTO_IP, 33) | (IPPROTO_IPV6, 18) => Self::MulticastHops,
            (IPPROTO_IP, 34) | (IPPROTO_IPV6, 19) => Self::MulticastLoop,
            (IPPROTO_IP, 35) => Self::JoinGroup(GroupForm::Mreq),
            (IPPROTO_IP, 36) => Self::LeaveGroup(GroupForm::Mreq),
            (IPPROTO_IPV6, 20) => Self::JoinGroup(GroupForm::Ipv6Mreq),
            (IPPROTO_IPV6, 21) => Self::LeaveGroup(GroupForm::Ipv6Mreq),
            (IPPROTO_IP | IPPROTO_IPV6, 42) => Self::JoinGroup(GroupForm::GroupReq),
            (IPPROTO_IP | IPPROTO_IPV6, 45) => Self::LeaveGroup(GroupForm::GroupReq),
            _ => return Err(Error::new(ENOPROTOOPT)),
        })
    }
}

/// `SO_DOMAIN` of a socket with this end.
pub fn domain(local: Option<SocketAddr>) -> i32 {
    if local.is_some_and(|local| local.is_ipv6()) { AF_INET6 } else { AF_INET }
}

/// The interface that a socket of `uid` is to be bound to by this name, which may end with a zero; none if it is empty.
/// As on Linux, only root changes what a socket was bound to before.
pub fn device(
    value: &[u8],
    before: Option<InterfaceId>,
    uid: u32,
    network: &Network,
) -> Result<Option<InterfaceId>> {
    if before.is_some() && uid != 0 {
        return Err(Error::new(EPERM));
    }
    let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
    if name.is_empty() {
        return Ok(None);
    }
    let found = str::from_utf8(name).ok().and_then(|name| network.find(name));
    found.map(Some).ok_or(Error::new(ENODEV))
}

/// The name of the interface that a socket is bound to, and a zero; nothing if it is bound to none.
pub fn put_device(device: Option<InterfaceId>, network: &Network, payload: &mut [u8]) -> Result<usize> {
    let Some(id) = device else { return Ok(0) };
    let interface = network.interface(id).ok_or(Error::new(ENODEV))?;
    let value: Vec<u8> = interface.name().bytes().chain([0]).collect();
    let room = payload.get_mut(..value.len()).ok_or(Error::new(EINVAL))?;
    room.copy_from_slice(&value);
    Ok(value.len())
}

/// The first word of an option's value.
pub fn number(value: &[u8]) -> Result<i32> {
    value.first_chunk().map(|value| i32::from_ne_bytes(*value)).ok_or(Error::new(EINVAL))
}

/// The value of an option of IP's, which may be one byte.
fn octet(value: &[u8]) -> Result<i32> {
    match value {
        [octet] => Ok((*octet).into()),
        value => number(value),
    }
}

/// Whether an option is to be on.
pub fn switch(value: &[u8]) -> Result<bool> {
    octet(value).map(|value| value != 0)
}

/// A number of bytes.
pub fn size(value: &[u8]) -> Result<usize> {
    usize::try_from(number(value)?).map_err(|_| Error::new(EINVAL))
}

/// That a socket of IPv6 has nothing to do with IPv4. It cannot have.
pub fn only_ipv6(value: &[u8]) -> Result<()> {
    switch(value)?.then_some(()).ok_or(Error::new(EINVAL))
}

/// A number between 1 and `most`.
pub fn up_to(most: u32, value: &[u8]) -> Result<u32> {
    let number = u32::try_from(number(value)?).ok().filter(|number| (1..=most).contains(number));
    number.ok_or(Error::new(EINVAL))
}

/// A hop limit; -1 is the usual one.
pub fn hop_limit(value: &[u8]) -> Result<Option<u8>> {
    match octet(value)? {
        -1 => Ok(None),
        limit @ 1..=255 => Ok(Some(limit as u8)),
        _ => Err(Error::new(EINVAL)),
    }
}

/// A hop limit for groups, where 0 is this host; -1 is the usual one.
pub fn multicast_hops(value: &[u8]) -> Result<u8> {
    match octet(value)? {
        -1 => Ok(MULTICAST_HOPS),
        limit => u8::try_from(limit).map_err(|_| Error::new(EINVAL)),
    }
}

/// A traffic class.
pub fn traffic_class(value: &[u8]) -> Result<u8> {
    u8::try_from(octet(value)?).map_err(|_| Error::new(EINVAL))
}

/// Writes a value, as much of it as is wanted; its length.
pub fn put(words: &[i32], payload: &mut [u8]) -> Result<usize> {
    let value: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let count = value.len().min(payload.len());
    payload[..count].copy_from_slice(&value[..count]);
    Ok(count)
}

/// A size as an option's value.
pub fn put_size(size: usize, payload: &mut [u8]) -> Result<usize> {
    put(&[i32::try_from(size).unwrap_or(i32::MAX)], payload)
}
