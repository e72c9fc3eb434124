//! The payloads of relibc's socket calls.

use scheme::errno::{EAGAIN, EAGAIN_NOW, EAGAIN_READ, EAGAIN_WRITE, EFAULT, EINVAL, EOPNOTSUPP};
use scheme::{Error, Result};

use crate::stack::Readiness;

/// `libredox::protocol::SocketCall`: option values, messages, the peer's name, closing of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `setsockopt`; the option is what [`SocketOption::parse`](super::option::SocketOption::parse) reads.
    SetSockOpt,
    /// `getsockopt`, likewise.
    GetSockOpt,
    /// `sendmsg`; the flags are `metadata[1]`.
    SendMsg,
    /// `recvmsg`; the flags are `metadata[1]`.
    RecvMsg,
    /// `getpeername`.
    GetPeerName,
    /// `shutdown`; which is `metadata[1]`.
    Shutdown,
}

/// Flags of `recvmsg` and `sendmsg`.
const MSG_OOB: u64 = 1;
const MSG_PEEK: u64 = 2;
const MSG_DONTWAIT: u64 = 0x40;
const MSG_WAITALL: u64 = 0x100;

impl Verb {
    /// The verb and its argument.
    pub fn parse(metadata: &[u64]) -> Option<(Self, u64)> {
        let verb = match metadata.first()? {
            2 => Self::SetSockOpt,
            3 => Self::GetSockOpt,
            4 => Self::SendMsg,
            5 => Self::RecvMsg,
            8 => Self::GetPeerName,
            9 => Self::Shutdown,
            _ => return None,
        };
        Some((verb, metadata.get(1).copied().unwrap_or_default()))
    }
}

/// Whether the message stays to be read again.
pub fn is_peek(flags: u64) -> bool {
    flags & MSG_PEEK != 0
}

/// Whether all that there is room for is waited for. Who does not wait at all gets what there is.
pub fn waits_for_all(flags: u64) -> bool {
    flags & MSG_WAITALL != 0 && flags & MSG_DONTWAIT == 0
}

/// What a caller asks for whose handle does not wait: of `recvmsg` and `sendmsg`, that they do not either.
pub fn without_waiting(metadata: &[u64]) -> Vec<u64> {
    let mut metadata = metadata.to_vec();
    if let (Some((Verb::SendMsg | Verb::RecvMsg, _)), Some(flags)) =
        (Verb::parse(&metadata), metadata.get_mut(1))
    {
        *flags |= MSG_DONTWAIT;
    }
    metadata
}

/// What `recvmsg` waits for; with `MSG_DONTWAIT`, waiting is not even for a blocking handle.
pub fn until_readable(error: Error, flags: u64) -> Error {
    waiting(error, flags, EAGAIN_READ)
}

/// As [`until_readable`], of `sendmsg`.
pub fn until_writable(error: Error, flags: u64) -> Error {
    waiting(error, flags, EAGAIN_WRITE)
}

fn waiting(error: Error, flags: u64, until: i32) -> Error {
    match error.errno {
        EAGAIN if flags & MSG_DONTWAIT != 0 => Error::new(EAGAIN_NOW),
        EAGAIN => Error::new(until),
        _ => error,
    }
}

/// Refuses urgent data, which nothing here sends or receives.
pub fn check_flags(flags: u64) -> Result<()> {
    match flags & MSG_OOB {
        0 => Ok(()),
        _ => Err(Error::new(EOPNOTSUPP)),
    }
}

/// How many bytes `recvmsg` has room for.
pub fn room(payload: &[u8]) -> Result<usize> {
    word(payload, 1)
}

/// `recvmsg`: the caller says how much it takes (name, data, ancillary; three words), and gets a word and the
/// name, a word and the data, without gaps. `name` is the sender's path, and `receive` fills the data, giving their
/// number and that of the whole message, which the word says: relibc makes `MSG_TRUNC` of it. The request stays as it
/// was until there are some.
pub fn receive(
    payload: &mut [u8],
    name: impl FnOnce() -> String,
    receive: impl FnOnce(&mut [u8]) -> Result<(usize, usize)>,
) -> Result<usize> {
    let (name_room, data_room) = (word(payload, 0)?, word(payload, 1)?);
    let name = if name_room == 0 { String::new() } else { name() };
    let head = 2 * size_of::<usize>() + name.len();
    let data = payload.get_mut(head..).ok_or(Error::new(EFAULT))?;
    let room = data_room.min(data.len());
    let (count, length) = receive(data.get_mut(..room).unwrap_or_default())?;
    let mut answer = name.len().to_ne_bytes().to_vec();
    answer.extend_from_slice(name.as_bytes());
    answer.extend_from_slice(&length.to_ne_bytes());
    super::socket_scheme::put(&answer, payload)?;
    Ok(head + count)
}

/// The directions of `shutdown`: POSIX's SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2.
pub fn directions(how: u64) -> Result<Readiness> {
    match how {
        0 => Ok(Readiness::READ),
        1 => Ok(Readiness::WRITE),
        2 => Ok(Readiness::BOTH),
        _ => Err(Error::new(EINVAL)),
    }
}

/// `sendmsg`: a word and the data; ancillary data, of which nothing is known here, follows.
pub fn to_send(payload: &[u8]) -> Result<&[u8]> {
    let length = word(payload, 0)?;
    payload.get(size_of::<usize>()..).and_then(|rest| rest.get(..length)).ok_or(Error::new(EINVAL))
}

fn word(payload: &[u8], index: usize) -> Result<usize> {
    const SIZE: usize = size_of::<usize>();
    let bytes = payload.get(index * SIZE..).and_then(|rest| rest.first_chunk::<SIZE>());
    bytes.map(|bytes| usize::from_ne_bytes(*bytes)).ok_or(Error::new(EINVAL))
}
