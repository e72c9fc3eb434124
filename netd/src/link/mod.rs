//! The way to a driver: found by its scheme's name, spoken to by threads of its own.
//!
//! A driver can be slow, hang, lie or go; whoever calls it waits for as long as it likes. So the event loop
//! never does: [`worker`] threads do, and queues lie between. A thread that a driver never answers is left
//! behind, and its interface goes on without it.

mod driver;
mod port;
mod pump;
mod scan;
mod wake;
mod worker;

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::port::Port;
use self::scan::{Names, Scan};
use self::wake::Waker;
use crate::stack::Stack;

/// How long a driver may take to open, or to take a frame, before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before the same driver is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// Frames taken from a driver, or from its queue, in one turn.
const BUDGET: usize = 64;
/// NICs, each of which costs two threads and two queues.
const NICS: usize = 64;

/// The NICs' drivers, and the interfaces that they serve.
pub struct Links {
    root: PathBuf,
    waker: Arc<Waker>,
    scan: Arc<Scan>,
    /// The drivers' names, by function, as they were last seen.
    names: Names,
    /// The NICs, each with its function, in the order of their interfaces' names.
    ports: Vec<(Option<String>, Port)>,
}

impl Links {
    /// Looks for drivers under `root` (`/scheme`) from now on. The first NIC's interface is there at once.
    pub fn new(root: PathBuf, stack: &mut Stack) -> io::Result<Self> {
        let waker = Arc::new(Waker::new()?);
        let scan = Scan::start(root.clone(), waker.clone())?;
        let mut links = Self { root, waker, scan, names: Names::default(), ports: Vec::new() };
        links.add_port(None, stack);
        Ok(links)
    }

    /// Readable when [`poll`](Self::poll) has something to do.
    pub fn as_raw_fd(&self) -> RawFd {
        self.waker.as_raw_fd()
    }

    /// Takes the wake-up that made the descriptor readable. To be called before [`poll`](Self::poll).
    pub fn take_wake(&self) -> io::Result<()> {
        self.waker.take()
    }

    /// Gives the stack what has come from the drivers. Whether more has come than one turn takes.
    pub fn poll(&mut self, stack: &mut Stack, now: Instant) -> bool {
        if self.scan.update(&mut self.names) {
            self.add_ports(stack);
        }
        let mut more = false;
        for (function, port) in &mut self.ports {
            let names = function.as_deref().map_or(&[][..], |function| self.names.of(function));
            port.follow(stack, names, &self.root, &self.waker, now);
            more |= port.receive(stack);
        }
        more
    }

    /// Gives the drivers what the stack wants to send, as much as there is room for.
    pub fn send(&self, stack: &mut Stack) {
        for (_, port) in &self.ports {
            port.send(stack);
        }
    }

    /// When [`poll`](Self::poll) is due without a wake-up.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.ports.iter().filter_map(|(_, port)| port.deadline(now)).min()
    }

    /// A NIC that was never seen gets the next name. Those that are seen at once get theirs in the order of
    /// their functions.
    fn add_ports(&mut self, stack: &mut Stack) {
        let known = |function: &str| self.ports.iter().any(|(own, _)| own.as_deref() == Some(function));
        let new: Vec<_> =
            self.names.functions().filter(|function| !known(function)).map(str::to_owned).collect();
        for function in new {
            if self.ports.len() >= NICS {
                return log::error!("the NIC {function} is left out: there are {NICS} already");
            }
            match self.ports.first_mut() {
                Some((first @ None, _)) => *first = Some(function),
                _ => self.add_port(Some(function), stack),
            }
        }
    }

    fn add_port(&mut self, function: Option<String>, stack: &mut Stack) {
        let interface = stack.network.add_ethernet(format!("eth{}", self.ports.len()));
        stack.revision += 1;
        self.ports.push((function, Port::new(interface)));
    }
}
