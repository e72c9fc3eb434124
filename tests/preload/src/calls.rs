//! The C library's socket calls.
//!
//! Each asks the kernel first. Only what that does not take for a socket (`ENOTSOCK`) can be netd's.

use std::io;
use std::ptr;
use std::slice;

use libc::{
    c_int, c_long, c_uint, c_ulong, c_void, iovec, mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t,
    syscall, timespec,
};

use crate::socket::{self, Socket};
use crate::{address, message, options};

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or_default()
}

fn fail(errno: c_int) -> c_long {
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// A result as C has it.
fn answer(result: io::Result<c_long>) -> c_long {
    result.unwrap_or_else(|error| fail(error.raw_os_error().unwrap_or(libc::EIO)))
}

/// The kernel's result, unless it says that `fd` is no socket; then that of `ours`, if it is one of netd's.
fn kernel_or(result: c_long, fd: c_int, ours: impl FnOnce(&Socket) -> io::Result<c_long>) -> c_long {
    if result == -1 && errno() == libc::ENOTSOCK {
        return answer(Socket::of(fd).and_then(|socket| ours(&socket)));
    }
    result
}

/// Raises `SIGPIPE` where the kernel would for a socket of its own.
fn signal_broken_pipe(result: c_long, fd: c_int) -> c_long {
    if result == -1 && errno() == libc::EPIPE {
        if Socket::of(fd).is_ok_and(|socket| socket.is_stream()) {
            // SAFETY: nothing but a number is given.
            unsafe { libc::raise(libc::SIGPIPE) };
        }
        return fail(libc::EPIPE);
    }
    result
}

/// The bytes that a program gives.
///
/// # Safety
/// `length` bytes can be read at `data` for as long as they are used.
unsafe fn given<'a>(data: *const c_void, length: size_t) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts(data.cast(), length) }
}

/// The room that a program gives.
///
/// # Safety
/// `length` bytes can be written at `data` for as long as they are used, and nobody else does.
unsafe fn room<'a>(data: *mut c_void, length: size_t) -> &'a mut [u8] {
    if data.is_null() {
        return &mut [];
    }
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts_mut(data.cast(), length) }
}

/// Defines calls of the C library's.
///
/// They are as safe as the C library's own: the pointers that a program gives must be what its manual asks for.
macro_rules! calls {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($($argument: $type),*) -> $result {
                // SAFETY: the program's pointers are what the C library's manual asks for.
                (unsafe { $body }) as $result
            }
        )*
    };
}

