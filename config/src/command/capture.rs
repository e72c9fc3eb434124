//! An interface's packets, to a file.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use config::filter::Filter;
use scheme::client::{self, OpenOptions};

use super::change::check_interface;
use super::{driver, node};
use crate::cli::Capture;
use crate::node::Failure;

/// Between two looks for packets.
const PAUSE: Duration = Duration::from_millis(20);
/// A block of pcapng with a packet, and one with what was lost.
const ENHANCED_PACKET: u32 = 6;
const INTERFACE_STATISTICS: u32 = 5;
/// The longest block that netd writes.
const LONGEST_BLOCK: usize = 1 << 20;

/// Captures, until there is enough.
pub fn run(options: &Capture) -> Result<(), Failure> {
    let filter = options.filter.join(" ");
    filter.parse::<Filter>().map_err(|error| Failure::Missing(error.to_string()))?;
    check_interface(&options.interface)?;
    let path = source(options)?;
    let mut packets = open(&path, &filter)?;
    let mut output = output(options)?;
    let mut blocks = Blocks::default();
    let end = options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let limit = options.count.unwrap_or(u64::MAX);
    while blocks.packets < limit {
        let is_over = end.is_some_and(|end| Instant::now() >= end);
        match blocks.read(&mut packets) {
            Ok(0) => break,
            Ok(_) => blocks.write(&mut output, limit).map_err(Failure::Output)?,
            Err(error) if error.kind() == ErrorKind::WouldBlock && is_over => break,
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(source) => return Err(failure(&path, source)),
        }
        if is_over
            && blocks.packets > 0
            && end.is_some_and(|end| Instant::now() >= end + Duration::from_secs(1))
        {
            // Packets that come faster than they are written would keep us for ever.
            break;
        }
    }
    eprintln!("{} packets captured, {} lost", blocks.packets, blocks.lost);
    Ok(())
}

/// The file of packets: netd's for the interface, or its driver's.
fn source(options: &Capture) -> Result<PathBuf, Failure> {
    let interface = &options.interface;
    match options.driver {
        true => Ok(driver::file(&driver::of(interface)?, "capture")),
        false => Ok(node(&format!("ifaces/{interface}/pcap"))),
    }
}

fn failure(path: &Path, source: io::Error) -> Failure {
    match source.kind() {
        ErrorKind::PermissionDenied => Failure::NotRoot { path: path.to_owned() },
        _ => Failure::Read { path: path.to_owned(), source },
    }
}

/// A driver's file takes no filter.
fn open(path: &Path, filter: &str) -> Result<File, Failure> {
    let options = OpenOptions { read: true, write: !filter.is_empty(), nonblocking: true };
    let mut file = client::open_path(path, options).map_err(|error| failure(path, error))?;
    if !filter.is_empty() {
        file.write_all(format!("{filter}\n").as_bytes()).map_err(|error| failure(path, error))?;
    }
    Ok(file)
}

fn output(options: &Capture) -> Result<Box<dyn Write>, Failure> {
    match &options.write {
        Some(path) => {
            let file = File::create(path);
            Ok(Box::new(file.map_err(|source| Failure::Write { path: path.clone(), source })?))
        }
        None if io::stdout().is_terminal() => {
            Err(Failure::Missing("packets are not for a terminal: use -w FILE, or a pipe".to_owned()))
        }
        None => Ok(Box::new(io::stdout())),
    }
}

/// pcapng, taken apart so that whole blocks are written and packets counted.
#[derive(Default)]
struct Blocks {
    rest: Vec<u8>,
    packets: u64,
    lost: u64,
}

impl Blocks {
    fn read(&mut self, file: &mut File) -> io::Result<usize> {
        let mut buffer = [0; 65_536];
        let count = file.read(&mut buffer)?;
        self.rest.extend(buffer.iter().take(count));
        Ok(count)
    }

    /// Writes the whole blocks that were read, up to the packet number `limit`.
    fn write(&mut self, output: &mut impl Write, limit: u64) -> io::Result<()> {
        while let Some(block) = self.next()? {
            match word(&block, 0) {
                Some(ENHANCED_PACKET) if self.packets >= limit => return output.flush(),
                Some(ENHANCED_PACKET) => self.packets += 1,
                Some(INTERFACE_STATISTICS) => self.lost = lost(&block).unwrap_or(self.lost),
                _ => (),
            }
            output.write_all(&block)?;
        }
        output.flush()
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(length) = word(&self.rest, 4) else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(12..=LONGEST_BLOCK).contains(&length) {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("a block of {length} bytes")));
        }
        Ok((length <= self.rest.len()).then(|| self.rest.drain(..length).collect()))
    }
}

/// `isb_ifdrop`, which netd writes first of the options: after type, length, interface, time and the option's head.
fn lost(block: &[u8]) -> Option<u64> {
    const IFDROP: [u8; 2] = 5_u16.to_ne_bytes();
    let option = block.get(20..)?;
    (option.first_chunk() == Some(&IFDROP))
        .then(|| option.get(4..)?.first_chunk().copied())
        .flatten()
        .map(u64::from_ne_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}
