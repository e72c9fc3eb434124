//! What a program can set of a UDP socket.

use super::groups::Joined;
use crate::stack::ports::Sharing;
use crate::stack::routes::InterfaceId;

/// Bytes that wait to be read, and the longest datagram that is sent: Linux's default buffers.
pub const BUFFER: usize = 212_992;
/// The most that can be asked for.
const MOST: usize = 4 << 20;

/// The settings of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whose it is: the uid that opened it.
    pub uid: u32,
    /// `SO_BINDTODEVICE`: what leaves and comes does so by this interface.
    pub device: Option<InterfaceId>,
    /// `SO_REUSEADDR`: others who set it, too, may be bound to the same port; broadcasts come to all of them, the rest
    /// to the last.
    pub reuse_address: bool,
    /// `SO_REUSEPORT`: others of the same uid who set it, too, may be bound to the same port; each gets its part of the
    /// senders.
    pub reuse_port: bool,
    /// `SO_BROADCAST`. At first it is on: Redox's programs do not set it.
    pub broadcast: bool,
    /// `IP_TTL`, `IPV6_UNICAST_HOPS`; `None` is the usual 64.
    pub hop_limit: Option<u8>,
    /// `IP_TOS`, `IPV6_TCLASS`.
    pub traffic_class: u8,
    /// `IP_MULTICAST_TTL`, `IPV6_MULTICAST_HOPS`: the hop limit of what is sent to groups.
    pub multicast_hop_limit: u8,
    /// `IP_MULTICAST_LOOP`, `IPV6_MULTICAST_LOOP`: members on this host get what is sent to groups, too.
    pub multicast_loop: bool,
    /// `IP_MULTICAST_IF`, `IPV6_MULTICAST_IF`: where what is sent to groups leaves; `None` is the preferred interface.
    pub multicast_interface: Option<InterfaceId>,
    /// The groups.
    pub joined: Joined,
    /// `SO_RCVBUF`, in bytes.
    pub receive_buffer: usize,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            uid: 0,
            device: None,
            reuse_address: false,
            reuse_port: false,
            broadcast: true,
            hop_limit: None,
            traffic_class: 0,
            multicast_hop_limit: 1,
            multicast_loop: true,
            multicast_interface: None,
            joined: Joined::default(),
            receive_buffer: BUFFER,
            send_buffer: BUFFER,
        }
    }
}

impl Options {
    /// With whom the socket shares its port.
    pub fn sharing(&self) -> Sharing {
        Sharing { with_all: self.reuse_address, with_own: self.reuse_port.then_some(self.uid) }
    }
}

/// A buffer of about the size that is asked for.
pub fn buffer(wish: usize) -> usize {
    wish.min(MOST)
}
