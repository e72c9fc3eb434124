//! Measures what operations on sockets and on a driver's frames cost: each batch of them gives one line,
//! `NAME OPERATIONS NANOSECONDS SWITCHES INTERRUPTS`.
//!
//! The same program runs over any network stack of Redox; the host's side is the test bed's.

mod frames;
mod measure;
mod sockets;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use clap::Parser;

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
    /// Raw frames: sent, received, and ARP round trips
    Frames {
        /// How many batches of each
        batches: u16,
    },
    /// Raw frames received at growing rates
    Rates {
        /// Frames a second
        rates: Vec<u32>,
    },
}

fn main() -> ExitCode {
    let result = match Cost::parse() {
        Cost::Sockets { host, file, stream, batches } => sockets::run(host, &file, stream, batches),
        Cost::Frames { batches } => frames::run(batches),
        Cost::Rates { rates } => frames::rates(&rates),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cost: {error}");
            ExitCode::FAILURE
        }
    }
}
