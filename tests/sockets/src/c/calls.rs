//! C's socket calls, as safe as they can be. No crate has all of them on Redox.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use libc::{c_int, sockaddr, sockaddr_in, socklen_t};

/// A socket of C's. Dropping it closes it.
#[derive(Debug)]
pub struct Socket(OwnedFd);

/// What `recvmsg` tells beside the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// How many bytes were filled in.
    pub length: usize,
    /// `MSG_TRUNC` and others.
    pub flags: c_int,
    /// The sender; of a stream, which names none, everybody.
    pub from: SocketAddrV4,
}

impl Socket {
    /// `socket` for IPv4: of kind `SOCK_STREAM` or `SOCK_DGRAM`.
    pub fn new(kind: c_int) -> io::Result<Self> {
        // SAFETY: it takes numbers alone.
        let fd = check(unsafe { libc::socket(libc::AF_INET, kind, 0) })?;
        // SAFETY: it was made just now, for this caller.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// `bind`.
    pub fn bind(&self, address: SocketAddrV4) -> io::Result<()> {
        let address = to_c(address);
        // SAFETY: the address is as long as is said, and is only read.
        check(unsafe { libc::bind(self.fd(), (&raw const address).cast(), LENGTH) }).map(drop)
    }

    /// `connect`.
    pub fn connect(&self, address: SocketAddrV4) -> io::Result<()> {
        let address = to_c(address);
        // SAFETY: as for `bind`.
        check(unsafe { libc::connect(self.fd(), (&raw const address).cast(), LENGTH) }).map(drop)
    }

    /// `listen`.
    pub fn listen(&self, backlog: c_int) -> io::Result<()> {
        // SAFETY: it takes numbers alone.
        check(unsafe { libc::listen(self.fd(), backlog) }).map(drop)
    }

    /// `accept`: the connection, and whose it is.
    pub fn accept(&self) -> io::Result<(Self, SocketAddrV4)> {
        let mut fd = -1;
        let peer = named(|address, length| {
            // SAFETY: the address has room for as much as its length says, and both live until the call is over.
            fd = unsafe { libc::accept(self.fd(), address, length) };
            fd
        })?;
        // SAFETY: it was made just now, for this caller.
        Ok((Self(unsafe { OwnedFd::from_raw_fd(fd) }), peer))
    }

    /// `getsockname`.
    pub fn name(&self) -> io::Result<SocketAddrV4> {
        // SAFETY: as for `accept`.
        named(|address, length| unsafe { libc::getsockname(self.fd(), address, length) })
    }

    /// `getpeername`.
    pub fn peer(&self) -> io::Result<SocketAddrV4> {
        // SAFETY: as for `accept`.
        named(|address, length| unsafe { libc::getpeername(self.fd(), address, length) })
    }

    /// `send`.
    pub fn send(&self, bytes: &[u8], flags: c_int) -> io::Result<usize> {
        // SAFETY: so many bytes are there, and are only read.
        count(unsafe { libc::send(self.fd(), bytes.as_ptr().cast(), bytes.len(), flags) })
    }

    /// `recv`.
    pub fn receive(&self, buffer: &mut [u8], flags: c_int) -> io::Result<usize> {
        // SAFETY: so many bytes are there, of which nobody else knows meanwhile.
        count(unsafe { libc::recv(self.fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) })
    }

    /// `sendto`.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddrV4) -> io::Result<usize> {
        let to = to_c(to);
        let (data, address) = (bytes.as_ptr().cast(), (&raw const to).cast());
        // SAFETY: as for `send` and `bind`.
        count(unsafe { libc::sendto(self.fd(), data, bytes.len(), 0, address, LENGTH) })
    }

