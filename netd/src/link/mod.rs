//! The way to a driver: found by its scheme's name, spoken to by threads of its own.
//!
//! A driver can be slow, hang, lie or go; whoever calls it waits for as long as it likes. So the event loop
//! never does: [`worker`] threads do. A thread that a driver never answers is left behind, and its interface goes
//! on without it. Frames come and go by pipes, which wait for nobody ([`stream`]), or by another thread and queues
//! where a driver hands none out ([`pump`]).

mod driver;
mod form;
mod port;
mod pump;
mod scan;
mod stream;
mod wake;
mod worker;

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use scheme::{EventLoop, Interest, Token};

use self::port::Port;
use self::scan::{Names, Scan};
use self::wake::Waker;
use crate::stack::Stack;

/// How long a driver may take to open, or to take a frame, before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before the same driver is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// How long the drivers have for the last frames of a netd that ends.
const FAREWELL: Duration = Duration::from_millis(500);
/// Between two looks whether they have them.
const GLANCE: Duration = Duration::from_millis(1);
/// Frames taken from a driver, or from its queue, in one turn.
const BUDGET: usize = 64;
/// NICs, each of which costs two threads and two queues.
const NICS: usize = 64;

/// The daemon's event loop, in which drivers' pipes are waited for.
pub struct Events<'a> {
    /// The loop.
    pub events: &'a mut EventLoop,
    /// What their events are called.
    pub token: Token,
}

impl Events<'_> {
    fn watch(&mut self, fd: RawFd, interest: Interest) -> io::Result<()> {
        self.events.register(fd, self.token, interest)
    }

    fn forget(&mut self, fd: RawFd) -> io::Result<()> {
        self.events.deregister(fd)
    }
}

/// The NICs' drivers, and the interfaces that they serve.
pub struct Links {
    root: PathBuf,
    waker: Arc<Waker>,
    scan: Arc<Scan>,
    /// The drivers' names, by function, as they were last seen.
    names: Names,
    /// The NICs, each with its function, in the order in which they came.
    ports: Vec<(Option<String>, Port)>,
    /// The number of the next one's name.
    next: u32,
}

impl Links {
    /// Looks for drivers under `root` (`/scheme`) from now on. The first NIC's interface is there at once.
    pub fn new(root: PathBuf, stack: &mut Stack) -> io::Result<Self> {
        let waker = Arc::new(Waker::new()?);
        let scan = Scan::start(root.clone(), waker.clone())?;
        let mut links = Self { root, waker, scan, names: Names::default(), ports: Vec::new(), next: 0 };
        links.add_port(None, stack);
        Ok(links)
    }

    /// Readable when [`poll`](Self::poll) has something to do.
    pub fn as_raw_fd(&self) -> RawFd {
        self.waker.as_raw_fd()
    }

    /// Takes the event of the descriptor or of a driver's pipe. To be called before [`poll`](Self::poll).
    pub fn take_wake(&mut self) -> io::Result<()> {
        for (_, port) in &mut self.ports {
            port.wake();
        }
        self.waker.take()
    }

    /// Gives the stack what has come from the drivers. Whether more has come than one turn takes.
    pub fn poll(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) -> bool {
        if self.scan.update(&mut self.names) {
            self.add_ports(stack);
        }
        let mut more = false;
        for (function, port) in &mut self.ports {
            let names = function.as_deref().map_or(&[][..], |function| self.names.of(function));
            port.follow(stack, names, &self.root, &self.waker, events, now);
            more |= port.receive(stack, events, now);
        }
        more
    }

    /// Gives the drivers what the stack wants to send, as much as there is room for.
    pub fn send(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) {
        for (_, port) in &mut self.ports {
            port.send(stack, events, now);
        }
    }

    /// Lets go of all drivers, so that their devices are quiet, after the last frames. A driver that does not answer is
    /// not waited for.
    pub fn end(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) {
        for (_, port) in &mut self.ports {
            port.close(stack, events, now);
        }
        let end = Instant::now() + FAREWELL;
        while self.ports.iter_mut().any(|(_, port)| port.is_left()) && Instant::now() < end {
            thread::sleep(GLANCE);
        }
    }

    /// When [`poll`](Self::poll) is due without a wake-up.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.ports.iter().filter_map(|(_, port)| port.deadline(now)).min()
    }

    /// A NIC that was never seen gets the next name that is neither used nor kept for another. Those that are seen at once
    /// get theirs in the order of their functions.
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
        let name = loop {
            let name = format!("eth{}", self.next);
            self.next += 1;
            if !stack.network.reserved.contains(&name) && stack.network.find(&name).is_none() {
                break name;
            }
        };
        let interface = stack.network.add_ethernet(name);
        stack.revision += 1;
        self.ports.push((function, Port::new(interface)));
    }
}
