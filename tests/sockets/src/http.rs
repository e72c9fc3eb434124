//! As much of HTTP/1.0 as the peer speaks.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::Peer;

/// No header of the peer's is longer, in bytes.
const LONGEST_HEADER: usize = 1024;

/// Sends a request to the peer; its body, if it has one, may follow.
pub fn request(peer: &Peer, text: &str, length: Option<u64>) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect((peer.host, peer.web))?;
    send(&mut socket, text, length)?;
    Ok(socket)
}

/// Sends a request over a connection that is there.
pub fn send(socket: &mut TcpStream, text: &str, length: Option<u64>) -> io::Result<()> {
    let length = length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
    socket.write_all(format!("{text} HTTP/1.0\r\n{length}\r\n").as_bytes())
}

/// Reads an answer up to its body, byte by byte, so that the body stays where it is.
pub fn skip_header(socket: &mut TcpStream) -> io::Result<()> {
    let mut header = Vec::new();
    let mut byte = [0];
    while !header.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        header.extend(byte);
        if header.len() > LONGEST_HEADER {
            return Err(io::Error::other("the answer's header does not end"));
        }
    }
    if !header.starts_with(b"HTTP/1.0 200 ") {
        return Err(io::Error::other(format!("the answer is {:?}", String::from_utf8_lossy(&header))));
    }
    Ok(())
}

/// The body of an answer that is text, up to the connection's end.
pub fn text(socket: &mut TcpStream) -> io::Result<String> {
    skip_header(socket)?;
    let mut text = String::new();
    socket.read_to_string(&mut text)?;
    Ok(text)
}
