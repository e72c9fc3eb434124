//! The way to a driver: found by its scheme's name, spoken to by threads of its own.
//!
//! A driver can be slow, hang, lie or go; whoever calls it waits for as long as it likes. So the event loop
//! never does: [`worker`] threads do, and queues lie between. A thread that a driver never answers is left
//! behind, and its interface goes on without it.

mod driver;
mod pump;
mod scan;
mod wake;
mod worker;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smoltcp::wire::EthernetAddress;

use self::scan::Scan;
use self::wake::Waker;
use self::worker::{Phase, Worker};
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// How long a driver may take to open, or to take a frame, before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(5);
/// Before the same driver is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// Frames taken from a driver, or from its queue, in one turn.
const BUDGET: usize = 64;

/// The drivers, and the interface that they serve.
pub struct Links {
    root: PathBuf,
    waker: Arc<Waker>,
    scan: Arc<Scan>,
    interface: InterfaceId,
    current: Option<Worker>,
    /// Those that were given up while a thread of theirs waits for the driver.
    abandoned: Vec<Worker>,
    not_before: Option<Instant>,
    /// What the current driver's state was when the interface was last brought to it.
    version: u64,
    /// The driver that was given up last: others come first.
    failed: String,
    /// Why each driver was given up last, while it is listed: nothing is said twice.
    reasons: HashMap<String, String>,
}

impl Links {
    /// Looks for drivers under `root` (`/scheme`) from now on, for `interface`.
    pub fn new(root: PathBuf, interface: InterfaceId) -> io::Result<Self> {
        let waker = Arc::new(Waker::new()?);
        let scan = Scan::start(root.clone(), waker.clone())?;
        Ok(Self {
            root,
            waker,
            scan,
            interface,
            current: None,
            abandoned: Vec::new(),
            not_before: None,
            version: 0,
            failed: String::new(),
            reasons: HashMap::new(),
        })
    }

    /// Readable when [`poll`](Self::poll) has something to do.
    pub fn as_raw_fd(&self) -> RawFd {
        self.waker.as_raw_fd()
    }

    /// Takes the wake-up that made the descriptor readable. To be called before [`poll`](Self::poll).
    pub fn take_wake(&self) -> io::Result<()> {
        self.waker.take()
    }

    /// Gives the stack what has come from the driver. Whether more has come than one turn takes.
    pub fn poll(&mut self, stack: &mut Stack, now: Instant) -> bool {
        self.abandoned.retain(Worker::is_left);
        self.follow(stack, now);
        if self.current.is_none() {
            self.attach(now);
        }
        let Some(worker) = &self.current else { return false };
        let (frames, more) = worker.take_frames(BUDGET);
        for frame in frames {
            stack.receive(self.interface, &frame);
        }
        more
    }

    /// Gives the driver what the stack wants to send, as much as there is room for.
    pub fn send(&self, stack: &mut Stack) {
        let Some(worker) = &self.current else { return };
        worker.send(|room| stack.take_frames(self.interface, room).collect());
    }

    /// When [`poll`](Self::poll) is due without a wake-up.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        match &self.current {
            Some(worker) => worker.patience_ends(PATIENCE),
            // A name that was seen may be tried again.
            None => self.not_before.filter(|at| *at > now),
        }
    }

    /// Brings the interface to the state of its driver.
    fn follow(&mut self, stack: &mut Stack, now: Instant) {
        let Some(worker) = &self.current else { return };
        if worker.patience_ends(PATIENCE).is_some_and(|at| at <= now) {
            return self.give_up(stack, "it does not answer", now);
        }
        let Some(status) = worker.status_since(self.version) else { return };
        self.version = status.version;
        match status.phase {
            Phase::Opening => (),
            Phase::Closed(reason) => self.give_up(stack, &reason, now),
            Phase::Open { address, mtu } => {
                self.follow_open(stack, address, mtu, status.is_up, status.link_text)
            }
        }
    }

    fn follow_open(
        &self,
        stack: &mut Stack,
        address: EthernetAddress,
        mtu: usize,
        is_up: bool,
        link_text: String,
    ) {
        let (Some(worker), Some(interface)) = (&self.current, self.interface(stack)) else { return };
        let is_news = interface.driver.as_deref() != Some(worker.name());
        let was_running = interface.running && !is_news;
        if is_news {
            log::info!("{}: driver {} with address {address}", interface.name(), worker.name());
            interface.driver = Some(worker.name().to_owned());
        }
        interface.link_text = link_text;
        stack.revision += 1;
        match (is_up, was_running) {
            (true, false) => stack.link_up(self.interface, address, mtu),
            (false, _) => {
                stack.link_down(self.interface);
                if is_news {
                    stack.attach(self.interface, address, mtu);
                }
            }
            (true, true) => (),
        }
    }

    fn interface<'a>(&self, stack: &'a mut Stack) -> Option<&'a mut Interface> {
        stack.network.interface_mut(self.interface)
    }

    fn give_up(&mut self, stack: &mut Stack, reason: &str, now: Instant) {
        let Some(worker) = self.current.take() else { return };
        stack.link_down(self.interface);
        let name = worker.name().to_owned();
        let is_known = self.reasons.insert(name.clone(), reason.to_owned()).as_deref() == Some(reason);
        if let Some(interface) = self.interface(stack) {
            if interface.driver.take().is_some() || !is_known {
                log::warn!("{}: no link by driver {name}: {reason}", interface.name());
            }
            interface.link_text.clear();
            stack.revision += 1;
        }
        self.failed = name;
        worker.stop();
        self.abandoned.push(worker);
        self.not_before = Some(now + RETRY);
    }

    /// Tries the driver after the one that failed, and leaves out those that are known to hang.
    fn attach(&mut self, now: Instant) {
        if self.not_before.is_some_and(|at| now < at) {
            return;
        }
        let mut names = self.scan.names();
        self.reasons.retain(|name, _| names.contains(name));
        names.retain(|name| !self.abandoned.iter().any(|worker| worker.name() == name));
        let next = names.iter().position(|name| *name > self.failed).unwrap_or(0);
        if names.is_empty() {
            return;
        }
        let name = names.swap_remove(next);
        match Worker::start(&self.root, name, self.waker.clone(), now) {
            Ok(worker) => {
                self.current = Some(worker);
                self.version = 0;
            }
            Err(error) => {
                log::error!("cannot start a thread for a driver: {error}");
                self.not_before = Some(now + PATIENCE);
            }
        }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some(worker) = &self.current {
            worker.stop();
        }
    }
}
