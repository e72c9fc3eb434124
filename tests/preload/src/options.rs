//! `getsockopt` and `setsockopt`: those of sockets as such, which relibc passes on, and those of the protocols, which it
//! does not. These are tried, so that programs can show what netd does with them.

use std::io;

use libc::{c_int, timeval};

use crate::socket::{Socket, verb};

/// `setsockopt`. What netd does not know of a protocol's is accepted and forgotten, as relibc does with all of these.
pub fn set(socket: &Socket, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => set_timeout(socket, "read_timeout", value),
        (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => set_timeout(socket, "write_timeout", value),
        (libc::SOL_SOCKET, _) => socket.call(&mut value.to_vec(), verb::SET_SOCK_OPT, name).map(drop),
        _ => match socket.call_at(&mut value.to_vec(), verb::SET_SOCK_OPT, name, level) {
            Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => Ok(()),
            result => result.map(drop),
        },
    }
}

/// `getsockopt`: the value is put into `value`, and its length given.
pub fn get(socket: &Socket, level: c_int, name: c_int, value: &mut [u8]) -> io::Result<usize> {
    let known = match (level, name) {
        (libc::SOL_SOCKET, libc::SO_DOMAIN) => libc::AF_INET,
        (libc::SOL_SOCKET, libc::SO_TYPE) if socket.is_stream() => libc::SOCK_STREAM,
        (libc::SOL_SOCKET, libc::SO_TYPE) => libc::SOCK_DGRAM,
        (libc::SOL_SOCKET, libc::SO_ERROR) => 0,
        (libc::SOL_SOCKET, _) => return socket.call(value, verb::GET_SOCK_OPT, name),
        _ => return socket.call_at(value, verb::GET_SOCK_OPT, name, level),
    };
    let known = known.to_ne_bytes();
    let count = known.len().min(value.len());
    value[..count].copy_from_slice(&known[..count]);
    Ok(count)
}

/// Writes a `timespec`, as Redox has it.
fn set_timeout(socket: &Socket, path: &str, value: &[u8]) -> io::Result<()> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let (seconds, rest) = value.split_first_chunk::<8>().ok_or_else(invalid)?;
    let microseconds = rest.first_chunk::<8>().filter(|_| value.len() >= size_of::<timeval>());
    let nanoseconds = i64::from_ne_bytes(*microseconds.ok_or_else(invalid)?).saturating_mul(1000);
    let nanoseconds = i32::try_from(nanoseconds).map_err(|_| invalid())?;
    let text = [&seconds[..], &nanoseconds.to_ne_bytes(), &[0; 4]].concat();
    socket.write_aside(path, &text).map(drop)
}
