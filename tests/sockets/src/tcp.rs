//! What TCP streams and listeners must do.

use std::collections::BTreeSet;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use probe::data::{Random, Sum, sum_of};

use crate::{Outcome, Peer, equal, http};

/// Which bytes are sent and asked for.
const SEED: u64 = 3;

/// What is in flight when an end is the matter: less than buffers hold on the way, so that the end is there too.
const LITTLE: u64 = 50_000;

/// How many connections a listener takes.
const CALLS: usize = 50;

/// How many come at once.
const BURST: usize = 20;

/// Sends so many bytes, `size` with each write; the peer tells their length and hash.
pub fn send(peer: &Peer, bytes: u64, size: usize) -> Outcome {
    let mut socket = http::request(peer, "PUT /", Some(bytes))?;
    write(&mut socket, bytes, size)?;
    equal("what the peer got", http::text(&mut socket)?, sum_of(SEED, bytes)?)
}

/// Receives so many bytes, at most `size` with each read.
pub fn receive(peer: &Peer, bytes: u64, size: usize) -> Outcome {
    let mut socket = http::request(peer, &format!("GET /{bytes}/{SEED}"), None)?;
    http::skip_header(&mut socket)?;
    equal("what came", read(&mut socket, size)?, sum_of(SEED, bytes)?)
}

/// Ends its own direction, upon which the peer answers with the sum of all that it got.
pub fn half_close(peer: &Peer) -> Outcome {
    let mut socket = http::request(peer, "PUT /", None)?;
    write(&mut socket, LITTLE, 4096)?;
    socket.shutdown(Shutdown::Write)?;
    equal("what the peer got before the end", http::text(&mut socket)?, sum_of(SEED, LITTLE)?)
}

/// The peer has sent all and closed before the first read: first comes all of it, then the end, and that again.
pub fn end_after_data(peer: &Peer) -> Outcome {
    let mut socket = http::request(peer, &format!("GET /{LITTLE}/{SEED}"), None)?;
    thread::sleep(Duration::from_secs(1));
    http::skip_header(&mut socket)?;
    equal("what came before the end", read(&mut socket, 4096)?, sum_of(SEED, LITTLE)?)?;
    equal("a read after the end", socket.read(&mut [0])?, 0)
}

/// A port that nothing listens on refuses.
pub fn refused(peer: &Peer) -> Outcome {
    let result = TcpStream::connect((peer.host, peer.closed));
    equal("connecting", result.err().map(|error| error.kind()), Some(ErrorKind::ConnectionRefused))
}

/// A read ends at its timeout, and the connection goes on.
pub fn read_timeout(peer: &Peer) -> Outcome {
    const TIMEOUT: Duration = Duration::from_millis(500);
    let mut socket = TcpStream::connect((peer.host, peer.web))?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    let start = Instant::now();
    let result = socket.read(&mut [0]);
    let took = start.elapsed();
    match result {
        // Which of the two it is differs between systems, as std says.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
        other => return Err(format!("the read gave {other:?} after {took:?}").into()),
    }
    if took < TIMEOUT * 9 / 10 || took > TIMEOUT * 6 {
        return Err(format!("the read's timeout of {TIMEOUT:?} took {took:?}").into());
    }
    socket.set_read_timeout(None)?;
    http::send(&mut socket, &format!("GET /1000/{SEED}"), None)?;
    http::skip_header(&mut socket)?;
    equal("what came after the timeout", read(&mut socket, 4096)?, sum_of(SEED, 1000)?)
}

/// The limit on writing does not end a read.
pub fn write_timeout(peer: &Peer) -> Outcome {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let mut socket = TcpStream::connect((peer.host, peer.web))?;
    socket.set_write_timeout(Some(TIMEOUT / 10))?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    let start = Instant::now();
    let result = socket.read(&mut [0]);
    let took = start.elapsed();
    equal("the read", result.err().map(|error| error.kind()), Some(ErrorKind::WouldBlock))?;
    equal("that the read took its own limit", took > TIMEOUT * 9 / 10, true)
}

