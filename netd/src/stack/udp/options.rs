//! What a program can set of a UDP socket.

/// Bytes that wait to be read, and the longest datagram that is sent: Linux's default buffers.
pub const BUFFER: usize = 212_992;
/// The most that can be asked for.
const MOST: usize = 4 << 20;

/// The settings of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `SO_REUSEADDR`: others who set it, too, may be bound to the same port; broadcasts come to all of them, the rest
    /// to the last.
    pub reuse_address: bool,
    /// `SO_BROADCAST`. At first it is on: Redox's programs do not set it.
    pub broadcast: bool,
    /// `IP_TTL`, `IPV6_UNICAST_HOPS`; `None` is the usual 64.
    pub hop_limit: Option<u8>,
    /// `IP_TOS`, `IPV6_TCLASS`.
    pub traffic_class: u8,
    /// `SO_RCVBUF`, in bytes.
    pub receive_buffer: usize,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            reuse_address: false,
            broadcast: true,
            hop_limit: None,
            traffic_class: 0,
            receive_buffer: BUFFER,
            send_buffer: BUFFER,
        }
    }
}

/// A buffer of about the size that is asked for.
pub fn buffer(wish: usize) -> usize {
    wish.min(MOST)
}
