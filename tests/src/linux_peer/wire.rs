//! The wire between a guest's device and a tap interface.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use tempfile::TempDir;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::namespace::Namespace;
use crate::nic::{Link, Nic};
use crate::{Context, Result};

/// Longer than any frame.
const LONGEST: usize = 65536;

/// How long a guest's device may take no frame until one is lost.
const PATIENCE: Duration = Duration::from_secs(1);

/// A wire with a tap interface at one end and a guest's device at the other. Dropping it takes the interface away.
#[derive(Debug)]
pub struct Wire {
    /// Holds the sockets of the guest's end; its path is short, as a socket's must be.
    folder: TempDir,
    end: Arc<OwnedFd>,
    carriers: Vec<JoinHandle<()>>,
}

impl Wire {
    /// A wire to a new interface of this name.
    pub fn new(namespace: &Namespace, interface: &str) -> Result<Self> {
        let device = Path::new("/dev/net/tun");
        let make = || DeviceBuilder::new().name(interface).layer(Layer::L2).build_sync();
        let tap = namespace.enter(make).and_then(|made| made).context("make an interface with", device)?;
        tap.set_nonblocking(true).context("use", device)?;
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let path = folder.path().join("peer");
        let socket = UnixDatagram::bind(&path).context("bind", &path)?;
        socket.set_write_timeout(Some(PATIENCE)).context("bound the writes to", &path)?;
        let end =
            Arc::new(eventfd(0, EventfdFlags::CLOEXEC).map_err(io::Error::from).context("watch", &path)?);
        let mut wire = Self { folder, end, carriers: Vec::new() };
        wire.carry(tap, socket);
        Ok(wire)
    }

    /// A device of this model at the wire's other end.
    pub fn nic(&self, model: &str) -> Nic {
        let link = Link::Datagram {
            local: self.folder.path().join("guest"),
            remote: self.folder.path().join("peer"),
        };
        Nic { model: model.to_owned(), link }
    }

    fn carry(&mut self, tap: SyncDevice, socket: UnixDatagram) {
        let (tap, socket) = (Arc::new(tap), Arc::new(socket));
        let guest = self.folder.path().join("guest");
        for outwards in [true, false] {
            let (tap, socket, guest, end) = (tap.clone(), socket.clone(), guest.clone(), self.end.clone());
            self.carriers.push(thread::spawn(move || {
                // It fails when the interface is gone, and then there is nothing to carry.
                let _ = if outwards {
                    let receive = |buffer: &mut [u8]| tap.recv(buffer);
                    // Without a guest, or with one that takes nothing, frames are lost.
                    run(tap.as_fd(), end.as_fd(), receive, |frame| drop(socket.send_to(frame, &guest)))
                } else {
                    let receive = |buffer: &mut [u8]| socket.recv(buffer);
                    run(socket.as_fd(), end.as_fd(), receive, |frame| drop(tap.send(frame)))
                };
            }));
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Both fail only where the carriers have ended already.
        let _ = rustix::io::write(&self.end, &1_u64.to_ne_bytes());
        for carrier in self.carriers.drain(..) {
            let _ = carrier.join();
        }
    }
}

/// Carries frames one way until `end` can be read.
fn run(
    from: BorrowedFd<'_>,
    end: BorrowedFd<'_>,
    receive: impl Fn(&mut [u8]) -> io::Result<usize>,
    deliver: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; LONGEST];
    loop {
        let mut fds =
            [PollFd::from_borrowed_fd(from, PollFlags::IN), PollFd::from_borrowed_fd(end, PollFlags::IN)];
        poll(&mut fds, None)?;
        let [from_ready, end_ready] = fds.map(|fd| !fd.revents().is_empty());
        if end_ready {
            return Ok(());
        }
        if from_ready {
            let length = receive(&mut buffer)?;
            deliver(buffer.get(..length).unwrap_or_default());
        }
    }
}
