//! The host's side of the program `sockets`.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::nic::{Link, Nic};
use crate::server::{self, ClosedPort};

/// Its checks, but for the one that needs a name.
pub const CHECKS: [&str; 27] = [
    "send-64k",
    "send-4k",
    "send-1",
    "receive-64k",
    "receive-4k",
    "receive-1",
    "half-close",
    "end-after-data",
    "refused",
    "read-timeout",
    "write-timeout",
    "listen",
    "burst",
    "nonblocking",
    "peek",
    "udp",
    "udp-short",
    "udp-long",
    "udp-bound",
    "udp-ports",
    "c-stream",
    "c-connecting",
    "c-listener",
    "c-waiting",
    "c-options",
    "c-datagrams",
    "c-device",
];

/// What the program talks to, on the host's loopback. It ends with the process.
#[derive(Clone, Debug)]
pub struct Peer {
    web: u16,
    echo: u16,
    closed: u16,
    _closed: Arc<ClosedPort>,
    listen: u16,
}

impl Peer {
    /// Starts it.
    pub fn start() -> io::Result<Self> {
        let closed = ClosedPort::take()?;
        Ok(Self {
            web: server::web()?.port(),
            echo: server::udp_echo()?.port(),
            closed: closed.number(),
            _closed: Arc::new(closed),
            listen: server::free_port()?,
        })
    }

    /// With something that listens where nothing should, so that one check fails.
    #[must_use]
    pub fn with_an_open_port(self) -> Self {
        Self { closed: self.web, ..self }
    }

    /// What the program takes after the check's name; `host` is where it finds the host's loopback.
    pub fn arguments(&self, host: Ipv4Addr) -> Vec<String> {
        let ports = [self.web, self.echo, self.closed, self.listen];
        std::iter::once(host.to_string()).chain(ports.map(|port| port.to_string())).collect()
    }

    /// A network device on QEMU's user network, through which this peer reaches the program's listener.
    pub fn nic(&self, model: &str) -> Nic {
        let options = format!("hostfwd=tcp:127.0.0.1:{0}-:{0}", self.listen);
        Nic { model: model.to_owned(), link: Link::User(options) }
    }
}
