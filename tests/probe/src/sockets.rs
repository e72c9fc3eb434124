//! Clients and servers over the schemes of netd.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use probe::data::{Random, Sum};
use probe::dns;
use scheme::client::{self, OpenOptions};

type Result = std::result::Result<(), Box<dyn Error>>;

/// Reading and writing, waiting for either.
const BLOCKING: OpenOptions = OpenOptions { read: true, write: true, nonblocking: false };

/// Reading and writing, waiting for neither.
const NONBLOCKING: OpenOptions = OpenOptions { nonblocking: true, ..BLOCKING };

fn open(scheme: &str, path: &str) -> io::Result<File> {
    open_with(scheme, path, BLOCKING)
}

fn open_with(scheme: &str, path: &str, options: OpenOptions) -> io::Result<File> {
    client::open(scheme, path, options).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot open /scheme/{scheme}/{path}: {error}"))
    })
}

/// Fetches `path` by HTTP/1.0 and prints the body's length and SHA-256.
pub fn fetch(server: &str, path: &str) -> Result {
    let mut socket = open("tcp", server)?;
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n")?;
    let mut answer = BufReader::with_capacity(65536, socket);
    skip_header(&mut answer)?;
    let mut sum = Sum::default();
    loop {
        let bytes = answer.fill_buf()?;
        if bytes.is_empty() {
            println!("{}", sum.finish());
            return Ok(());
        }
        sum.add(bytes);
        let count = bytes.len();
        answer.consume(count);
    }
}

/// Uploads the bytes of `seed` by HTTP/1.0 and prints the body of the answer.
pub fn upload(server: &str, bytes: u64, seed: u64) -> Result {
    let mut socket = open("tcp", server)?;
    write!(socket, "PUT / HTTP/1.0\r\nHost: {server}\r\nContent-Length: {bytes}\r\n\r\n")?;
    let mut source = BufReader::with_capacity(65536, Random::new(seed)).take(bytes);
    io::copy(&mut source, &mut socket)?;
    let mut answer = BufReader::new(socket);
    skip_header(&mut answer)?;
    io::copy(&mut answer, &mut io::stdout())?;
    Ok(())
}

/// Reads an HTTP answer up to its body, and is content with nothing but 200.
fn skip_header(answer: &mut impl BufRead) -> Result {
    let mut status = String::new();
    answer.read_line(&mut status)?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("the server answered {status:?}").into());
    }
    let mut line = String::new();
    while !matches!(line.as_str(), "\r\n" | "\n") {
        line.clear();
        if answer.read_line(&mut line)? == 0 {
            return Err("the answer ends within its header".into());
        }
    }
    Ok(())
}

/// Accepts one connection on `port`, as relibc does it (`dup` of the listener with "listen").
pub fn accept(port: u16) -> Result {
    let listener = open("tcp", &format!("/0.0.0.0:{port}"))?;
    println!("listening");
    let mut connection = client::dup(&listener, b"listen")?;
    let mut reader = connection.try_clone()?;
    let count = io::copy(&mut reader, &mut connection)?;
    println!("accepted {count}");
    Ok(())
}

/// One datagram to `server` and back. Datagrams may be lost: it is sent again every second.
pub fn udp_echo(server: &str, text: &str) -> Result {
    let mut socket = open_with("udp", server, NONBLOCKING)?;
    for _ in 0..5 {
        socket.write_all(text.as_bytes())?;
        if let Some(answer) = receive(&mut socket, Duration::from_secs(1))? {
            println!("{}", String::from_utf8_lossy(&answer));
            return Ok(());
        }
    }
    Err("no answer within 5 s".into())
}

/// Asks each name server in turn, as often as datagrams may be lost.
pub fn resolve(name: &str) -> Result {
    const ID: u16 = 0x6e64;
    let servers = std::fs::read_to_string(scheme::root().join("netcfg/resolv/nameserver"))?;
    for server in std::iter::repeat_n(servers.lines(), 3).flatten() {
        let mut socket = open_with("udp", &format!("{server}:{}", dns::PORT), NONBLOCKING)?;
        socket.write_all(&dns::question(ID, name)?)?;
        if let Some(answer) = receive(&mut socket, Duration::from_secs(2))? {
            dns::addresses(ID, &answer)?.iter().for_each(|address| println!("{address}"));
            return Ok(());
        }
    }
    Err(format!("none of the name servers answers: {servers:?}").into())
}

/// Echo requests through `icmp`: each is a number (2 bytes, big-endian) and its payload, and so is the reply.
pub fn ping(address: &str, count: u16) -> Result {
    let mut socket = open_with("icmp", &format!("echo/{address}"), NONBLOCKING)?;
    for number in 1..=count {
        let mut request = number.to_be_bytes().to_vec();
        Random::new(u64::from(number)).take(56).read_to_end(&mut request)?;
        socket.write_all(&request)?;
        match receive(&mut socket, Duration::from_secs(5))? {
            Some(reply) if reply == request => {}
            Some(_) => return Err(format!("the reply to number {number} is not what was sent").into()),
            None => return Err(format!("no reply to number {number} within 5 s").into()),
        }
    }
    println!("{count} replies");
    Ok(())
}

/// One message, if it comes in time.
fn receive(socket: &mut File, limit: Duration) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + limit;
    let mut message = vec![0; 65536];
    while Instant::now() < deadline {
        match socket.read(&mut message) {
            Ok(length) => {
                message.truncate(length);
                return Ok(Some(message));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5))
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Opens and keeps.
pub fn hold(scheme: &str, path: &str) -> Result {
    let _file = open(scheme, path)?;
    println!("holding");
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
