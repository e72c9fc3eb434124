//! What relibc does for each call: opens, `dup`s with a path, and reads and writes.

use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, RawFd};

use libc::c_int;
use scheme::client::{self, OpenOptions};

use crate::address;

/// `libredox::protocol::SocketCall`.
pub mod verb {
    /// `setsockopt`.
    pub const SET_SOCK_OPT: u64 = 2;
    /// `getsockopt`.
    pub const GET_SOCK_OPT: u64 = 3;
    /// `sendmsg`.
    pub const SEND_MSG: u64 = 4;
    /// `recvmsg`.
    pub const RECV_MSG: u64 = 5;
    /// `getpeername`.
    pub const GET_PEER_NAME: u64 = 8;
    /// `shutdown`.
    pub const SHUTDOWN: u64 = 9;
}

/// The longest path that `GetPeerName` may answer.
const LONGEST_NAME: usize = 256;

/// A socket of netd's, which belongs to the program.
#[derive(Debug)]
pub struct Socket {
    file: ManuallyDrop<File>,
    path: String,
}

impl Socket {
    /// The socket behind a descriptor.
    ///
    /// # Errors
    /// `ENOTSOCK`: it is none.
    pub fn of(fd: RawFd) -> io::Result<Self> {
        // SAFETY: the descriptor stays the program's, which has it open: it is never closed from here.
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        match client::fpath(&file) {
            Ok(path) if path.starts_with("/scheme/tcp/") || path.starts_with("/scheme/udp/") => {
                Ok(Self { file, path })
            }
            _ => Err(io::Error::from_raw_os_error(libc::ENOTSOCK)),
        }
    }

    /// It carries streams, not datagrams.
    pub fn is_stream(&self) -> bool {
        self.path.starts_with("/scheme/tcp/")
    }

    /// `bind`: a new handle in the place of the old one.
    pub fn bind(&self, address: SocketAddrV4) -> io::Result<()> {
        self.become_other(&format!("/{address}"))
    }

    /// `connect`, or with nothing the opposite.
    pub fn connect(&self, address: Option<SocketAddrV4>) -> io::Result<()> {
        self.become_other(&address.map_or_else(|| "disconnect".to_owned(), |address| address.to_string()))
    }

    /// `accept`: the new socket, and its peer.
    pub fn accept(&self, flags: c_int) -> io::Result<(RawFd, SocketAddrV4)> {
        let file = client::dup(&self.file, b"listen")?;
        let peer = peer(&file)?;
        Ok((give(file, flags)?, peer))
    }

    /// `getsockname`.
    pub fn local(&self) -> io::Result<SocketAddrV4> {
        address::ends(&self.path).map(|(_, local)| local)
    }

    /// `getpeername`.
    pub fn peer(&self) -> io::Result<SocketAddrV4> {
        peer(&self.file)
    }

    /// `shutdown`.
    pub fn shut_down(&self, how: c_int) -> io::Result<()> {
        self.call(&mut [], verb::SHUTDOWN, how).map(drop)
    }

    /// `sendto` with a destination.
    pub fn send_to(&self, data: &[u8], to: SocketAddrV4) -> io::Result<usize> {
        self.write_aside(&to.to_string(), data)
    }

    /// Writes to a new handle that is made for that alone.
    pub fn write_aside(&self, path: &str, data: &[u8]) -> io::Result<usize> {
        client::dup(&self.file, path.as_bytes())?.write(data)
    }

    /// One of relibc's calls, with its argument.
    pub fn call(&self, payload: &mut [u8], verb: u64, argument: c_int) -> io::Result<usize> {
        client::call(&self.file, payload, &[verb, u64::from(argument.cast_unsigned())])
    }

    /// One of relibc's calls, with an option of a protocol's, whose level relibc would not say.
    pub fn call_at(&self, payload: &mut [u8], verb: u64, name: c_int, level: c_int) -> io::Result<usize> {
        let level = u64::from(level.cast_unsigned()).saturating_add(1);
        client::call(&self.file, payload, &[verb, u64::from(name.cast_unsigned()), level])
    }

    fn become_other(&self, path: &str) -> io::Result<()> {
        let new = client::dup(&self.file, path.as_bytes())?;
        let fd = self.file.as_raw_fd();
        // SAFETY: nothing but numbers is given.
        let result = unsafe {
            let flags = libc::fcntl(fd, libc::F_GETFD);
            let keep = if flags & libc::FD_CLOEXEC != 0 { libc::O_CLOEXEC } else { 0 };
            libc::dup3(new.as_raw_fd(), fd, keep)
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// `socket`.
pub fn open(kind: c_int) -> io::Result<RawFd> {
    let scheme = match kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) {
        libc::SOCK_STREAM => "tcp",
        libc::SOCK_DGRAM => "udp",
        _ => return Err(io::Error::from_raw_os_error(libc::EPROTONOSUPPORT)),
    };
    let options = OpenOptions { read: true, write: true, nonblocking: kind & libc::SOCK_NONBLOCK != 0 };
    give(client::open(scheme, "", options)?, kind)
}

/// A descriptor for the program, with the flags that it wants.
fn give(file: File, flags: c_int) -> io::Result<RawFd> {
    let fd = file.into_raw_fd();
    let wanted = |flag| flags & flag != 0;
    // SAFETY: nothing but numbers is given.
    let result = unsafe {
        libc::fcntl(fd, libc::F_SETFD, if wanted(libc::SOCK_CLOEXEC) { libc::FD_CLOEXEC } else { 0 });
        libc::fcntl(fd, libc::F_SETFL, if wanted(libc::SOCK_NONBLOCK) { libc::O_NONBLOCK } else { 0 })
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(fd) }
}

fn peer(file: &File) -> io::Result<SocketAddrV4> {
    let mut name = [0; LONGEST_NAME];
    let length = client::call(file, &mut name, &[verb::GET_PEER_NAME])?;
    let name = name.get(..length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
    address::ends(name).map(|(remote, _)| remote)
}