calls! {
    /// Opens the scheme's root.
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
        match domain {
            libc::AF_INET => answer(socket::open(kind).map(c_long::from)),
            libc::AF_INET6 => fail(libc::EAFNOSUPPORT),
            _ => syscall(libc::SYS_socket, domain, kind, protocol),
        }
    }

    /// `dup` with `/ADDRESS`.
    fn bind(fd: c_int, to: *const sockaddr, length: socklen_t) -> c_int {
        kernel_or(syscall(libc::SYS_bind, fd, to, length), fd, |socket| {
            let address = address::read(to, length)?.ok_or(io::Error::from_raw_os_error(libc::EAFNOSUPPORT))?;
            socket.bind(address).map(|()| 0)
        })
    }

    /// `dup` with `ADDRESS`.
    fn connect(fd: c_int, to: *const sockaddr, length: socklen_t) -> c_int {
        kernel_or(syscall(libc::SYS_connect, fd, to, length), fd, |socket| {
            socket.connect(address::read(to, length)?).map(|()| 0)
        })
    }

    /// Nothing: whoever is bound listens.
    fn listen(fd: c_int, backlog: c_int) -> c_int {
        kernel_or(syscall(libc::SYS_listen, fd, backlog), fd, |_| Ok(0))
    }

    /// `dup` with `listen`.
    fn accept(fd: c_int, from: *mut sockaddr, length: *mut socklen_t) -> c_int {
        c_long::from(accept4(fd, from, length, 0))
    }

    /// `dup` with `listen`.
    fn accept4(fd: c_int, from: *mut sockaddr, length: *mut socklen_t, flags: c_int) -> c_int {
        kernel_or(syscall(libc::SYS_accept4, fd, from, length, flags), fd, |socket| {
            let (connection, peer) = socket.accept(flags)?;
            address::write(peer, from, length);
            Ok(connection.into())
        })
    }

    /// The second end in the path.
    fn getsockname(fd: c_int, to: *mut sockaddr, length: *mut socklen_t) -> c_int {
        kernel_or(syscall(libc::SYS_getsockname, fd, to, length), fd, |socket| {
            address::write(socket.local()?, to, length);
            Ok(0)
        })
    }

    /// `GetPeerName`.
    fn getpeername(fd: c_int, to: *mut sockaddr, length: *mut socklen_t) -> c_int {
        kernel_or(syscall(libc::SYS_getpeername, fd, to, length), fd, |socket| {
            address::write(socket.peer()?, to, length);
            Ok(0)
        })
    }

    /// `Shutdown`.
    fn shutdown(fd: c_int, how: c_int) -> c_int {
        kernel_or(syscall(libc::SYS_shutdown, fd, how), fd, |socket| socket.shut_down(how).map(|()| 0))
    }

    /// `GetSockOpt`, where libc does not know.
    fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, length: *mut socklen_t) -> c_int {
        let result = syscall(libc::SYS_getsockopt, fd, level, name, value, length);
        kernel_or(result, fd, |socket| {
            let count = options::get(socket, level, name, room(value, *length as usize))?;
            *length = count as socklen_t;
            Ok(0)
        })
    }

    /// `SetSockOpt`, where it is not a timeout.
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: socklen_t) -> c_int {
        let result = syscall(libc::SYS_setsockopt, fd, level, name, value, length);
        kernel_or(result, fd, |socket| {
            options::set(socket, level, name, given(value, length as usize)).map(|()| 0)
        })
    }

    /// A write, or `SendMsg`.
    fn send(fd: c_int, data: *const c_void, length: size_t, flags: c_int) -> ssize_t {
        sendto(fd, data, length, flags, ptr::null(), 0) as c_long
    }

    /// A write, `SendMsg`, or a `dup` with the destination that is written to.
    fn sendto(
        fd: c_int, data: *const c_void, length: size_t, flags: c_int, to: *const sockaddr, to_length: socklen_t
    ) -> ssize_t {
        let result = syscall(libc::SYS_sendto, fd, data, length, flags, to, to_length);
        let result = kernel_or(result, fd, |socket| {
            let data = given(data, length);
            let sent = match (to.is_null(), flags & !libc::MSG_NOSIGNAL) {
                (false, _) => match address::read(to, to_length)? {
                    Some(to) => socket.send_to(data, to),
                    None => Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
                },
                (true, 0) => plain(syscall(libc::SYS_write, fd, data.as_ptr(), data.len())),
                (true, _) => message::send(socket, data, flags),
            };
            sent.map(|count| count as c_long)
        });
        if flags & libc::MSG_NOSIGNAL != 0 { result } else { signal_broken_pipe(result, fd) }
    }

    /// `SendMsg`.
    fn sendmsg(fd: c_int, from: *const msghdr, flags: c_int) -> ssize_t {
        let result = kernel_or(syscall(libc::SYS_sendmsg, fd, from, flags), fd, |socket| {
            let parts: Vec<&[u8]> = parts(from).iter().map(|part| given(part.iov_base, part.iov_len)).collect();
            message::send(socket, &parts.concat(), flags).map(|count| count as c_long)
        });
        if flags & libc::MSG_NOSIGNAL != 0 { result } else { signal_broken_pipe(result, fd) }
    }

    /// relibc has no such call.
    fn sendmmsg(fd: c_int, from: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int {
        let result = syscall(libc::SYS_sendmmsg, fd, from, count, flags);
        kernel_or(result, fd, |_| Err(io::Error::from_raw_os_error(libc::ENOSYS)))
    }

    /// A read, or `RecvMsg`.
    fn recv(fd: c_int, data: *mut c_void, length: size_t, flags: c_int) -> ssize_t {
        recvfrom(fd, data, length, flags, ptr::null_mut(), ptr::null_mut()) as c_long
    }

    /// A read, or `RecvMsg`.
    fn recvfrom(
        fd: c_int, data: *mut c_void, length: size_t, flags: c_int, from: *mut sockaddr, from_length: *mut socklen_t
    ) -> ssize_t {
        let result = syscall(libc::SYS_recvfrom, fd, data, length, flags, from, from_length);
        kernel_or(result, fd, |socket| {
            if flags == 0 && from.is_null() {
                return plain(syscall(libc::SYS_read, fd, data, length)).map(|count| count as c_long);
            }
            let message = message::receive(socket, length, flags)?;
            let count = scatter(&message.data, &[iovec { iov_base: data, iov_len: length }]);
            if let Some(sender) = message.sender {
                address::write(sender, from, from_length);
            }
            Ok(count as c_long)
        })
    }

    /// `RecvMsg`.
    fn recvmsg(fd: c_int, to: *mut msghdr, flags: c_int) -> ssize_t {
        kernel_or(syscall(libc::SYS_recvmsg, fd, to, flags), fd, |socket| {
            let parts = parts(to);
            let message = message::receive(socket, parts.iter().map(|part| part.iov_len).sum(), flags)?;
            if let Some(sender) = message.sender {
                address::write(sender, (*to).msg_name.cast(), &raw mut (*to).msg_namelen);
            }
            (*to).msg_controllen = 0;
            (*to).msg_flags = if message.truncated { libc::MSG_TRUNC } else { 0 };
            Ok(scatter(&message.data, parts) as c_long)
        })
    }

    /// relibc has no such call.
    fn recvmmsg(fd: c_int, to: *mut mmsghdr, count: c_uint, flags: c_int, limit: *mut timespec) -> c_int {
        let result = syscall(libc::SYS_recvmmsg, fd, to, count, flags, limit);
        kernel_or(result, fd, |_| Err(io::Error::from_raw_os_error(libc::ENOSYS)))
    }

    /// `recv` in programs that were compiled with checks.
    fn __recv_chk(fd: c_int, data: *mut c_void, length: size_t, _room: size_t, flags: c_int) -> ssize_t {
        recv(fd, data, length, flags) as c_long
    }

    /// `recvfrom` in programs that were compiled with checks.
    fn __recvfrom_chk(
        fd: c_int, data: *mut c_void, length: size_t, _room: size_t, flags: c_int, from: *mut sockaddr,
        from_length: *mut socklen_t
    ) -> ssize_t {
        recvfrom(fd, data, length, flags, from, from_length) as c_long
    }

    /// The kernel's, with the signal that relibc raises.
    fn write(fd: c_int, data: *const c_void, length: size_t) -> ssize_t {
        signal_broken_pipe(syscall(libc::SYS_write, fd, data, length), fd)
    }

    /// The kernel's, with the signal that relibc raises.
    fn writev(fd: c_int, from: *const iovec, count: c_int) -> ssize_t {
        signal_broken_pipe(syscall(libc::SYS_writev, fd, from, count), fd)
    }

    /// The kernel's; but relibc knows no `FIONREAD`.
    fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
        if request == libc::FIONREAD && Socket::of(fd).is_ok() { fail(libc::EINVAL) }
        else { syscall(libc::SYS_ioctl, fd, request, argument) }
    }
}

/// A count, or the error behind -1.
fn plain(result: c_long) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// A message's parts.
///
/// # Safety
/// `message` points to one.
unsafe fn parts<'a>(message: *const msghdr) -> &'a [iovec] {
    // SAFETY: as the caller promises.
    unsafe {
        let (parts, count) = ((*message).msg_iov, (*message).msg_iovlen);
        if parts.is_null() { &[] } else { slice::from_raw_parts(parts, count) }
    }
}

/// Distributes `bytes`, and gives how many there was room for.
///
/// # Safety
/// The parts can be written to.
unsafe fn scatter(bytes: &[u8], parts: &[iovec]) -> usize {
    let mut rest = bytes;
    for part in parts {
        let count = rest.len().min(part.iov_len);
        let (here, later) = rest.split_at(count);
        // SAFETY: as the caller promises.
        unsafe { room(part.iov_base, count) }.copy_from_slice(here);
        rest = later;
    }
    bytes.len() - rest.len()
}
