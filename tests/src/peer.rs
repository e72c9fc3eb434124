//! The other end of a guest's link: what it sends arrives at the device, what the device sends it receives.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tempfile::TempDir;

use crate::nic::{Link, Nic};
use crate::{Context, Result};

/// Longer than any frame.
const LONGEST: usize = 65536;

/// How long a device may take no frame.
const PATIENCE: Duration = Duration::from_secs(30);

/// A peer on a datagram link: one frame a datagram.
#[derive(Debug)]
pub struct Peer {
    socket: UnixDatagram,
    /// Holds both sockets; its path is short, as a socket's must be.
    folder: TempDir,
}

impl Peer {
    /// A peer that waits for its guest.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let path = folder.path().join("peer");
        let socket = UnixDatagram::bind(&path).context("bind", &path)?;
        socket.set_write_timeout(Some(PATIENCE)).context("bound the writes to", &path)?;
        Ok(Self { socket, folder })
    }

    /// A device of this model that is connected to this peer.
    pub fn nic(&self, model: &str) -> Nic {
        let link = Link::Datagram {
            local: self.folder.path().join("guest"),
            remote: self.folder.path().join("peer"),
        };
        Nic { model: model.to_owned(), link }
    }

    /// Sends a frame, waiting as long as the guest's device takes no more.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.send_to(frame, self.folder.path().join("guest")).map(drop)
    }

    /// Sends a frame if the guest's device takes one now; whether it did.
    pub fn try_send(&self, frame: &[u8]) -> io::Result<bool> {
        self.socket.set_nonblocking(true)?;
        let sent = self.send(frame);
        self.socket.set_nonblocking(false)?;
        match sent {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next frame that the guest sends, if one comes within `limit`.
    pub fn receive(&self, limit: Duration) -> io::Result<Option<Vec<u8>>> {
        self.socket.set_read_timeout(Some(limit))?;
        self.next()
    }

    /// The next frame that the guest has sent already, if there is one.
    pub fn receive_now(&self) -> io::Result<Option<Vec<u8>>> {
        self.socket.set_nonblocking(true)?;
        let frame = self.next();
        self.socket.set_nonblocking(false)?;
        frame
    }

    fn next(&self) -> io::Result<Option<Vec<u8>>> {
        let mut frame = vec![0; LONGEST];
        match self.socket.recv(&mut frame) {
            Ok(length) => {
                frame.truncate(length);
                Ok(Some(frame))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}
