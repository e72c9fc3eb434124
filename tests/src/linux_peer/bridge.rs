//! A bridge of the host's kernel between a guest's device and a plain wire. The device's end is a tap interface whose frames
//! may be unfinished: their checksums are left to be done, and one of them may be several segments. On the wire all is done.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::{ADDRESS, ADDRESS_V6, GUEST, GUEST_MAC, GUEST_V6, INTERFACE, Namespace};
use crate::nic::{Link, Nic};
use crate::{Context, Result};

const BRIDGE: &str = "br0";
/// The interface at the wire's end.
const WIRE: &str = "tap1";
/// Longer than any frame.
const LONGEST: usize = 65536;

/// The bridge and the wire's end, in a network of their own.
pub struct Bridge {
    wire: SyncDevice,
    namespace: Namespace,
}

impl Bridge {
    /// Makes them. The bridge has the addresses [`ADDRESS`] and [`ADDRESS_V6`], and knows where [`GUEST`] and [`GUEST_V6`] are.
    ///
    /// # Errors
    /// The kernel forbids namespaces or tap interfaces, or has no bridges, or a program is missing.
    pub fn new() -> Result<Self> {
        let device = Path::new("/dev/net/tun");
        let namespace = Namespace::new()?;
        let make = || DeviceBuilder::new().name(WIRE).layer(Layer::L2).build_sync();
        let wire = namespace.enter(make).and_then(|made| made).context("make an interface with", device)?;
        wire.set_nonblocking(true).context("use", device)?;
        namespace.run("ip", &["tuntap", "add", "dev", INTERFACE, "mode", "tap"])?;
        namespace.run("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
        for interface in [INTERFACE, WIRE, BRIDGE] {
            // IPv6 would announce itself.
            namespace.run("ip", &["link", "set", interface, "addrgenmode", "none"])?;
        }
        for interface in [INTERFACE, WIRE] {
            namespace.run("ip", &["link", "set", interface, "master", BRIDGE, "up"])?;
        }
        let (v4, v6) = (format!("{ADDRESS}/24"), format!("{ADDRESS_V6}/64"));
        namespace.run("ip", &["address", "add", &v4, "dev", BRIDGE])?;
        namespace.run("ip", &["address", "add", &v6, "dev", BRIDGE, "nodad"])?;
        namespace.run("ip", &["link", "set", BRIDGE, "up"])?;
        for guest in [&GUEST.to_string(), GUEST_V6] {
            namespace.run("ip", &["neighbour", "add", guest, "lladdr", GUEST_MAC, "dev", BRIDGE])?;
        }
        Ok(Self { wire, namespace })
    }

    /// A device of this model that is connected to the bridge.
    pub fn nic(&self, model: &str) -> Nic {
        let (interface, network) = (INTERFACE.to_owned(), self.namespace.path());
        Nic { model: model.to_owned(), link: Link::Queues { interface, count: 1, network } }
    }

    /// The network that it is in.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Sends a frame by the wire.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.wire.send(frame).map(drop)
    }

    /// The next frame that comes by the wire to this Ethernet address, if one comes within `limit`.
    pub fn receive(&self, to: [u8; 6], limit: Duration) -> io::Result<Option<Vec<u8>>> {
        let (deadline, mut buffer) = (Instant::now() + limit, vec![0; LONGEST]);
        loop {
            match self.wire.recv(&mut buffer) {
                Ok(length) => {
                    let frame = buffer.get(..length).unwrap_or_default();
                    if frame.starts_with(&to) {
                        return Ok(Some(frame.to_vec()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(None);
                    }
                    let left = Timespec::try_from(left).ok();
                    poll(&mut [PollFd::from_borrowed_fd(self.wire.as_fd(), PollFlags::IN)], left.as_ref())?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
