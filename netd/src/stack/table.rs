//! All sockets, to be looked at.

use std::net::SocketAddr;

use super::Stack;

/// A socket as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `tcp`, `udp`.
    pub protocol: &'static str,
    /// For TCP that of RFC 9293, in lower case; for UDP whether it is connected.
    pub state: &'static str,
    /// Our end.
    pub local: SocketAddr,
    /// The other end, if there is one.
    pub remote: Option<SocketAddr>,
    /// Bytes that wait to be read; for a listener, connections that wait to be accepted.
    pub received: usize,
    /// Bytes that wait to be sent, or for their acknowledgement.
    pub queued: usize,
    /// The uid that opened it.
    pub uid: u32,
}

impl Stack {
    /// The sockets of TCP, listeners first, and of UDP.
    pub fn sockets(&self) -> impl Iterator<Item = Entry> + '_ {
        self.tcp.entries().chain(self.udp.entries())
    }
}
