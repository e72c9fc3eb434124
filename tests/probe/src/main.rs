//! What the integration tests run in the guest: clients and servers of the schemes, made of nothing but files and
//! the two calls that Redox has beside them (`dup` with a path, and `call`).

#[cfg(target_os = "redox")]
mod descriptors;
mod frames;
#[cfg(target_os = "redox")]
mod processes;
mod sockets;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

/// Clients and servers of the schemes, for the integration tests.
#[derive(Debug, Parser)]
#[command(name = "probe")]
enum Probe {
    /// Fetches a page over TCP, and prints its length and SHA-256
    Fetch {
        /// The server: address:port
        server: String,
        /// The page
        path: String,
    },
    /// Uploads bytes over TCP, and prints what the server answers
    Upload {
        /// The server: address:port
        server: String,
        /// How many
        bytes: u64,
        /// Which
        seed: u64,
    },
    /// Accepts one TCP connection, sends back what it gets, and prints how much that was
    Accept {
        /// The port
        port: u16,
    },
    /// Sends a datagram to an echo server, and prints what comes back
    UdpEcho {
        /// The server: address:port
        server: String,
        /// The text
        text: String,
    },
    /// Asks the name servers that netd knows for a name, and prints its addresses
    Resolve {
        /// The name
        name: String,
    },
    /// Sends ICMP echo requests, and prints how many replies are right
    Ping {
        /// To whom
        address: String,
        /// How many
        count: u16,
    },
    /// Writes numbered frames to a driver as fast as it takes them
    SendFrames {
        /// The driver's scheme
        scheme: String,
        /// How many
        count: u32,
    },
    /// Reads numbered frames from a driver until none has come for a while, and prints what became of them
    ReceiveFrames {
        /// The driver's scheme
        scheme: String,
        /// The number after the last one
        count: u32,
        /// The while, in seconds
        idle: u64,
    },
    /// Reads numbered frames from a driver, and sends each back as it came
    ReturnFrames {
        /// The driver's scheme
        scheme: String,
        /// How many
        count: u32,
    },
    /// Opens a path of a scheme, and keeps it open until killed
    Hold {
        /// The scheme
        scheme: String,
        /// The path in it
        path: String,
    },
    /// Has a driver's device started and stopped, so many times
    Reopen {
        /// The driver's scheme
        scheme: String,
        /// How many times
        count: u32,
    },
    /// Sends a scheme a descriptor and asks it for one, and prints what it says
    #[cfg(target_os = "redox")]
    Descriptors {
        /// The scheme
        scheme: String,
    },
    /// Kills the oldest process of a program, as `kill -9` does
    #[cfg(target_os = "redox")]
    Kill {
        /// The program
        name: String,
    },
}

fn main() -> ExitCode {
    let result: Result<(), Box<dyn Error>> = match Probe::parse() {
        Probe::Fetch { server, path } => sockets::fetch(&server, &path),
        Probe::Upload { server, bytes, seed } => sockets::upload(&server, bytes, seed),
        Probe::Accept { port } => sockets::accept(port),
        Probe::UdpEcho { server, text } => sockets::udp_echo(&server, &text),
        Probe::Resolve { name } => sockets::resolve(&name),
        Probe::Ping { address, count } => sockets::ping(&address, count),
        Probe::SendFrames { scheme, count } => frames::send(&scheme, count),
        Probe::ReceiveFrames { scheme, count, idle } => frames::receive(&scheme, count, idle),
        Probe::ReturnFrames { scheme, count } => frames::send_back(&scheme, count),
        Probe::Hold { scheme, path } => sockets::hold(&scheme, &path),
        Probe::Reopen { scheme, count } => frames::reopen(&scheme, count),
        #[cfg(target_os = "redox")]
        Probe::Descriptors { scheme } => descriptors::exchange(&scheme),
        #[cfg(target_os = "redox")]
        Probe::Kill { name } => processes::kill(&name),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("probe: {error}");
            ExitCode::FAILURE
        }
    }
}
