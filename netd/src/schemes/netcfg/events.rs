//! `events`: what has changed, a line each, for as many readers as there are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::stack::Stack;
use crate::stack::interface::Interface;

/// Lines that are kept for readers who come late.
const KEPT: usize = 1024;

/// The last changes.
#[derive(Default)]
pub struct Events {
    seen: State,
    lines: VecDeque<String>,
    /// The number of the line after the last one, counted from the start.
    end: u64,
}

/// Where a reader is.
#[derive(Debug)]
pub struct Cursor {
    next: u64,
    /// The rest of a line, or of what there is to say of lost ones.
    rest: Vec<u8>,
}

impl Events {
    /// Nothing has changed before what `stack` is now.
    pub fn new(stack: &Stack) -> Self {
        Self { seen: State::of(stack), ..Self::default() }
    }

    /// Notes what has changed since the last time. Whether anything has.
    pub fn note_changes(&mut self, stack: &Stack) -> bool {
        let now = State::of(stack);
        let changes = now.changes_since(&self.seen);
        self.seen = now;
        self.end += changes.len() as u64;
        self.lines.extend(changes.iter().map(|change| format!("{change}\n")));
        self.lines.drain(..self.lines.len().saturating_sub(KEPT));
        !changes.is_empty()
    }

    /// A reader of what changes from now on.
    pub fn cursor(&self) -> Cursor {
        Cursor { next: self.end, rest: Vec::new() }
    }

    /// Whether there is something to read.
    pub fn has_news(&self, cursor: &Cursor) -> bool {
        cursor.next < self.end || !cursor.rest.is_empty()
    }

    /// Reads what there is, as far as there is room: 0 if there is nothing. A reader who was too slow reads
    /// how many lines were lost.
    pub fn read(&self, cursor: &mut Cursor, buffer: &mut [u8]) -> usize {
        while cursor.rest.len() < buffer.len() && cursor.next < self.end {
            let first = self.end - self.lines.len() as u64;
            let lost = first.saturating_sub(cursor.next);
            if lost > 0 {
                cursor.rest.extend(format!("lost {lost}\n").bytes());
                cursor.next = first;
            }
            let line = usize::try_from(cursor.next - first).ok().and_then(|place| self.lines.get(place));
            cursor.rest.extend(line.into_iter().flat_map(|line| line.bytes()));
            cursor.next += 1;
        }
        let count = cursor.rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(cursor.rest.drain(..count)) {
            *to = from;
        }
        count
    }
}

/// What is watched, as text that can be compared.
#[derive(Default)]
struct State {
    /// What has one value: `link eth0` and `up`.
    values: BTreeMap<String, String>,
    /// What is there or not, by its kind: `address` and `eth0 10.0.2.15/24`.
    members: BTreeSet<(&'static str, String)>,
}

impl State {
    fn of(stack: &Stack) -> Self {
        let mut state = Self::default();
        for interface in stack.network.interfaces() {
            state.take_interface(interface);
        }
        for route in stack.network.routes.iter() {
            state.members.insert(("route", stack.network.route_text(route).to_string()));
        }
        state.members.extend(stack.resolvers().iter().map(|server| ("nameserver", server.to_string())));
        state.members.extend(stack.search().iter().map(|domain| ("search", domain.to_string())));
        state
    }

    fn take_interface(&mut self, interface: &Interface) {
        let name = interface.name();
        let word = |on: bool| if on { "up" } else { "down" }.to_owned();
        let driver = interface.driver.clone().unwrap_or_else(|| "none".to_owned());
        let mac = interface.ethernet_address().map(|mac| ("mac", mac.to_string().replace('-', ":")));
        let values = [
            ("state", word(interface.up)),
            ("link", word(interface.running)),
            ("driver", driver),
            ("mtu", interface.mtu().to_string()),
        ];
        self.values
            .extend(values.into_iter().chain(mac).map(|(kind, value)| (format!("{kind} {name}"), value)));
        self.members.insert(("interface", name.to_owned()));
        self.members
            .extend(interface.addresses.iter().map(|address| ("address", format!("{name} {address}"))));
    }

    /// Removals come first, so that a replaced address reads in the order of its going and coming. Of an
    /// interface that is gone nothing else is told.
    fn changes_since(&self, before: &Self) -> Vec<String> {
        let removed =
            before.members.difference(&self.members).map(|(kind, what)| format!("{kind} remove {what}"));
        let added = self.members.difference(&before.members).map(|(kind, what)| format!("{kind} add {what}"));
        let is_other = |(subject, value): &(&String, &String)| before.values.get(*subject) != Some(*value);
        let changed =
            self.values.iter().filter(is_other).map(|(subject, value)| format!("{subject} {value}"));
        removed.chain(added).chain(changed).collect()
    }
}
