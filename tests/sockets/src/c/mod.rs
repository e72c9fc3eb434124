//! What C's socket calls must do, beside what std makes of them.

mod calls;

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread;
use std::time::{Duration, Instant};

use calls::Socket;
use libc::{
    MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, POLLIN, POLLOUT, SHUT_WR, SO_ERROR, SO_KEEPALIVE, SO_RCVTIMEO,
    SO_REUSEADDR, SO_TYPE, SOCK_DGRAM, SOCK_STREAM,
};

use crate::{Outcome, Peer, equal, http};

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long what must not come is waited for.
const MOMENT: Duration = Duration::from_millis(300);

/// A connection from the names of its ends to the end of its data, by messages of several parts.
pub fn stream(peer: &Peer) -> Outcome {
    let server = SocketAddrV4::new(peer.host, peer.web);
    let socket = Socket::new(SOCK_STREAM)?;
    socket.connect(server)?;
    equal("the peer's name", socket.peer()?, server)?;
    let name = socket.name()?;
    equal("that it has a name", name.ip().is_unspecified() || name.port() == 0, false)?;
    let parts = [&b"PUT / HTTP/1.0\r\n"[..], b"\r\n", b"in ", b"parts"].map(IoSlice::new);
    equal("the bytes of a message", socket.send_message(&parts)?, 16 + 2 + 8)?;
    socket.shutdown(SHUT_WR)?;
    equal("that an answer comes", socket.poll(POLLIN, PATIENCE)? & POLLIN, POLLIN)?;
    let (mut status, mut rest) = ([0; 13], [0; 1024]);
    equal("a look", socket.receive(&mut status, MSG_PEEK)?, status.len())?;
    let all =
        socket.receive_message(&mut [IoSliceMut::new(&mut status), IoSliceMut::new(&mut rest)], 0)?.length;
    equal("the status", &status, b"HTTP/1.0 200 ")?;
    equal("that more than the status came", all > status.len(), true)?;
    while socket.receive(&mut rest, 0)? > 0 {}
    let end = socket.receive_message(&mut [IoSliceMut::new(&mut rest)], 0)?.length;
    equal("a message after the end", end, 0)
}

/// A connect that does not wait is in progress, then possible to write to; one that fails says why, once.
pub fn connecting(peer: &Peer) -> Outcome {
    let socket = Socket::new(SOCK_STREAM)?;
    socket.set_nonblocking(true)?;
    in_progress(socket.connect(SocketAddrV4::new(peer.host, peer.web)))?;
    equal("that it is connected in time", socket.poll(POLLOUT, PATIENCE)? & POLLOUT, POLLOUT)?;
    equal("its error", socket.option(SO_ERROR)?, 0)?;

    let refused = Socket::new(SOCK_STREAM)?;
    refused.set_nonblocking(true)?;
    match refused.connect(SocketAddrV4::new(peer.host, peer.closed)) {
        // Nobody has to wait for an answer of one's own system.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(()),
        other => in_progress(other)?,
    }
    equal("that its failure is told", refused.poll(POLLOUT, PATIENCE)? & POLLOUT, POLLOUT)?;
    let why = match refused.option(SO_ERROR)? {
        // relibc does not ask the scheme, and says that there is no error; the next call tells it.
        0 => refused.receive(&mut [0], 0).err().and_then(|error| error.raw_os_error()),
        error => Some(error),
    };
    equal("its error", why, Some(libc::ECONNREFUSED))?;
    equal("its error, asked for again", refused.option(SO_ERROR)?, 0)
}

fn in_progress(connected: io::Result<()>) -> Outcome {
    let error = connected.err().and_then(|error| error.raw_os_error());
    equal("connecting without waiting", error, Some(libc::EINPROGRESS))
}

/// A listener is readable once somebody has called, who needs not have said anything.
pub fn listener(peer: &Peer) -> Outcome {
    let listener = Socket::new(SOCK_STREAM)?;
    listener.set_option(SO_REUSEADDR, 1)?;
    listener.bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, peer.listen))?;
    listener.listen(8)?;
    equal("its port", listener.name()?.port(), peer.listen)?;
    equal("that nobody has called", listener.poll(POLLIN, MOMENT)?, 0)?;
    listener.set_nonblocking(true)?;
    equal("accepting nobody", kind(listener.accept()), Some(ErrorKind::WouldBlock))?;

    let mut control = http::request(peer, &format!("CALL /1/{}", peer.listen), None)?;
    equal("that a call is told", listener.poll(POLLIN, PATIENCE)? & POLLIN, POLLIN)?;
    let (connection, caller) = listener.accept()?;
    equal("the caller's name", caller, connection.peer()?)?;
    connection.set_nonblocking(false)?;
    let mut number = [0; 4];
    equal("its number", connection.receive(&mut number, 0)?, 4)?;
    equal("an answer", connection.send(&number, 0)?, 4)?;
    equal("answered calls", http::text(&mut control)?, "1".to_owned())
}

