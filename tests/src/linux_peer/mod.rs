//! A Linux of its own at the other end of a guest's link: the host's kernel in a network namespace, with Debian's
//! programs. All of it is gone when the peer is dropped, or its process ends.

mod bridge;
mod namespace;
mod netem;
mod queues;
mod wire;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use bridge::Bridge;
pub use namespace::{Namespace, Service};
pub use netem::{Netem, Treated, Treatment};
pub use queues::QueuedTap;
use wire::Wire;

use crate::nic::Nic;
use crate::run::POLL;
use crate::{Context, Error, Result};

/// The interface at the wire's end.
pub const INTERFACE: &str = "tap0";
/// The peer's address.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);
/// The address that the peer leases to [`GUEST_MAC`].
pub const GUEST: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 2);
/// QEMU's first device has it, if nothing else is asked for.
pub const GUEST_MAC: &str = "52:54:00:12:34:56";
/// The peer's IPv6 address, in the network that its router advertisements tell.
pub const ADDRESS_V6: &str = "fd07::1";
/// The guest's, which is made of [`GUEST_MAC`].
pub const GUEST_V6: &str = "fd07::5054:ff:fe12:3456";
/// The name that the peer's name server has for it, with both addresses.
pub const NAME: &str = "peer.test";

/// How long a program that goes on may take to begin.
const PATIENCE: Duration = Duration::from_secs(20);
/// What tcpdump says once it looks.
const WATCHES: &str = "listening on";
/// What tcpdump says of packets that are not as they should be.
const COMPLAINTS: [&str; 5] = ["bad", "incorrect", "invalid", "truncated", "[|"];

/// The peer: DHCP, DNS and router advertisements are there from the beginning.
#[derive(Debug)]
pub struct LinuxPeer {
    // The services end before their network does.
    services: Vec<Service>,
    wire: Wire,
    namespace: Namespace,
    folder: TempDir,
}

impl LinuxPeer {
    /// Starts it.
    ///
    /// # Errors
    /// The kernel forbids namespaces or tap interfaces, or a program is missing.
    pub fn start() -> Result<Self> {
        let namespace = Namespace::new()?;
        let wire = Wire::new(&namespace, INTERFACE)?;
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let mut peer = Self { services: Vec::new(), wire, namespace, folder };
        peer.namespace.run("ip", &["address", "add", &format!("{ADDRESS}/24"), "dev", INTERFACE])?;
        let v6 = format!("{ADDRESS_V6}/64");
        peer.namespace.run("ip", &["address", "add", &v6, "dev", INTERFACE, "nodad"])?;
        peer.namespace.run("ip", &["link", "set", INTERFACE, "up"])?;
        peer.serve_names_and_addresses()?;
        Ok(peer)
    }

    /// A device of this model that is connected to the peer.
    pub fn nic(&self, model: &str) -> Nic {
        self.wire.nic(model)
    }

    /// The peer's network.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Runs a program on the peer to its end, and gives what it said.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        self.namespace.run(program, arguments)
    }

    /// Starts a program that goes on until the peer is dropped.
    pub fn serve(&mut self, program: &str, arguments: &[&str]) -> Result<()> {
        let service = self.namespace.start(program, arguments, &self.log_file(program))?;
        self.services.push(service);
        Ok(())
    }

    /// What a program that goes on has said so far.
    pub fn log(&self, program: &str) -> String {
        fs::read_to_string(self.log_file(program)).unwrap_or_default()
    }

    /// Has tcpdump write down what of this kind, in its words, the guest sends from now on, and of each packet whether its
    /// checksums are right.
    pub fn watch(&mut self, kind: &str) -> Result<()> {
        let filter = format!("ether src {GUEST_MAC} and ({kind})");
        self.serve("tcpdump", &["-i", INTERFACE, "-Z", "root", "-n", "-l", "-t", "-vv", &filter])?;
        self.wait_for_log("tcpdump", WATCHES)
    }

    /// What tcpdump has written down, a packet with all that is known of it a line.
    ///
    /// # Errors
    /// It complains of one.
    pub fn watched(&self) -> Result<Vec<String>> {
        let log = self.log("tcpdump");
        let mut packets: Vec<String> = Vec::new();
        // What follows a packet's first line is indented.
        for line in log.lines().skip_while(|line| !line.contains(WATCHES)).skip(1) {
            match (line.starts_with(char::is_whitespace), packets.last_mut()) {
                (true, Some(packet)) => *packet += line,
                _ => packets.push(line.to_owned()),
            }
        }
        match packets.iter().find(|packet| COMPLAINTS.iter().any(|complaint| packet.contains(complaint))) {
            Some(packet) => {
                Err(Error::Peer(format!("tcpdump finds fault with what the guest sent: {packet}")))
            }
            None => Ok(packets),
        }
    }

    /// Waits until a program that goes on has said `text`.
    fn wait_for_log(&self, program: &str, text: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.log(program).contains(text) {
            if Instant::now() > deadline {
                return Err(Error::Peer(format!("{program} does not say {text:?}: {}", self.log(program))));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn log_file(&self, program: &str) -> PathBuf {
        self.folder.path().join(format!("{program}.log"))
    }

    fn serve_names_and_addresses(&mut self) -> Result<()> {
        let leases = format!("--dhcp-leasefile={}", self.folder.path().join("leases").display());
        let interface = format!("--interface={INTERFACE}");
        let guest = format!("--dhcp-host={GUEST_MAC},{GUEST}");
        let name = format!("--host-record={NAME},{ADDRESS},{ADDRESS_V6}");
        self.serve(
            "dnsmasq",
            &[
                "--conf-file=/dev/null",
                "--keep-in-foreground",
                "--log-facility=-",
                "--log-dhcp",
                "--log-queries",
                "--pid-file",
                "--user=root",
                "--no-resolv",
                "--no-hosts",
                "--bind-interfaces",
                &interface,
                &leases,
                &name,
                "--dhcp-authoritative",
                "--no-ping",
                "--dhcp-option=option:domain-search,test",
                "--dhcp-range=192.168.7.50,192.168.7.99,255.255.255.0,1h",
                &guest,
                "--enable-ra",
                "--dhcp-range=fd07::,ra-only",
                "--dhcp-option=option6:dns-server,[fd07::1]",
            ],
        )
    }
}
