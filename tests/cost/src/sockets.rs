//! UDP round trips, and bytes of TCP each way.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::measure::Mark;

/// How long the peer may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// Round trips of a batch.
const TRIPS: u16 = 100;

/// TFTP's port (RFC 1350), two of its operations, and how long the header of a block is.
const TFTP: u16 = 69;
const DATA: u16 = 3;
const ACK: u16 = 4;
const BLOCK_HEADER: usize = 4;

/// Bytes of a batch.
const BYTES: usize = 2_000_000;

/// Measures all of it, in as many batches each.
pub fn run(host: Ipv4Addr, file: &str, stream: u16, batches: u16) -> Outcome {
    for size in [64, 1400] {
        let mut transfer = Transfer::begin(host, file, size)?;
        // The first ones wake what has slept.
        transfer.trips(TRIPS / 10)?;
        for _ in 0..batches {
            let mark = Mark::begin();
            transfer.trips(TRIPS)?;
            mark.tell(&format!("udp-{size}"), TRIPS.into());
        }
    }
    for (name, size) in [("4k", 4096), ("64k", 65536)] {
        for _ in 0..batches {
            receive((host, stream), &format!("tcp-receive-{name}"), size)?;
        }
        for _ in 0..batches {
            send((host, stream), &format!("tcp-send-{name}"), size)?;
        }
    }
    Ok(())
}

/// UDP round trips with QEMU's own TFTP server, which answers at once: a datagram that acknowledges a block, and is
/// filled up, and one of the same size with the next block.
struct Transfer {
    socket: UdpSocket,
    size: usize,
    block: u16,
}

impl Transfer {
    /// Opens `file` with blocks that make datagrams of `size` bytes (RFC 2348).
    fn begin(host: Ipv4Addr, file: &str, size: usize) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect((host, TFTP))?;
        let request = format!("\0\x01{file}\0octet\0blksize\0{}\0", size - BLOCK_HEADER);
        socket.send(request.as_bytes())?;
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer)?;
        let answer = answer.get(..length).unwrap_or_default();
        if !answer.starts_with(b"\0\x06blksize\0") {
            return Err(io::Error::other(format!("the TFTP server says {}", answer.escape_ascii())));
        }
        Ok(Self { socket, size, block: 0 })
    }

    fn trips(&mut self, count: u16) -> io::Result<()> {
        let mut buffer = [0; 2048];
        let mut sent = vec![0; self.size];
        for _ in 0..count {
            fill(&mut sent, ACK, self.block);
            self.socket.send(&sent)?;
            let length = self.socket.recv(&mut buffer)?;
            self.block += 1;
            let mut header = [0; BLOCK_HEADER];
            fill(&mut header, DATA, self.block);
            if length != self.size || !buffer.starts_with(&header) {
                let block = self.block;
                return Err(io::Error::other(format!("{length} other bytes came for block {block}")));
            }
        }
        Ok(())
    }
}

/// The header of a block or of its acknowledgement.
fn fill(datagram: &mut [u8], operation: u16, block: u16) {
    let header = [operation.to_be_bytes(), block.to_be_bytes()];
    for (place, byte) in datagram.iter_mut().zip(header.as_flattened()) {
        *place = *byte;
    }
}

/// From the request to the last byte.
fn receive(server: (Ipv4Addr, u16), name: &str, size: usize) -> Outcome {
    let mut socket = connect(server)?;
    let mut buffer = vec![0; size];
    let mark = Mark::begin();
    writeln!(socket, "give {BYTES}")?;
    let mut count = 0;
    while count < BYTES {
        match socket.read(&mut buffer)? {
            0 => return Err(format!("{name}: the end came after {count} bytes").into()),
            more => count += more,
        }
    }
    mark.tell(name, count as u64);
    Ok(())
}

/// From the first byte to the host's word that it has all; or, where some are lost on the way, to the last write.
fn send(server: (Ipv4Addr, u16), name: &str, size: usize) -> Outcome {
    let mut socket = connect(server)?;
    writeln!(socket, "take {BYTES}")?;
    let bytes = vec![0x55; size];
    let mark = Mark::begin();
    let mut left = BYTES;
    while left > 0 {
        left -= socket.write(bytes.get(..size.min(left)).unwrap_or_default())?;
    }
    let written = Instant::now();
    let arrived = answer(&mut socket)?;
    let end = if arrived == BYTES as u64 { Instant::now() } else { written };
    mark.tell_until(end, name, arrived);
    Ok(())
}

fn answer(socket: &mut TcpStream) -> io::Result<u64> {
    let mut count = [0; 8];
    socket.read_exact(&mut count)?;
    Ok(u64::from_be_bytes(count))
}

fn connect(server: (Ipv4Addr, u16)) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(server)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}
