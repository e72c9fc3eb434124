//! One NIC: its interface, and the driver that serves it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use scheme::vnet::Form;
use smoltcp::wire::EthernetAddress;

use super::driver::Orders;
use super::stream::Stream;
use super::wake::Waker;
use super::worker::{Phase, Worker};
use super::{BUDGET, Events, PATIENCE, RETRY};
use crate::stack::hardware::{Panels, Wanted};
use crate::stack::interface::Interface;
use crate::stack::{InterfaceId, Stack};

/// An interface, and the drivers of the NIC that it stands for.
pub struct Port {
    interface: InterfaceId,
    pub(super) current: Option<Worker>,
    /// Its frames, if they come by pipes.
    stream: Option<Stream>,
    /// Its link is up.
    is_up: bool,
    /// Those that were given up while a thread of theirs waits for the driver.
    pub(super) abandoned: Vec<Worker>,
    not_before: Option<Instant>,
    /// What the current driver's state was when the interface was last brought to it.
    version: u64,
    /// What the current driver was told last.
    told: Told,
    /// The driver that was given up last: others come first.
    failed: String,
    /// Why each driver was given up last, while it is listed: nothing is said twice.
    reasons: HashMap<String, String>,
}

/// What a driver was told.
#[derive(Default)]
struct Told {
    wanted: Wanted,
    /// Which version of the interface's groups.
    groups: u64,
    /// The interface's VLANs.
    vlans: BTreeSet<u16>,
}

impl Told {
    fn of(stack: &Stack, id: InterfaceId, orders: &Orders) -> Self {
        let Orders { wanted, vlans, .. } = orders;
        Self { wanted: wanted.clone(), groups: stack.network.groups_version(id), vlans: vlans.clone() }
    }

    /// Whether there is nothing else to tell.
    fn is_up_to_date(&self, stack: &Stack, interface: &Interface, id: InterfaceId) -> bool {
        self.wanted == interface.wanted
            && self.groups == stack.network.groups_version(id)
            && stack.network.vlans(id).map(|(number, _)| number).eq(self.vlans.iter().copied())
    }
}

impl Port {
    /// Without a driver yet.
    pub fn new(interface: InterfaceId) -> Self {
        Self {
            interface,
            current: None,
            stream: None,
            is_up: false,
            abandoned: Vec::new(),
            not_before: None,
            version: 0,
            told: Default::default(),
            failed: String::new(),
            reasons: HashMap::new(),
        }
    }

    /// Brings the interface to the state of its driver, which is one of those called `names`, in order.
    pub fn follow(
        &mut self,
        stack: &mut Stack,
        names: &[String],
        root: &Path,
        waker: &Arc<Waker>,
        events: &mut Events<'_>,
        now: Instant,
    ) {
        self.abandoned.retain(Worker::is_left);
        if !self.interface(stack).is_some_and(|own| own.up) {
            return self.close(stack, events, now);
        }
        self.follow_current(stack, events, now);
        match &self.current {
            Some(_) => self.tell(stack),
            None => self.attach(stack, names, root, waker, now),
        }
    }