    /// `recvfrom`.
    pub fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4)> {
        let mut received = -1;
        let data = buffer.as_mut_ptr().cast();
        let from = named(|address, length| {
            // SAFETY: as for `receive` and `accept`.
            received = unsafe { libc::recvfrom(self.fd(), data, buffer.len(), 0, address, length) };
            if received < 0 { -1 } else { 0 }
        })?;
        Ok((count(received)?, from))
    }

    /// `sendmsg` of these parts, to the peer.
    pub fn send_message(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut message = empty_message();
        // std promises that an `IoSlice` is an `iovec`; those of a message to be sent are only read.
        message.msg_iov = parts.as_ptr().cast::<libc::iovec>().cast_mut();
        message.msg_iovlen = parts.len() as _;
        // SAFETY: the message and its parts live until the call is over.
        count(unsafe { libc::sendmsg(self.fd(), &raw const message, 0) })
    }

    /// `recvmsg` into these parts.
    pub fn receive_message(&self, parts: &mut [IoSliceMut<'_>], flags: c_int) -> io::Result<Message> {
        let mut from = to_c(EVERYBODY);
        let mut message = empty_message();
        message.msg_name = (&raw mut from).cast();
        message.msg_namelen = LENGTH;
        // As an `IoSlice`, an `IoSliceMut` is an `iovec`.
        message.msg_iov = parts.as_mut_ptr().cast();
        message.msg_iovlen = parts.len() as _;
        // SAFETY: the message, its parts and its address live until the call is over, and nobody else knows them.
        let length = count(unsafe { libc::recvmsg(self.fd(), &raw mut message, flags) })?;
        Ok(Message { length, flags: message.msg_flags, from: from_c(from) })
    }

    /// `shutdown`.
    pub fn shutdown(&self, how: c_int) -> io::Result<()> {
        // SAFETY: it takes numbers alone.
        check(unsafe { libc::shutdown(self.fd(), how) }).map(drop)
    }

    /// `getsockopt` of a number, at level `SOL_SOCKET`.
    pub fn option(&self, name: c_int) -> io::Result<c_int> {
        let mut value: c_int = 0;
        let mut length = size_of::<c_int>() as socklen_t;
        let at = (&raw mut value).cast();
        // SAFETY: the value has room for as much as its length says, and both live until the call is over.
        check(unsafe { libc::getsockopt(self.fd(), libc::SOL_SOCKET, name, at, &raw mut length) })?;
        Ok(value)
    }

    /// `setsockopt` of a number, at level `SOL_SOCKET`.
    pub fn set_option(&self, name: c_int, value: c_int) -> io::Result<()> {
        self.set(name, &value)
    }

    /// `setsockopt` of `SO_BINDTODEVICE`.
    pub fn bind_to_device(&self, name: &str) -> io::Result<()> {
        // relibc hands it to the kernel as memory to be written, which a constant is not in (EFAULT).
        let mut name = name.as_bytes().to_vec();
        let length = name.len() as socklen_t;
        // SAFETY: the name is as long as is said, and nobody else has it meanwhile.
        let set = unsafe {
            libc::setsockopt(self.fd(), libc::SOL_SOCKET, SO_BINDTODEVICE, name.as_mut_ptr().cast(), length)
        };
        check(set).map(drop)
    }

    /// `getsockopt` of `SO_BINDTODEVICE`: the name, up to its end.
    pub fn device(&self) -> io::Result<String> {
        let mut name = [0_u8; 16];
        let mut length = name.len() as socklen_t;
        // SAFETY: there is room for as much as is said, of which nobody else knows meanwhile.
        let got = unsafe {
            let (at, length) = (name.as_mut_ptr().cast(), &raw mut length);
            libc::getsockopt(self.fd(), libc::SOL_SOCKET, SO_BINDTODEVICE, at, length)
        };
        check(got)?;
        Ok(name.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect())
    }

    /// `setsockopt` of `SO_RCVTIMEO`.
    pub fn set_receive_timeout(&self, timeout: Duration) -> io::Result<()> {
        let (seconds, microseconds) = (timeout.as_secs() as _, timeout.subsec_micros() as _);
        self.set(libc::SO_RCVTIMEO, &libc::timeval { tv_sec: seconds, tv_usec: microseconds })
    }

    fn set<T>(&self, name: c_int, value: &T) -> io::Result<()> {
        let (at, length) = (ptr::from_ref(value).cast(), size_of::<T>() as socklen_t);
        // SAFETY: the value is as long as is said, and is only read.
        check(unsafe { libc::setsockopt(self.fd(), libc::SOL_SOCKET, name, at, length) }).map(drop)
    }

    /// `fcntl` of `O_NONBLOCK`.
    pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        // SAFETY: it takes numbers alone.
        let flags = check(unsafe { libc::fcntl(self.fd(), libc::F_GETFL) })?;
        let flags = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        // SAFETY: the same.
        check(unsafe { libc::fcntl(self.fd(), libc::F_SETFL, flags) }).map(drop)
    }

    /// `ioctl` of `FIONBIO`.
    pub fn set_nonblocking_by_ioctl(&self, on: bool) -> io::Result<()> {
        let mut value = c_int::from(on);
        // SAFETY: this request reads one number there.
        check(unsafe { libc::ioctl(self.fd(), libc::FIONBIO as _, &raw mut value) }).map(drop)
    }

    /// `poll` for these events; none when the time is over.
    pub fn poll(&self, events: i16, timeout: Duration) -> io::Result<i16> {
        let mut entry = libc::pollfd { fd: self.fd(), events, revents: 0 };
        let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: there is one entry, of which nobody else knows meanwhile.
        check(unsafe { libc::poll(&raw mut entry, 1, timeout) })?;
        Ok(entry.revents)
    }

    /// `select` for reading: whether it can be read in time.
    pub fn select(&self, timeout: Duration) -> io::Result<bool> {
        if self.fd() as usize >= libc::FD_SETSIZE {
            return Err(io::Error::other("too many open files for select"));
        }
        let mut timeout =
            libc::timeval { tv_sec: timeout.as_secs() as _, tv_usec: timeout.subsec_micros() as _ };
        // SAFETY: a set of no descriptors is all zeros.
        let mut set: libc::fd_set = unsafe { mem::zeroed() };
        // SAFETY: the set has room for the descriptor, and it and the time live until the calls are over.
        unsafe {
            libc::FD_SET(self.fd(), &raw mut set);
            let nobody = ptr::null_mut();
            check(libc::select(self.fd() + 1, &raw mut set, nobody, nobody, &raw mut timeout))?;
            Ok(libc::FD_ISSET(self.fd(), &raw const set))
        }
    }

    fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Its number, which no crate has for Redox: Linux'.
