//! What UDP sockets must do.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use probe::data::Random;

use crate::{Outcome, Peer, equal};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many bytes a datagram may have so that it fits into one Ethernet frame.
const LONGEST: usize = 1472;

/// Datagrams there and back, from a socket that may hear anybody and from one that is connected.
pub fn both_ways(peer: &Peer) -> Outcome {
    let socket = socket()?;
    let to = SocketAddr::from((peer.host, peer.echo));
    let mut buffer = [0; 2048];
    for (seed, size) in (0..).zip([1, 100, 512, 1024, LONGEST].into_iter().cycle().take(50)) {
        let sent = datagram(seed, size)?;
        equal("bytes sent", socket.send_to(&sent, to)?, size)?;
        let (length, from) = socket.recv_from(&mut buffer).map_err(no_answer(size))?;
        equal("the sender", from, to)?;
        equal("what came back", buffer.get(..length), Some(&sent))?;
    }
    socket.connect(to)?;
    exchange(&socket)
}

/// A buffer that is too short gets the beginning; the rest is gone, and the next datagram comes whole.
pub fn short_buffer(peer: &Peer) -> Outcome {
    let socket = socket()?;
    socket.connect((peer.host, peer.echo))?;
    let long = datagram(1, 100)?;
    socket.send(&long)?;
    let mut short = [0; 10];
    equal("the length of the first", socket.recv(&mut short).map_err(no_answer(100))?, short.len())?;
    equal("the first", Some(&short[..]), long.get(..short.len()))?;
    let next = datagram(2, 20)?;
    socket.send(&next)?;
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).map_err(no_answer(20))?;
    equal("the next", buffer.get(..length), Some(&next))
}

/// More than a datagram can carry is refused, and the socket goes on.
pub fn too_long(peer: &Peer) -> Outcome {
    let socket = socket()?;
    socket.connect((peer.host, peer.echo))?;
    for size in [65_508, 200_000] {
        let result = socket.send(&datagram(1, size)?);
        equal("that it is refused", result.is_err(), true)?;
    }
    exchange(&socket)
}

/// A socket that is bound keeps its port when it is connected.
pub fn bound_and_connected(peer: &Peer) -> Outcome {
    let socket = socket()?;
    let port = socket.local_addr()?.port();
    socket.connect((peer.host, peer.echo))?;
    equal("its port", socket.local_addr()?.port(), port)?;
    exchange(&socket)
}

/// Ports are given back, and which comes next cannot be told from the last.
pub fn ports(peer: &Peer) -> Outcome {
    let mut ports = Vec::new();
    for count in 0..MORE_THAN_PORTS {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
            .map_err(|error| format!("socket {count}: {error}"))?;
        ports.push(socket.local_addr()?.port());
    }
    let steps = ports.windows(2).filter(|pair| matches!(pair, [one, next] if next.wrapping_sub(*one) == 1));
    equal("that most ports do not follow the last", steps.count() < ports.len() / 2, true)?;
    let socket = socket()?;
    socket.connect((peer.host, peer.echo))?;
    exchange(&socket)
}

/// A datagram there and back over a connected socket.
fn exchange(socket: &UdpSocket) -> Outcome {
    let sent = datagram(3, 100)?;
    socket.send(&sent)?;
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).map_err(no_answer(100))?;
    equal("what came back", buffer.get(..length), Some(&sent))
}

fn socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// More sockets than there are ports for those that ask for none (49152 to 65535).
const MORE_THAN_PORTS: usize = 17_000;

fn datagram(seed: u64, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    Random::new(seed).read_exact(&mut bytes)?;
    Ok(bytes)
}

fn no_answer(size: usize) -> impl Fn(io::Error) -> String {
    move |error| format!("no answer to {size} bytes: {error}")
}
