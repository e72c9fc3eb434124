//! Checks of std's and C's sockets against the test bed's peer: the same source over netd in Redox and over Linux's own
//! sockets, which shows that the checks ask for no more than sockets do.

mod c;
mod http;
mod names;
mod tcp;
mod udp;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

/// How long a check may take. Most end within a second; 20 MB take longest, in an emulated machine.
const LIMIT: Duration = Duration::from_secs(60);

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// The host's side, as the command line tells it.
#[derive(clap::Args, Clone, Debug)]
struct Peer {
    /// Where it is
    host: Ipv4Addr,
    /// Its TCP port for HTTP
    web: u16,
    /// Its UDP port that sends everything back
    echo: u16,
    /// A TCP port of it that nothing listens on
    closed: u16,
    /// The TCP port to listen on here, which the peer reaches under the same number on its loopback
    listen: u16,
    /// A name of the host's; without one, `all` is all but `names`
    name: Option<String>,
}

/// Checks std's and C's sockets against a peer.
#[derive(Debug, Parser)]
#[command(name = "sockets")]
struct Arguments {
    /// Which check, or `all`
    check: String,
    #[command(flatten)]
    peer: Peer,
}

/// A check's name, and what it does.
type Check = (&'static str, fn(&Peer) -> Outcome);

const MEGABYTE: u64 = 1_000_000;

const CHECKS: [Check; 28] = [
    ("send-64k", |peer| tcp::send(peer, 20 * MEGABYTE, 65536)),
    ("send-4k", |peer| tcp::send(peer, 2 * MEGABYTE, 4096)),
    ("send-1", |peer| tcp::send(peer, 20_000, 1)),
    ("receive-64k", |peer| tcp::receive(peer, 20 * MEGABYTE, 65536)),
    ("receive-4k", |peer| tcp::receive(peer, 2 * MEGABYTE, 4096)),
    ("receive-1", |peer| tcp::receive(peer, 20_000, 1)),
    ("half-close", tcp::half_close),
    ("end-after-data", tcp::end_after_data),
    ("refused", tcp::refused),
    ("read-timeout", tcp::read_timeout),
    ("write-timeout", tcp::write_timeout),
    ("listen", tcp::listen),
    ("burst", tcp::burst),
    ("nonblocking", tcp::nonblocking),
    ("peek", tcp::peek),
    ("udp", udp::both_ways),
    ("udp-short", udp::short_buffer),
    ("udp-long", udp::too_long),
    ("udp-bound", udp::bound_and_connected),
    ("udp-ports", udp::ports),
    ("c-stream", c::stream),
    ("c-connecting", c::connecting),
    ("c-listener", c::listener),
    ("c-waiting", c::waiting),
    ("c-options", c::options),
    ("c-datagrams", c::datagrams),
    ("c-device", c::device),
    (NAMES, names::resolve),
];

/// The check that needs a name.
const NAMES: &str = "names";

fn main() -> ExitCode {
    let Arguments { check, peer } = Arguments::parse();
    let possible = |name| name != NAMES || peer.name.is_some();
    let is_chosen = |name| check == name || check == "all" && possible(name);
    let chosen: Vec<_> = CHECKS.iter().filter(|(name, _)| is_chosen(*name)).collect();
    if chosen.is_empty() {
        let names = CHECKS.map(|(name, _)| name).join(", ");
        eprintln!("sockets: there is no check `{check}`: it is all, or one of {names}");
        return ExitCode::FAILURE;
    }
    let mut code = ExitCode::SUCCESS;
    for (name, check) in chosen {
        let start = Instant::now();
        match bounded(*check, peer.clone()) {
            Ok(()) => println!("ok {name}"),
            Err(error) => {
                println!("FAILED {name}: {error}");
                code = ExitCode::FAILURE;
            }
        }
        eprintln!("sockets: {name} took {:.2} s", start.elapsed().as_secs_f64());
    }
    code
}

/// Does a check in a thread of its own, which is left behind where it does not end.
fn bounded(check: fn(&Peer) -> Outcome, peer: Peer) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more after the limit.
    thread::Builder::new().spawn(move || sender.send(check(&peer)).ok())?;
    receiver
        .recv_timeout(LIMIT)
        .unwrap_or_else(|_| Err(format!("not over within {} s", LIMIT.as_secs()).into()))
}

/// That two things are equal, or how they differ.
fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found:?} in the place of {expected:?}").into())
}
