//! What a program can set of a TCP socket.

use crate::stack::ports::Sharing;

/// The settings of a socket; a connection that is accepted has those of its listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose it is: the uid that opened it.
    pub uid: u32,
    /// `SO_REUSEADDR`: listen even if connections from before still use the port.
    pub reuse_address: bool,
    /// `SO_REUSEPORT`: listen beside others of the same uid that set it, too; each gets its part of the connections.
    pub reuse_port: bool,
    /// `SO_KEEPALIVE`: an idle connection whose peer is gone ends.
    pub keep_alive: bool,
    /// `SO_LINGER` with a time of 0: `close` drops what was not sent yet, and resets.
    pub reset_on_close: bool,
    /// `TCP_NODELAY`: small segments do not wait for the acknowledgement of earlier ones (RFC 896).
    pub no_delay: bool,
    /// `IP_TTL`, `IPV6_UNICAST_HOPS`; `None` is the usual 64.
    pub hop_limit: Option<u8>,
    /// `IP_TOS`, `IPV6_TCLASS`.
    pub traffic_class: u8,
    /// `SO_RCVBUF` in bytes, for connections that begin later; `None` is the usual size.
    pub receive_buffer: Option<usize>,
    /// `SO_SNDBUF`, likewise.
    pub send_buffer: Option<usize>,
}

impl Options {
    /// With whom a listener shares its port.
    pub fn sharing(&self) -> Sharing {
        Sharing { with_all: false, with_own: self.reuse_port.then_some(self.uid) }
    }
}