    /// The driver may have written into its pipe.
    pub fn wake(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.wake();
        }
    }

    /// Gives the stack what has come from the driver. Whether more has come than one turn takes.
    pub fn receive(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) -> bool {
        if let Some(stream) = &mut self.stream {
            let received = stack.receive_together(|stack| {
                stream.receive(|said, frame| stack.receive_with(self.interface, frame, said))
            });
            return received.unwrap_or_else(|reason| {
                self.give_up(stack, &reason, events, now);
                false
            });
        }
        let Some(worker) = &self.current else { return false };
        let (frames, more) = worker.take_frames(BUDGET);
        stack.receive_together(|stack| {
            for (said, frame) in frames {
                stack.receive_with(self.interface, &frame, said);
            }
        });
        more
    }

    /// Gives the driver what the stack wants to send, as much as there is room for.
    pub fn send(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) {
        if let Some(stream) = &mut self.stream {
            let next = || stack.take_packets(self.interface, 1).next();
            let sent = stream.send(next, self.is_up, now).and_then(|()| stream.watch(events));
            if let Err(reason) = sent {
                self.give_up(stack, &reason, events, now);
            }
        } else if let Some(worker) = &self.current
            && stack.has_frames(self.interface)
        {
            worker.send(|room| stack.take_packets(self.interface, room).collect());
        }
    }

    /// When [`follow`](Self::follow) is due without a wake-up.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        match &self.current {
            Some(worker) => {
                let stream = self.stream.as_ref().and_then(Stream::deadline);
                worker.patience_ends(PATIENCE).into_iter().chain(stream).min()
            }
            // A name that was seen may be tried again.
            None => self.not_before.filter(|at| *at > now),
        }
    }

    /// Whether a thread is left of a driver that was let go of.
    pub fn is_left(&mut self) -> bool {
        self.abandoned.retain(Worker::is_left);
        !self.abandoned.is_empty()
    }

    fn follow_current(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) {
        let Some(worker) = &self.current else { return };
        if worker.patience_ends(PATIENCE).is_some_and(|at| at <= now) {
            return self.give_up(stack, "it does not answer", events, now);
        }
        let Some(status) = worker.status_since(self.version) else { return };
        self.version = status.version;
        match status.phase {
            Phase::Opening => (),
            Phase::Closed(reason) => self.give_up(stack, &reason, events, now),
            Phase::Open { own, address, mtu, mtu_limits } => {
                if let Some(pipes) = worker.take_pipes() {
                    match Stream::new(pipes, events) {
                        Ok(stream) => self.stream = Some(stream),
                        Err(reason) => return self.give_up(stack, &reason, events, now),
                    }
                }
                self.is_up = status.is_up;
                if let Some(interface) = self.interface(stack) {
                    interface.own_address = Some(own);
                    interface.driver_limits = Some(mtu_limits);
                    interface.panels = status.panels;
                }
                stack.set_segments(self.interface, status.form == Form::Vnet);
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
        let is_other = interface.ethernet_address() != Some(address) || interface.link_mtu != mtu;
        stack.revision += 1;
        if !is_up {
            stack.link_down(self.interface);
        }
        match is_up && !was_running {
            true => stack.link_up(self.interface, address, mtu),
            false if is_news || is_other => stack.attach(self.interface, address, mtu),
            false => (),
        }
    }

    /// Tells the driver what it is to do, if that is another than it was told.
    fn tell(&mut self, stack: &Stack) {
        let (Some(worker), Some(interface)) = (&self.current, stack.network.interface(self.interface)) else {
            return;
        };
        if !self.told.is_up_to_date(stack, interface, self.interface) {
            let orders = self.orders(stack);
            self.told = Told::of(stack, self.interface, &orders);
            worker.set_orders(orders);
        }
    }

    fn orders(&self, stack: &Stack) -> Orders {
        let network = &stack.network;
        let wanted = network.interface(self.interface).map(|own| own.wanted.clone()).unwrap_or_default();
        let vlans = network.vlans(self.interface).map(|(number, _)| number).collect();
        Orders { wanted, groups: network.groups(self.interface), vlans }
    }

    fn interface<'a>(&self, stack: &'a mut Stack) -> Option<&'a mut Interface> {
        stack.network.interface_mut(self.interface)
    }

    /// Lets go of the driver of an interface that is switched off, so that its device is quiet, after the last frames.
    pub(super) fn close(&mut self, stack: &mut Stack, events: &mut Events<'_>, now: Instant) {
        self.send(stack, events, now);
        let Some(worker) = self.current.take() else { return };
        if let Some(stream) = self.stream.take() {
            stream.end(events);
        }
        stack.link_down(self.interface);
        if let Some(interface) = self.interface(stack) {
            interface.driver = None;
            interface.link_text.clear();
            interface.panels = Panels::default();
            stack.revision += 1;
        }
        worker.stop();
        self.abandoned.push(worker);
    }

    pub(super) fn give_up(&mut self, stack: &mut Stack, reason: &str, events: &mut Events<'_>, now: Instant) {
        let Some(worker) = self.current.take() else { return };
        if let Some(stream) = self.stream.take() {
            stream.end(events);
        }
        stack.link_down(self.interface);
        let name = worker.name().to_owned();
        let is_known = self.reasons.insert(name.clone(), reason.to_owned()).as_deref() == Some(reason);
        if let Some(interface) = self.interface(stack) {
            if interface.driver.take().is_some() || !is_known {
                log::warn!("{}: no link by driver {name}: {reason}", interface.name());
            }
            interface.link_text.clear();
            interface.panels = Panels::default();
            stack.revision += 1;
        }
        self.failed = name;
        worker.stop();
        self.abandoned.push(worker);
        self.not_before = Some(now + RETRY);
    }

    /// Tries the driver after the one that failed, and leaves out those that are known to hang.
    fn attach(&mut self, stack: &Stack, names: &[String], root: &Path, waker: &Arc<Waker>, now: Instant) {
        if self.not_before.is_some_and(|at| now < at) {
            return;
        }
        self.reasons.retain(|name, _| names.contains(name));
        let hangs = |name: &String| self.abandoned.iter().any(|worker| worker.name() == name);
        let mut able = names.iter().filter(|name| !hangs(name));
        let Some(name) = able.clone().find(|name| **name > self.failed).or_else(|| able.next()) else {
            return;
        };
        let orders = self.orders(stack);
        let told = Told::of(stack, self.interface, &orders);
        match Worker::start(root, name.clone(), orders, waker.clone(), now) {
            Ok(worker) => {
                self.told = told;
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

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(worker) = &self.current {
            worker.stop();
        }
    }
}
