//! Echo requests, by the scheme `icmp`.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use scheme::client::{self, OpenOptions};
use serde_json::json;

use super::print;
use super::resolve::resolve;
use crate::cli::Ping;
use crate::node::Failure;

/// Between two requests.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two looks for an answer.
const PAUSE: Duration = Duration::from_millis(1);
/// What is sent, as by other systems' ping.
const DATA: usize = 56;

/// Asks, and tells of each answer. It fails if none came.
pub fn run(options: &Ping, as_json: bool) -> Result<(), Failure> {
    let address = resolve(&options.host)?;
    let path = scheme::root().join("icmp/echo").join(address.to_string());
    let failure = |source: io::Error| match source.kind() {
        ErrorKind::NotFound => Failure::Missing(format!("{}: {source}: is netd running?", path.display())),
        _ => Failure::Missing(format!("{address}: {source}")),
    };
    let nonblocking = OpenOptions { read: true, write: true, nonblocking: true };
    let mut echo = client::open_path(&path, nonblocking).map_err(failure)?;
    let mut times = Vec::new();
    for sequence in 1..=options.count {
        let begin = Instant::now();
        let time = ask(&mut echo, sequence, Duration::from_secs(options.timeout)).map_err(failure)?;
        times.extend(time.map(|time| time.as_secs_f64() * 1000.0));
        if !as_json {
            print(line(address, sequence, time).as_bytes())?;
        }
        if sequence < options.count {
            thread::sleep((begin + INTERVAL).saturating_duration_since(Instant::now()));
        }
    }
    let (sent, received) = (options.count, times.len());
    match as_json {
        true => {
            let answer = json!({ "host": options.host, "address": address, "sent": sent, "received": received, "times_ms": times });
            print(format!("{answer:#}\n").as_bytes())?;
        }
        false => print(format!("{sent} sent, {received} received\n").as_bytes())?,
    }
    match received {
        0 => Err(Failure::Missing(format!("{address} does not answer"))),
        _ => Ok(()),
    }
}

/// How long the answer took, if it came.
fn ask(echo: &mut File, sequence: u16, limit: Duration) -> io::Result<Option<Duration>> {
    let begin = Instant::now();
    let request = [&sequence.to_be_bytes()[..], &[0x5a; DATA]].concat();
    echo.write_all(&request)?;
    let mut reply = [0; 2 + DATA];
    while begin.elapsed() < limit {
        match echo.read(&mut reply) {
            Ok(_) if reply[..2] == sequence.to_be_bytes() => return Ok(Some(begin.elapsed())),
            // That of an earlier one, which came late.
            Ok(_) => (),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn line(address: IpAddr, sequence: u16, time: Option<Duration>) -> String {
    match time {
        Some(time) => {
            format!(
                "{DATA} bytes from {address}: seq {sequence} time {:.3} ms\n",
                time.as_secs_f64() * 1000.0
            )
        }
        None => format!("no answer from {address}: seq {sequence}\n"),
    }
}