/// Reading nothing says so at once for whom it is told not to wait, by either call or for once; others wait, and no
/// longer than they say.
pub fn waiting(peer: &Peer) -> Outcome {
    let socket = Socket::new(SOCK_STREAM)?;
    socket.connect(SocketAddrV4::new(peer.host, peer.web))?;
    let nothing = || kind(socket.receive(&mut [0], 0));
    equal("reading nothing once", kind(socket.receive(&mut [0], MSG_DONTWAIT)), Some(ErrorKind::WouldBlock))?;
    socket.set_nonblocking_by_ioctl(true)?;
    equal("reading nothing after FIONBIO", nothing(), Some(ErrorKind::WouldBlock))?;
    socket.set_nonblocking_by_ioctl(false)?;
    socket.set_nonblocking(true)?;
    equal("reading nothing after O_NONBLOCK", nothing(), Some(ErrorKind::WouldBlock))?;
    socket.set_nonblocking(false)?;

    socket.set_receive_timeout(MOMENT)?;
    let start = Instant::now();
    equal("reading nothing for a moment", nothing(), Some(ErrorKind::WouldBlock))?;
    equal("that the moment passed", start.elapsed() > MOMENT * 9 / 10, true)?;
    socket.set_receive_timeout(Duration::ZERO)?;

    equal("nothing to select", socket.select(MOMENT)?, false)?;
    socket.send(b"GET /10/1 HTTP/1.0\r\n\r\n", 0)?;
    equal("that an answer is selected", socket.select(PATIENCE)?, true)?;
    equal("a byte of it", socket.receive(&mut [0], 0)?, 1)
}

/// Options that are set are told; unknown ones and those of a wrong size are refused.
pub fn options(_: &Peer) -> Outcome {
    for kind in [SOCK_STREAM, SOCK_DGRAM] {
        let socket = Socket::new(kind)?;
        equal("its kind", socket.option(SO_TYPE)?, kind)?;
    }
    let socket = Socket::new(SOCK_STREAM)?;
    for option in [SO_REUSEADDR, SO_KEEPALIVE] {
        equal("at first", socket.option(option)?, 0)?;
        socket.set_option(option, 1)?;
        equal("once it is set", socket.option(option)? != 0, true)?;
    }
    equal("that a timeout is no number", socket.set_option(SO_RCVTIMEO, 1).is_err(), true)?;
    equal("that no option has such a number", socket.set_option(9999, 1).is_err(), true)
}

/// Datagrams by every pair of calls, from one who is bound to nothing at first; a short buffer is told of.
pub fn datagrams(peer: &Peer) -> Outcome {
    let echo = SocketAddrV4::new(peer.host, peer.echo);
    let socket = Socket::new(SOCK_DGRAM)?;
    equal("the bytes to an address", socket.send_to(b"who are you?", echo)?, 12)?;
    let mut buffer = [0; 64];
    equal("that an answer comes", socket.poll(POLLIN, PATIENCE)? & POLLIN, POLLIN)?;
    equal("what came back, and whence", socket.receive_from(&mut buffer)?, (12, echo))?;
    equal("what it is", buffer.get(..12), Some(&b"who are you?"[..]))?;

    socket.connect(echo)?;
    equal("the peer's name", socket.peer()?, echo)?;
    let parts = [&b"ten and "[..], b"six more"].map(IoSlice::new);
    equal("the bytes of a message", socket.send_message(&parts)?, 16)?;
    equal("that an answer comes", socket.poll(POLLIN, PATIENCE)? & POLLIN, POLLIN)?;
    let mut short = [0; 10];
    let looked = socket.receive_message(&mut [IoSliceMut::new(&mut short)], MSG_PEEK)?;
    equal("a look", (looked.length, &short), (10, b"ten and si"))?;
    let message = socket.receive_message(&mut [IoSliceMut::new(&mut short)], 0)?;
    equal("a message, and whence", (message.length, message.from), (10, echo))?;
    equal("that it did not fit", message.flags & MSG_TRUNC, MSG_TRUNC)?;
    equal("what is left", kind(socket.receive(&mut buffer, MSG_DONTWAIT)), Some(ErrorKind::WouldBlock))?;

    socket.send(b"the next", 0)?;
    thread::sleep(MOMENT);
    equal("the next", socket.receive(&mut buffer, 0)?, 8)
}

/// Who is bound to the loopback device reaches this host, as it says; there is no device of another name.
pub fn device(_: &Peer) -> Outcome {
    let receiver = Socket::new(SOCK_DGRAM)?;
    receiver.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    let sender = Socket::new(SOCK_DGRAM)?;
    let missing = sender.bind_to_device("nothing0").err().and_then(|error| error.raw_os_error());
    equal("a device that is not there", missing, Some(libc::ENODEV))?;
    sender.bind_to_device("lo")?;
    equal("the device", sender.device()?, "lo".to_owned())?;
    equal("the bytes to this host", sender.send_to(b"from lo", receiver.name()?)?, 7)?;
    let mut buffer = [0; 16];
    equal("that they arrive", receiver.poll(POLLIN, PATIENCE)? & POLLIN, POLLIN)?;
    equal("what arrives", receiver.receive(&mut buffer, 0)?, 7)
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}