const SO_BINDTODEVICE: c_int = 25;

/// The length of an address.
const LENGTH: socklen_t = size_of::<sockaddr_in>() as socklen_t;

/// An address that names nobody.
const EVERYBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);

fn to_c(address: SocketAddrV4) -> sockaddr_in {
    // SAFETY: numbers, for which zero is a value.
    let mut c: sockaddr_in = unsafe { mem::zeroed() };
    c.sin_family = libc::AF_INET as _;
    c.sin_port = address.port().to_be();
    c.sin_addr.s_addr = u32::from(*address.ip()).to_be();
    c
}

fn from_c(address: sockaddr_in) -> SocketAddrV4 {
    SocketAddrV4::new(u32::from_be(address.sin_addr.s_addr).into(), u16::from_be(address.sin_port))
}

/// The address that a call fills in, which gives a negative number when it fails.
fn named(call: impl FnOnce(*mut sockaddr, *mut socklen_t) -> c_int) -> io::Result<SocketAddrV4> {
    let (mut address, mut length) = (to_c(EVERYBODY), LENGTH);
    check(call((&raw mut address).cast::<sockaddr>(), &raw mut length))?;
    Ok(from_c(address))
}

fn empty_message() -> libc::msghdr {
    // SAFETY: numbers and pointers, for which zero is a value.
    unsafe { mem::zeroed() }
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn count(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
