//! Servers on the host's loopback, which the guest reaches as 10.0.2.2.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{process, thread};

use probe::data::{Random, Sum};
use rustix::net::{self, AddressFamily, SocketType};

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long bytes may be on their way before they count as lost.
const LOST: Duration = Duration::from_secs(3);

/// Serves `GET /BYTES/SEED` with that many bytes, and takes any `PUT`, which it answers with the length and SHA-256
/// of what it got: as much as `Content-Length` says, or all up to the end. `CALL /COUNT/PORT` makes it connect to
/// that port of the loopback so many times ([`call`]), and `BURST` does it at once ([`burst`]). Gives its address; it ends with the process.
pub fn web() -> io::Result<SocketAddr> {
    web_at((Ipv4Addr::LOCALHOST, 0).into())
}

/// The same at this address.
pub fn web_at(address: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that goes is seen in the test.
            thread::spawn(move || answer(&client));
        }
    });
    Ok(address)
}

fn answer(client: &TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut request = BufReader::new(client);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let length = content_length(&mut request)?;
    let mut words = first.split(['/', ' ']).filter(|word| !word.is_empty());
    match (words.next(), words.next().map(str::parse), words.next().map(str::parse)) {
        (Some("GET"), Some(Ok(bytes)), Some(Ok(seed))) => {
            write_header(client, bytes)?;
            let mut body = BufReader::with_capacity(65536, Random::new(seed)).take(bytes);
            io::copy(&mut body, &mut &*client).map(drop)
        }
        (Some("PUT"), ..) => write_text(client, &sum(request.take(length.unwrap_or(u64::MAX)))?),
        (Some(kind @ ("CALL" | "BURST")), Some(Ok(count)), Some(Ok(port))) => {
            let port = u16::try_from(port).map_err(io::Error::other)?;
            let call = if kind == "CALL" { call } else { burst };
            write_text(client, &call(port, count)?.to_string())
        }
        _ => (&*client).write_all(b"HTTP/1.0 404 Not Found\r\n\r\n"),
    }
}

fn write_text(mut client: &TcpStream, text: &str) -> io::Result<()> {
    write_header(client, text.len() as u64)?;
    client.write_all(text.as_bytes())
}

fn write_header(mut client: &TcpStream, length: u64) -> io::Result<()> {
    write!(client, "HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n")
}

/// Reads the header's lines; the length that they tell, if they do.
fn content_length(request: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if request.read_line(&mut line)? == 0 || line == "\r\n" {
            return Ok(length);
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().ok();
        }
    }
}

fn sum(mut body: impl Read) -> io::Result<String> {
    let mut sum = Sum::default();
    let mut buffer = vec![0; 65536];
    loop {
        match body.read(&mut buffer)? {
            0 => return Ok(sum.finish()),
            count => sum.add(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// Opens that many connections, each once the one before has sent its number back (4 bytes), and keeps all of them
/// until then. Gives how many numbers came back.
fn call(port: u16, count: u64) -> io::Result<usize> {
    let mut connections = Vec::new();
    for number in (0..count).map(|number| (number as u32).to_be_bytes()) {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(&number)?;
        let mut answer = [0; 4];
        connection.read_exact(&mut answer)?;
        if answer == number {
            connections.push(connection);
        }
    }
    Ok(connections.len())
}

/// Opens that many connections before the number of any is sent. Gives how many numbers came back.
fn burst(port: u16, count: u64) -> io::Result<usize> {
    let connections = (0..count).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    let connections: Vec<_> = connections.collect::<io::Result<_>>()?;
    for (mut connection, number) in connections.iter().zip(0_u32..) {
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(&number.to_be_bytes())?;
    }
    let mut answered = 0;
    for (mut connection, number) in connections.iter().zip(0_u32..) {
        let mut answer = [0; 4];
        connection.read_exact(&mut answer)?;
        answered += usize::from(answer == number.to_be_bytes());
    }
    Ok(answered)
}

/// Sends every datagram back. Gives its address; it ends with the process.
pub fn udp_echo() -> io::Result<SocketAddr> {
    udp_echo_at((Ipv4Addr::LOCALHOST, 0).into())
}

/// The same at this address.
pub fn udp_echo_at(address: SocketAddr) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind(address)?;
    let address = socket.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        let mut datagram = [0; 65536];
        loop {
            let (length, client) = socket.recv_from(&mut datagram)?;
            socket.send_to(datagram.get(..length).unwrap_or_default(), client)?;
        }
    });
    Ok(address)
}

/// Gives and takes bytes that mean nothing, as fast as the client does: `give BYTES` is answered with so many, and
/// `take BYTES` is followed by so many, whose number is the answer (8 bytes, big-endian) once they have come or
/// [`LOST`] is over without one. `call PORT COUNT` makes it connect to that port of the client's so many times, each once
/// the connection before has ended. Gives its address; it ends with the process.
pub fn stream() -> io::Result<SocketAddr> {
    stream_at((Ipv4Addr::LOCALHOST, 0).into())
}

/// The same at this address.
pub fn stream_at(address: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that goes is seen in what it measured.
            thread::spawn(move || exchange(&client));
        }
    });
    Ok(address)
}

