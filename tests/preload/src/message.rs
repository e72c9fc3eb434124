//! `sendmsg` and `recvmsg`, and what else takes flags.

use std::io;
use std::net::SocketAddrV4;

use libc::c_int;
use scheme::client::MAX_PAYLOAD;

use crate::address;
use crate::socket::{Socket, verb};

const WORD: usize = size_of::<usize>();

/// How long a sender's name may be, as relibc sees it.
const NAME_ROOM: usize = 64;

/// As much as one call carries to the scheme. On Redox there is no such limit.
const MOST_SENT: usize = MAX_PAYLOAD - WORD;
const MOST_RECEIVED: usize = MAX_PAYLOAD - 2 * WORD - NAME_ROOM;

/// `sendmsg`, without a destination: relibc does not tell the scheme where to.
pub fn send(socket: &Socket, data: &[u8], flags: c_int) -> io::Result<usize> {
    let part = match data.get(..MOST_SENT) {
        Some(_) if !socket.is_stream() => return Err(io::Error::from_raw_os_error(libc::EMSGSIZE)),
        Some(part) => part,
        None => data,
    };
    let mut payload = part.len().to_ne_bytes().to_vec();
    payload.extend_from_slice(part);
    socket.call(&mut payload, verb::SEND_MSG, flags)
}

/// `recvmsg`: at most `room` bytes, and who sent them.
pub fn receive(socket: &Socket, room: usize, flags: c_int) -> io::Result<(Vec<u8>, Option<SocketAddrV4>)> {
    let room = room.min(MOST_RECEIVED);
    let mut payload = [NAME_ROOM, room, 0].map(usize::to_ne_bytes).concat();
    payload.resize((2 * WORD + NAME_ROOM + room).max(payload.len()), 0);
    let length = socket.call(&mut payload, verb::RECV_MSG, flags)?;
    payload.truncate(length);
    take_apart(&payload).ok_or_else(|| io::Error::from_raw_os_error(libc::EPROTO))
}

/// A word and the name, a word and the data.
fn take_apart(answer: &[u8]) -> Option<(Vec<u8>, Option<SocketAddrV4>)> {
    let (name, rest) = counted(answer)?;
    let (data, _) = counted(rest)?;
    Some((data.to_vec(), address::sender(std::str::from_utf8(name).ok()?)))
}

fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<WORD>()?;
    rest.split_at_checked(usize::from_ne_bytes(*count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_name_and_data_without_gaps() {
        let name = b"/scheme/udp/10.0.2.3:53";
        let answer = [&name.len().to_ne_bytes()[..], name, &5_usize.to_ne_bytes(), b"hello"].concat();
        let (data, sender) = take_apart(&answer).unwrap();
        assert_eq!((&data[..], sender), (&b"hello"[..], "10.0.2.3:53".parse().ok()));
        assert_eq!(take_apart(&answer[..answer.len() - 1]), None);
    }
}
