//! The stack's errors as Redox's numbers.

use scheme::Error;
use scheme::errno;

use crate::stack::SocketError;

/// The one conversion, at the schemes' edge.
pub fn errno(error: SocketError) -> Error {
    Error::new(match error {
        SocketError::WouldBlock => errno::EAGAIN,
        SocketError::AddressInUse(_) | SocketError::AlreadyMember(_) => errno::EADDRINUSE,
        SocketError::PortsExhausted | SocketError::AddressNotAvailable(_) | SocketError::NotAMember(_) => {
            errno::EADDRNOTAVAIL
        }
        SocketError::TooManyGroups(_) => errno::ENOBUFS,
        SocketError::NoSuchInterface => errno::ENODEV,
        SocketError::InvalidDestination(_) | SocketError::NotAGroup(_) | SocketError::Malformed => {
            errno::EINVAL
        }
        SocketError::BroadcastRefused => errno::EACCES,
        SocketError::NetworkUnreachable(_) => errno::ENETUNREACH,
        SocketError::HostUnreachable => errno::EHOSTUNREACH,
        SocketError::ConnectionRefused => errno::ECONNREFUSED,
        SocketError::ConnectionReset => errno::ECONNRESET,
        SocketError::TimedOut => errno::ETIMEDOUT,
        SocketError::NotConnected => errno::ENOTCONN,
        SocketError::Closed => errno::EPIPE,
        SocketError::MessageTooLong { .. } => errno::EMSGSIZE,
        SocketError::NoSuchSocket => errno::EBADF,
    })
}
