//! One operation of netd's sockets, many times, beside silent connections: over the schemes, against a peer of the
//! test bed's.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::thread;

use clap::ValueEnum;
use scheme::client::{self, OpenOptions};

use crate::Outcome;
use crate::busy::Mark;

/// What is done.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Case {
    /// Bytes of TCP from the peer
    TcpReceive,
    /// Bytes of TCP to the peer
    TcpSend,
    /// Bytes of TCP from here to here
    TcpLoopback,
    /// Datagrams of 64 bytes to the peer and back
    UdpRoundTrip,
    /// Connections to the peer, one after the other
    Connect,
    /// Connections from the peer, one after the other
    Accept,
}

/// Bytes of one read or write: what programs use that care.
const CHUNK: usize = 65_536;

/// The receive buffer of a transfer, in bytes: beside few connections a socket gets more, and beside many less, if it does
/// not ask.
const BUFFER: i32 = 131_072;

/// The call that sets an option of `SOL_SOCKET`, and the option (docs/sockets.md).
const SET_OPTION: u64 = 2;
const SO_RCVBUF: u64 = 8;

/// Where connections from elsewhere are accepted.
const PORT: u16 = 7001;

/// The peer's service.
#[derive(Debug)]
pub struct Peer {
    /// Where it gives and takes bytes, and is told to call.
    pub stream: String,
    /// Where it sends datagrams back.
    pub echo: String,
    /// It is reached by Linux's own sockets, for bytes to it and from it.
    pub linux: bool,
}

impl Peer {
    /// A connection to its stream.
    fn connect(&self) -> Result<File, Box<dyn Error>> {
        match self.linux {
            true => Ok(OwnedFd::from(TcpStream::connect(&self.stream)?).into()),
            false => Ok(open("tcp", &self.stream)?),
        }
    }

    /// The same with a receive buffer of [`BUFFER`] in netd; Linux has a size for it that follows the traffic.
    fn connect_buffered(&self) -> Result<File, Box<dyn Error>> {
        if self.linux {
            return self.connect();
        }
        let unbound = open("tcp", "")?;
        client::call(&unbound, &mut BUFFER.to_ne_bytes(), &[SET_OPTION, SO_RCVBUF])?;
        Ok(client::dup(&unbound, self.stream.as_bytes())?)
    }
}

/// Does `case` so many times beside `idle` silent connections, and tells what each of these takes of netd's memory, and
/// what all of that cost.
pub fn run(peer: &Peer, case: Case, units: usize, idle: usize) -> Outcome {
    let before = Mark::now()?.memory();
    let silent = (0..idle).map(|_| open("tcp", &peer.stream)).collect::<Result<Vec<_>, _>>()?;
    println!("memory {}", Mark::now()?.memory().saturating_sub(before));
    match case {
        Case::TcpReceive => receive(peer, units),
        Case::TcpSend => send(peer, units),
        Case::TcpLoopback => loopback(units),
        Case::UdpRoundTrip => round_trips(peer, units),
        Case::Connect => connect(peer, units),
        Case::Accept => accept(peer, units),
    }?;
    drop(silent);
    Ok(())
}

fn open(scheme: &str, path: &str) -> Result<File, String> {
    let options = OpenOptions { read: true, write: true, nonblocking: false };
    client::open(scheme, path, options)
        .map_err(|error| format!("cannot open /scheme/{scheme}/{path}: {error}"))
}

fn receive(peer: &Peer, bytes: usize) -> Outcome {
    let mut socket = peer.connect_buffered()?;
    let mark = Mark::now()?;
    writeln!(socket, "give {bytes}")?;
    read(&mut socket, bytes)?;
    mark.tell()
}

fn send(peer: &Peer, bytes: usize) -> Outcome {
    let mut socket = peer.connect()?;
    writeln!(socket, "take {bytes}")?;
    let mark = Mark::now()?;
    write(&mut socket, bytes)?;
    let mut arrived = [0; 8];
    socket.read_exact(&mut arrived)?;
    match u64::from_be_bytes(arrived) {
        count if count == bytes as u64 => mark.tell(),
        count => Err(format!("of {bytes} bytes {count} have arrived").into()),
    }
}

fn loopback(bytes: usize) -> Outcome {
    let listener = open("tcp", &format!("/127.0.0.1:{PORT}"))?;
    let mut client = open("tcp", &format!("127.0.0.1:{PORT}"))?;
    let mut server = client::dup(&listener, b"listen")?;
    let mark = Mark::now()?;
    let sender = thread::spawn(move || write(&mut server, bytes).map_err(|error| error.to_string()));
    read(&mut client, bytes)?;
    mark.tell()?;
    Ok(sender.join().map_err(|_| "the sender panicked")??)
}

fn read(socket: &mut File, bytes: usize) -> Outcome {
    let mut buffer = vec![0; CHUNK];
    let mut count = 0;
    while count < bytes {
        match socket.read(&mut buffer)? {
            0 => return Err(format!("the end came after {count} bytes").into()),
            more => count += more,
        }
    }
    Ok(())
}

fn write(socket: &mut File, bytes: usize) -> Outcome {
    let buffer = vec![0x55; CHUNK];
    let mut left = bytes;
    while left > 0 {
        left -= socket.write(buffer.get(..CHUNK.min(left)).unwrap_or_default())?;
    }
    Ok(())
}

fn round_trips(peer: &Peer, count: usize) -> Outcome {
    let mut socket = open("udp", &peer.echo)?;
    let mut buffer = [0; 64];
    let mark = Mark::now()?;
    for _ in 0..count {
        socket.write_all(&[1; 64])?;
        socket.read_exact(&mut buffer)?;
    }
    mark.tell()
}

fn connect(peer: &Peer, count: usize) -> Outcome {
    let mark = Mark::now()?;
    for _ in 0..count {
        open("tcp", &peer.stream)?;
    }
    mark.tell()
}

fn accept(peer: &Peer, count: usize) -> Outcome {
    let listener = open("tcp", &format!("/0.0.0.0:{PORT}"))?;
    let mut control = open("tcp", &peer.stream)?;
    writeln!(control, "call {PORT} {count}")?;
    let mark = Mark::now()?;
    for _ in 0..count {
        client::dup(&listener, b"listen")?;
    }
    mark.tell()
}
