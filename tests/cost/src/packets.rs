//! Linux's own way for raw frames: a packet socket (`AF_PACKET`).

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::net::sockopt::{self, Timeout};
use rustix::process::{self, PidfdFlags, PidfdGetfdFlags};
use smoltcp::phy::{Medium, RawSocket};

use crate::way::Way;

/// How long a frame may fail to come, or to find room.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long an interface may take to count what it has sent, and how often it is asked.
const SETTLE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);

/// A packet socket of one interface, with each frame that passes it.
pub struct Packets {
    socket: File,
    frame: [u8; 2048],
    sent: Sent,
}

/// What an interface has sent since then, beside what it was given.
struct Sent {
    interface: String,
    before: u64,
    given: u64,
}

impl Way for Packets {
    const NAME: &str = "packet";

    /// `path` ends with the interface's name.
    fn open(path: &Path) -> io::Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(ErrorKind::InvalidInput)?;
        let sent = Sent { interface: name.to_owned(), before: counter(name)?, given: 0 };
        Ok(Self { socket: waiting(name)?, frame: [0; 2048], sent })
    }

    fn send(&mut self, frame: &[u8], count: u32) -> io::Result<()> {
        for _ in 0..count {
            self.socket.write_all(frame)?;
            self.sent.given += 1;
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<&[u8]> {
        let length = self.socket.read(&mut self.frame)?;
        Ok(self.frame.get(..length).unwrap_or_default())
    }
}

impl Packets {
    /// Waits until the interface has sent all that it was given.
    ///
    /// # Errors
    /// Frames are missing: what was measured is not true.
    pub fn check(&self) -> io::Result<()> {
        let Sent { interface, before, given } = &self.sent;
        let deadline = Instant::now() + SETTLE;
        loop {
            let sent = counter(interface)?.saturating_sub(*before);
            if sent >= *given {
                return Ok(());
            }
            if Instant::now() > deadline {
                let missing = format!("{interface} has sent {sent} of {given} frames by its tx_packets");
                return Err(io::Error::other(missing));
            }
            thread::sleep(POLL);
        }
    }
}

/// A socket whose operations wait, up to [`PATIENCE`]. smoltcp's own descriptor of it does not, and what finds no room
/// in it is lost without a word.
fn waiting(interface: &str) -> io::Result<File> {
    let raw = RawSocket::new(interface, Medium::Ethernet)?;
    let own = process::pidfd_open(process::getpid(), PidfdFlags::empty())?;
    let socket = process::pidfd_getfd(own, raw.as_raw_fd(), PidfdGetfdFlags::empty())?;
    rustix::fs::fcntl_setfl(&socket, OFlags::empty())?;
    for direction in [Timeout::Recv, Timeout::Send] {
        sockopt::set_socket_timeout(&socket, direction, Some(PATIENCE))?;
    }
    Ok(socket.into())
}

/// Frames that an interface has sent since it is there.
fn counter(interface: &str) -> io::Result<u64> {
    let path = PathBuf::from("/sys/class/net").join(interface).join("statistics/tx_packets");
    fs::read_to_string(path)?.trim().parse().map_err(io::Error::other)
}
