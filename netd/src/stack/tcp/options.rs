//! What a program can set of a TCP socket.

use smoltcp::time::Duration;

use crate::stack::ports::Sharing;
use crate::stack::routes::InterfaceId;

/// The settings of a socket; a connection that is accepted has those of its listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose it is: the uid that opened it.
    pub uid: u32,
    /// `SO_BINDTODEVICE`: segments leave and come by this interface.
    pub device: Option<InterfaceId>,
    /// `SO_REUSEADDR`: listen even if connections from before still use the port.
    pub reuse_address: bool,
    /// `SO_REUSEPORT`: listen beside others of the same uid that set it, too; each gets its part of the connections.
    pub reuse_port: bool,
    /// `SO_KEEPALIVE` and what belongs to it.
    pub keep_alive: KeepAlive,
    /// `TCP_USER_TIMEOUT`: how long a peer may be silent that has something to acknowledge; `None` is 15 minutes.
    pub user_timeout: Option<Duration>,
    /// `SO_LINGER`: how long after `close` what was written may take to be acknowledged; then the connection is reset.
    /// With 0 it is reset at once. `None`, or a minute and more, waits as long as the peer goes on.
    pub linger: Option<Duration>,
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

/// When a silent peer is asked whether it is still there, and when it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// `SO_KEEPALIVE`: an idle connection whose peer is gone ends.
    pub is_on: bool,
    /// `TCP_KEEPIDLE`: how long it is silent before it is asked (RFC 1122 section 4.2.3.6: 2 hours).
    pub idle: Duration,
    /// `TCP_KEEPINTVL`: between two questions.
    pub interval: Duration,
    /// `TCP_KEEPCNT`: questions that may stay without an answer.
    pub probes: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            is_on: false,
            idle: Duration::from_secs(2 * 60 * 60),
            interval: Duration::from_secs(75),
            probes: 9,
        }
    }
}

impl KeepAlive {
    /// How long a peer may take to answer.
    pub fn patience(&self) -> Duration {
        self.interval * self.probes
    }
}

impl Options {
    /// With whom a listener shares its port.
    pub fn sharing(&self) -> Sharing {
        Sharing { with_all: false, with_own: self.reuse_port.then_some(self.uid) }
    }
}