/// Accepting and reading where there is nothing yet says so at once, and what comes later is there.
pub fn nonblocking(peer: &Peer) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, peer.listen))?;
    listener.set_nonblocking(true)?;
    let nobody = listener.accept().map(drop);
    equal("accepting nobody", nobody.err().map(|error| error.kind()), Some(ErrorKind::WouldBlock))?;

    let mut socket = TcpStream::connect((peer.host, peer.web))?;
    socket.set_nonblocking(true)?;
    let nothing = socket.read(&mut [0]);
    equal("reading nothing", nothing.err().map(|error| error.kind()), Some(ErrorKind::WouldBlock))?;
    http::send(&mut socket, &format!("GET /1000/{SEED}"), None)?;
    socket.set_nonblocking(false)?;
    http::skip_header(&mut socket)?;
    equal("what came later", read(&mut socket, 4096)?, sum_of(SEED, 1000)?)
}

/// A look at what has come leaves it there, the end too.
pub fn peek(peer: &Peer) -> Outcome {
    let mut socket = http::request(peer, &format!("GET /1000/{SEED}"), None)?;
    http::skip_header(&mut socket)?;
    let (mut first, mut same) = ([0; 16], [0; 16]);
    let looked = socket.peek(&mut first)?;
    socket.read_exact(same.get_mut(..looked).unwrap_or_default())?;
    equal("what was read after a look", first.get(..looked), same.get(..looked))?;
    io::copy(&mut socket, &mut io::sink())?;
    equal("a look at the end", socket.peek(&mut first)?, 0)
}

/// Connections that all come before the first is accepted.
pub fn burst(peer: &Peer) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, peer.listen))?;
    let mut control = http::request(peer, &format!("BURST /{BURST}/{}", peer.listen), None)?;
    thread::sleep(Duration::from_secs(2));
    let numbers = (0..BURST).map(|count| answer(&listener, count).map(|(number, _)| number));
    equal("different numbers", numbers.collect::<Result<BTreeSet<_>, _>>()?.len(), BURST)?;
    equal("answered calls", http::text(&mut control)?, BURST.to_string())
}

/// Takes connections that the peer opens and keeps, and sends each one's number back.
pub fn listen(peer: &Peer) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, peer.listen))?;
    let mut control = http::request(peer, &format!("CALL /{CALLS}/{}", peer.listen), None)?;
    let mut connections = Vec::new();
    let mut numbers = BTreeSet::new();
    for count in 0..CALLS {
        let (number, connection) = answer(&listener, count)?;
        numbers.insert(number);
        connections.push(connection);
    }
    equal("different numbers", numbers.len(), CALLS)?;
    equal("answered calls", http::text(&mut control)?, CALLS.to_string())
}

/// Accepts connection `count`, and sends the number back that comes over it.
fn answer(listener: &TcpListener, count: usize) -> Result<([u8; 4], TcpStream), String> {
    let at = |action| move |error| format!("connection {count}: {action}: {error}");
    let (mut connection, _) = listener.accept().map_err(at("accept"))?;
    let mut number = [0; 4];
    connection.read_exact(&mut number).map_err(at("read"))?;
    connection.write_all(&number).map_err(at("write"))?;
    Ok((number, connection))
}

fn write(socket: &mut TcpStream, bytes: u64, size: usize) -> Outcome {
    let mut source = BufReader::with_capacity(65536, Random::new(SEED)).take(bytes);
    let mut part = vec![0; size];
    let mut left = bytes;
    while left > 0 {
        let count = size.min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = part.get_mut(..count).unwrap_or_default();
        source.read_exact(part)?;
        socket.write_all(part).map_err(|error| format!("with {left} bytes left: {error}"))?;
        left -= count as u64;
    }
    Ok(())
}

/// The sum of all up to the end.
fn read(socket: &mut TcpStream, size: usize) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut sum = Sum::default();
    let mut part = vec![0; size];
    loop {
        match socket.read(&mut part)? {
            0 => return Ok(sum.finish()),
            count => sum.add(part.get(..count).unwrap_or_default()),
        }
    }
}
