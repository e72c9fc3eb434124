//! Measures what operations on sockets and on a driver's frames cost: each batch of them gives one line,
//! `NAME OPERATIONS NANOSECONDS SWITCHES INTERRUPTS`.
//!
//! The same program runs over any network stack of Redox; the host's side is the test bed's. In a Linux it measures
//! netd's sockets, one kind of operation at a time: lines `WHAT NUMBER`.

mod busy;
mod frames;
mod measure;
#[cfg(target_os = "linux")]
mod nic;
#[cfg(target_os = "linux")]
mod packets;
mod sockets;
mod stack;
mod way;

use std::error::Error;
use std::net::Ipv4Addr;
#[cfg(target_os = "linux")]
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use way::{Requests, Streams};

type Outcome = Result<(), Box<dyn Error>>;

/// Measures what operations on sockets and frames cost.
#[derive(Debug, Parser)]
#[command(name = "cost")]
enum Cost {
    /// UDP round trips, and TCP both ways
    Sockets {
        /// The host
        host: Ipv4Addr,
        /// A file that its TFTP server has
        file: String,
        /// Its TCP port that gives and takes bytes
        stream: u16,
        /// How many batches of each
        batches: u16,
    },
    /// Raw frames by one request each: sent, received, and ARP round trips
    Frames {
        /// How many batches of each
        batches: u16,
    },
    /// The same by the streams that our drivers have
    Streams {
        /// How many batches of each
        batches: u16,
    },
    /// Raw frames received at growing rates
    Rates {
        /// Frames a second
        rates: Vec<u32>,
    },
    /// In a Linux, one operation on raw frames with a peer of the test bed's
    #[cfg(target_os = "linux")]
    Nic {
        /// By what
        way: nic::Kind,
        /// The file `frame` of a driver of ours, or an interface's name
        path: PathBuf,
        /// What is done
        case: nic::Case,
        /// How many times at least
        units: u32,
    },
    /// In a Linux, one operation of netd's sockets over the schemes
    Stack {
        /// Linux's own sockets instead
        #[arg(long)]
        linux: bool,
        /// Where the peer gives and takes bytes: address:port
        stream: String,
        /// Where the peer sends datagrams back: address:port
        echo: String,
        /// What is done
        case: stack::Case,
        /// How many times
        units: usize,
        /// Silent connections beside it
        idle: usize,
    },
}

fn main() -> ExitCode {
    let result = match Cost::parse() {
        Cost::Sockets { host, file, stream, batches } => sockets::run(host, &file, stream, batches),
        Cost::Frames { batches } => frames::run::<Requests>(batches),
        Cost::Streams { batches } => frames::run::<Streams>(batches),
        Cost::Rates { rates } => frames::rates(&rates),
        #[cfg(target_os = "linux")]
        Cost::Nic { way, path, case, units } => nic::run(way, &path, case, units),
        Cost::Stack { linux, stream, echo, case, units, idle } => {
            stack::run(&stack::Peer { stream, echo, linux }, case, units, idle)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}
