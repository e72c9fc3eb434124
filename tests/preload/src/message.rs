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

/// What `recvmsg` gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// As much of it as there was room for.
    pub data: Vec<u8>,
    /// Whether that is not all.
    pub truncated: bool,
    /// Who sent it.
    pub sender: Option<SocketAddrV4>,
}

/// `recvmsg`: at most `room` bytes, and who sent them.
pub fn receive(socket: &Socket, room: usize, flags: c_int) -> io::Result<Message> {
    let room = room.min(MOST_RECEIVED);
    let mut payload = [NAME_ROOM, room, 0].map(usize::to_ne_bytes).concat();
    payload.resize((2 * WORD + NAME_ROOM + room).max(payload.len()), 0);
    let length = socket.call(&mut payload, verb::RECV_MSG, flags)?;
    payload.truncate(length);
    take_apart(&payload, room).ok_or_else(|| io::Error::from_raw_os_error(libc::EPROTO))
}

/// A word and the name; a word, which is the whole length, and as much of the data as there was room for.
fn take_apart(answer: &[u8], room: usize) -> Option<Message> {
    let (length, rest) = word(answer)?;
    let (name, rest) = rest.split_at_checked(length)?;
    let (whole, rest) = word(rest)?;
    let data = rest.get(..whole.min(room))?.to_vec();
    let sender = address::sender(std::str::from_utf8(name).ok()?);
    Some(Message { data, truncated: whole > room, sender })
}

fn word(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<WORD>()?;
    Some((usize::from_ne_bytes(*word), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_name_and_data_without_gaps() {
        let name = b"/scheme/udp/10.0.2.3:53";
        let answer = [&name.len().to_ne_bytes()[..], name, &5_usize.to_ne_bytes(), b"hello"].concat();
        let message = take_apart(&answer, 5).unwrap();
        let sender = "10.0.2.3:53".parse().ok();
        assert_eq!(message, Message { data: b"hello".to_vec(), truncated: false, sender });
        assert_eq!(take_apart(&answer[..answer.len() - 1], 5), None);
        let message = take_apart(&answer[..answer.len() - 1], 4).unwrap();
        assert_eq!(message, Message { data: b"hell".to_vec(), truncated: true, sender });
    }
}
