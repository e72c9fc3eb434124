//! What netd's sockets cost in the guest: a driver and its device, netd, the schemes, and a Linux at the other end.
//!
//! The program `cost` does the same as often as it is asked, and says how long that took, how long the processor was busy,
//! and with whom. Against the wall clock that is a rate, in an emulated machine; where the clock goes by instructions,
//! the time that the processor was busy is their number.

use std::net::SocketAddr;

use crate::guest::Guest;
use crate::linux_peer::{ADDRESS, LinuxPeer};
use crate::qemu::INSTRUCTION;
use crate::{Error, Result, server};

/// Where the peer gives and takes bytes, and where it sends datagrams back.
const STREAM: u16 = 7000;
const ECHO: u16 = 7;

/// How long one boot's script may take, in seconds.
const LIMIT: u64 = 600;

/// For connections that idle.
const DESCRIPTORS: u32 = 20_000;

/// What is done in the guest.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// As the program `cost` calls it.
    pub case: &'static str,
    /// How often it is done.
    pub units: usize,
    /// Silent connections beside it.
    pub idle: usize,
}

/// What one unit of a task took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Units in a second.
    pub rate: f64,
    /// Instructions of the whole guest: the kernel, the program, netd and the driver.
    pub instructions: f64,
    /// Of these, those of netd and the driver, with what the kernel does in their system calls.
    pub netd: f64,
    /// See `netd`.
    pub driver: f64,
    /// Bytes of netd's memory for each silent connection.
    pub idle_bytes: f64,
}

/// Measures the tasks in a guest with this network device: once against the clock, once counting instructions.
pub fn measure(model: &str, tasks: &[Task]) -> Result<Vec<Cost>> {
    let (timed, counted) = (boot(model, tasks, false)?, boot(model, tasks, true)?);
    Ok(tasks
        .iter()
        .zip(timed)
        .zip(counted)
        .map(|((task, timed), counted)| task.cost(timed, counted))
        .collect())
}

impl Task {
    fn cost(&self, timed: Said, counted: Said) -> Cost {
        let units = self.units as f64;
        let instructions = |nanoseconds: f64| nanoseconds / INSTRUCTION / units;
        Cost {
            rate: units / (timed.passed / 1e9),
            instructions: instructions(counted.busy),
            netd: instructions(counted.netd),
            driver: instructions(counted.drivers),
            idle_bytes: if self.idle == 0 { 0.0 } else { counted.memory / self.idle as f64 },
        }
    }
}

/// What the program says of one task: bytes, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Said {
    memory: f64,
    passed: f64,
    busy: f64,
    netd: f64,
    drivers: f64,
}

fn boot(model: &str, tasks: &[Task], counts: bool) -> Result<Vec<Said>> {
    let peer = LinuxPeer::start()?;
    let [stream, echo] = [STREAM, ECHO].map(|port| SocketAddr::from((ADDRESS, port)));
    let served = || server::stream_at(stream).and_then(|_| server::udp_echo_at(echo));
    let failed = |error| Error::Peer(format!("cannot serve the guest: {error}"));
    peer.namespace().enter(served).map_err(failed)?.map_err(failed)?;
    let steps = tasks.iter().map(|Task { case, units, idle }| {
        format!("cost stack {stream} {echo} {case} {units} {idle} || exit\n")
    });
    let script = format!(
        "ulimit -n {DESCRIPTORS}
         until grep -q bound /scheme/netcfg/ifaces/eth0/dhcp/state; do usleep 50000; done
         {}",
        steps.collect::<String>()
    );
    let guest = Guest::default().nic(peer.nic(model)).counts_instructions(counts).limit(LIMIT);
    let finished = guest.run(&script)?;
    understand(finished.success()?, tasks.len())
}

/// The program's lines, `WHAT NUMBER`, of so many tasks.
fn understand(said: &str, tasks: usize) -> Result<Vec<Said>> {
    let unknown = || Error::Guest(format!("the measuring program said: {said}"));
    let mut numbers = said.lines().map(|line| {
        let (name, number) = line.split_once(' ')?;
        Some((name, number.parse::<f64>().ok()?))
    });
    let mut next = |expected| match numbers.next().flatten() {
        Some((name, number)) if name == expected => Ok(number),
        _ => Err(unknown()),
    };
    (0..tasks)
        .map(|_| {
            Ok(Said {
                memory: next("memory")?,
                passed: next("passed")?,
                busy: next("busy")?,
                netd: next("netd")?,
                drivers: next("drivers")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_by_the_clock_and_instructions_are_time_that_the_processor_was_busy() {
        let task = Task { case: "udp-round-trip", units: 100, idle: 10 };
        let said = "memory 40960\npassed 500000000\nbusy 400000000\nnetd 40000000\ndrivers 20000000\n";
        let said = understand(said, 1).unwrap()[0];
        let cost = task.cost(said, said);
        assert_eq!(
            cost,
            Cost { rate: 200.0, instructions: 2e6, netd: 200_000.0, driver: 100_000.0, idle_bytes: 4096.0 }
        );
    }

    #[test]
    fn what_is_no_measurement_is_an_error() {
        for said in ["", "memory 1\npassed 2\n", "memory 1\npassed 2\nbusy 3\nnetd x\ndrivers 5\n"] {
            assert!(understand(said, 1).is_err(), "{said}");
        }
    }
}
