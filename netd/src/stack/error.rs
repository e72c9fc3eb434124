//! What can go wrong with a socket or a setting, in the stack's own words.

use std::net::{IpAddr, SocketAddr};

/// Why an operation of the stack failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// Nothing to read, no room to write, or a handshake that is still under way: try again after a change.
    #[error("would block")]
    WouldBlock,
    /// Somebody holds this port already.
    #[error("port {0} is in use")]
    AddressInUse(u16),
    /// No port of the ephemeral range is free.
    #[error("all ephemeral ports are in use")]
    PortsExhausted,
    /// The address is none of ours.
    #[error("{0} is not an address of this host")]
    AddressNotAvailable(IpAddr),
    /// The address or the port cannot be a destination.
    #[error("{0} cannot be a destination")]
    InvalidDestination(SocketAddr),
    /// The address is not one of a group.
    #[error("{0} is not a multicast group")]
    NotAGroup(IpAddr),
    /// The socket is in the group already.
    #[error("{0} was joined before")]
    AlreadyMember(IpAddr),
    /// The socket is not in the group.
    #[error("{0} was not joined")]
    NotAMember(IpAddr),
    /// A socket can be in so many groups.
    #[error("a socket can be in {0} groups at most")]
    TooManyGroups(usize),
    /// The number or the address names no interface.
    #[error("no such interface")]
    NoSuchInterface,
    /// The socket was set not to send broadcasts.
    #[error("broadcasts are switched off for this socket")]
    BroadcastRefused,
    /// No route leads there.
    #[error("no route to {0}")]
    NetworkUnreachable(IpAddr),
    /// A router or the neighbour table says that the host does not answer.
    #[error("host unreachable")]
    HostUnreachable,
    /// The peer answered a SYN with RST, or a datagram with "port unreachable".
    #[error("connection refused")]
    ConnectionRefused,
    /// The peer sent RST.
    #[error("connection reset by peer")]
    ConnectionReset,
    /// The peer did not answer for too long (RFC 9293 section 3.8.3).
    #[error("connection timed out")]
    TimedOut,
    /// The socket has no peer.
    #[error("not connected")]
    NotConnected,
    /// The sending half is closed.
    #[error("the sending half is closed")]
    Closed,
    /// Longer than what is sent as a whole: what one packet of the interface carries, or a send buffer holds.
    #[error("{length} bytes are more than can be sent at once ({limit})")]
    MessageTooLong {
        /// What was to be sent, in bytes.
        length: usize,
        /// What can be sent, in bytes.
        limit: usize,
    },
    /// Not a packet of the protocol.
    #[error("malformed packet")]
    Malformed,
    /// The key names no socket (it is closed).
    #[error("no such socket")]
    NoSuchSocket,
}
