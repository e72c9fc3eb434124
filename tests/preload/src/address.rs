//! Addresses: C's `sockaddr_in`, and the schemes' `a.b.c.d:port`.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ptr;

use libc::{sockaddr, sockaddr_in, socklen_t};

/// The only length that relibc takes for an address.
const LENGTH: socklen_t = size_of::<sockaddr_in>() as socklen_t;

/// An address that a program gave; `None` is `AF_UNSPEC`.
///
/// # Safety
/// `address` is null, or `length` bytes can be read there.
pub unsafe fn read(address: *const sockaddr, length: socklen_t) -> io::Result<Option<SocketAddrV4>> {
    if address.is_null() || length != LENGTH {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: it is as long as that, as the caller promises, and any bytes make one.
    let address = unsafe { address.cast::<sockaddr_in>().read_unaligned() };
    match i32::from(address.sin_family) {
        libc::AF_INET => {
            let host = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
            Ok(Some(SocketAddrV4::new(host, u16::from_be(address.sin_port))))
        }
        libc::AF_UNSPEC => Ok(None),
        _ => Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
    }
}

/// Gives a program an address, as much of it as it has room for, if it wants one.
///
/// # Safety
/// `address` is null, or `length` points to the number of bytes that can be written there.
pub unsafe fn write(from: SocketAddrV4, address: *mut sockaddr, length: *mut socklen_t) {
    if address.is_null() || length.is_null() {
        return;
    }
    let whole = sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: from.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*from.ip()).to_be() },
        sin_zero: [0; 8],
    };
    // SAFETY: the room is as large as the caller says, and no more of `whole` is copied than it has.
    unsafe {
        let room = (*length).min(LENGTH) as usize;
        ptr::copy_nonoverlapping(ptr::from_ref(&whole).cast::<u8>(), address.cast::<u8>(), room);
        *length = LENGTH;
    }
}

/// The two ends in a socket's path: `/scheme/tcp/REMOTE/LOCAL`.
pub fn ends(path: &str) -> io::Result<(SocketAddrV4, SocketAddrV4)> {
    let malformed = || io::Error::other(format!("{path} is no socket's path"));
    let mut words = path.trim_start_matches('/').split('/').skip(2);
    let mut end = || words.next().and_then(|word| word.parse().ok()).ok_or_else(malformed);
    Ok((end()?, end()?))
}

/// The address in a sender's path: `/scheme/udp/ADDRESS`.
pub fn sender(path: &str) -> Option<SocketAddrV4> {
    path.trim_start_matches('/').split('/').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut room: libc::sockaddr_storage = unsafe_zeroed();
        let mut length = size_of_val(&room) as socklen_t;
        let place = ptr::from_mut(&mut room).cast();
        // SAFETY: the room is as long as said.
        let found = unsafe {
            write(address("10.1.2.3:4567"), place, &raw mut length);
            read(place, length)
        };
        assert_eq!(length, LENGTH);
        assert_eq!(found.unwrap(), Some(address("10.1.2.3:4567")));
    }

    /// Room for any address.
    fn unsafe_zeroed() -> libc::sockaddr_storage {
        // SAFETY: numbers only.
        unsafe { std::mem::zeroed() }
    }

    #[test]
    fn paths_are_taken_apart() {
        let (remote, local) = ends("/scheme/tcp/10.0.2.2:80/10.0.2.15:49152").unwrap();
        assert_eq!((remote, local), (address("10.0.2.2:80"), address("10.0.2.15:49152")));
        assert_eq!(sender("/scheme/udp/10.0.2.3:53"), Some(address("10.0.2.3:53")));
        assert!(ends("/scheme/tcp/").is_err());
        assert_eq!(sender(""), None);
    }
}