fn exchange(client: &TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut request = BufReader::with_capacity(65536, client);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut words = first.split_whitespace();
    match (words.next(), words.next().map(str::parse), words.next().map(str::parse::<u64>)) {
        (Some("give"), Some(Ok(bytes)), None) => {
            io::copy(&mut BufReader::with_capacity(65536, io::repeat(0x55)).take(bytes), &mut &*client)?;
            // Until the client has had enough.
            request.read(&mut [0]).map(drop)
        }
        (Some("take"), Some(Ok(bytes)), None) => {
            client.set_read_timeout(Some(LOST))?;
            let arrived = count(&mut request.take(bytes));
            (&*client).write_all(&arrived.to_be_bytes())
        }
        (Some("call"), Some(Ok(port)), Some(Ok(count))) => {
            let port = u16::try_from(port).map_err(io::Error::other)?;
            (0..count).try_for_each(|_| sit_through((client.peer_addr()?.ip(), port).into()))
        }
        _ => Err(io::Error::other(format!("the request {first:?} is unknown"))),
    }
}

/// Connects, and stays until the other end goes.
fn sit_through(address: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    io::copy(&mut connection, &mut io::sink()).map(drop)
}

/// How many bytes come.
fn count(source: &mut impl Read) -> u64 {
    let mut buffer = vec![0; 65536];
    let mut count = 0;
    while let Ok(more @ 1..) = source.read(&mut buffer) {
        count += more as u64;
    }
    count
}

/// A TCP port of the host's loopback that refuses: it is taken, so that no other program gets it, and nobody listens.
#[derive(Debug)]
pub struct ClosedPort {
    number: u16,
    _socket: OwnedFd,
}

impl ClosedPort {
    /// Takes one, for as long as this lives.
    pub fn take() -> io::Result<Self> {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
        net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let number = SocketAddrV4::try_from(net::getsockname(&socket)?)?.port();
        Ok(Self { number, _socket: socket })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// A port of the host's loopback that is free for TCP and UDP, for a program that takes it later: no other call here
/// gives it, and no system gives it to who asks for any.
pub fn free_port() -> io::Result<u16> {
    const FIRST: u32 = 10_000;
    /// Up to where Linux begins with those that it chooses itself (ip_local_port_range).
    const COUNT: u32 = 22_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);

    // Processes beside this one begin elsewhere.
    let start = process::id().wrapping_mul(97);
    let candidates = (0..COUNT).map(|_| {
        let number = start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST;
        (Ipv4Addr::LOCALHOST, number as u16)
    });
    let mut free = candidates.filter(|&at| TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok());
    free.next().map(|(_, number)| number).ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(server: SocketAddr, request: &[u8]) -> String {
        let mut socket = TcpStream::connect(server).unwrap();
        socket.write_all(request).unwrap();
        let mut answer = String::new();
        // A body of random bytes is no text; the tests' are short ones of the server's.
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn an_upload_is_answered_with_its_sum() {
        let answer = exchange(web().unwrap(), b"PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc");
        assert!(
            answer.ends_with("\r\n\r\n3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }

    #[test]
    fn a_page_has_the_bytes_of_its_seed() {
        let mut socket = TcpStream::connect(web().unwrap()).unwrap();
        socket.write_all(b"GET /1000/7 HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = BufReader::new(socket);
        assert_eq!(content_length(&mut answer).unwrap(), Some(1000));
        assert_eq!(sum(answer).unwrap(), probe::data::sum_of(7, 1000).unwrap());
    }

    #[test]
    fn bytes_that_mean_nothing_are_given_and_counted() {
        let server = stream().unwrap();
        let mut socket = TcpStream::connect(server).unwrap();
        socket.write_all(b"give 100000\n").unwrap();
        assert_eq!(count(&mut (&socket).take(100_000)), 100_000);
        let mut socket = TcpStream::connect(server).unwrap();
        socket.write_all(b"take 70000\n").unwrap();
        socket.write_all(&[0; 70_000]).unwrap();
        let mut arrived = [0; 8];
        socket.read_exact(&mut arrived).unwrap();
        assert_eq!(u64::from_be_bytes(arrived), 70_000);
    }

    #[test]
    fn who_asks_to_be_called_is_called_again_and_again() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut control = TcpStream::connect(stream().unwrap()).unwrap();
        writeln!(control, "call {} 3", listener.local_addr().unwrap().port()).unwrap();
        for _ in 0..3 {
            drop(listener.accept().unwrap());
        }
        assert_eq!(control.read(&mut [0]).unwrap(), 0, "that was all");
    }

    #[test]
    fn what_is_not_there_is_404() {
        assert!(exchange(web().unwrap(), b"GET /nothing HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 404"));
    }

    #[test]
    fn a_closed_port_refuses_and_is_nobody_else_s() {
        let closed = ClosedPort::take().unwrap();
        let at = (Ipv4Addr::LOCALHOST, closed.number());
        assert_eq!(TcpStream::connect(at).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(TcpListener::bind(at).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn free_ports_are_free_and_differ() {
        let [one, other] = [(); 2].map(|()| free_port().unwrap());
        assert_ne!(one, other);
        TcpListener::bind((Ipv4Addr::LOCALHOST, one)).unwrap();
        UdpSocket::bind((Ipv4Addr::LOCALHOST, one)).unwrap();
    }
}
