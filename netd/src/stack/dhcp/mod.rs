//! The DHCP client of an interface (RFC 2131 section 4.4).

mod lease;
mod message;
mod options;
mod questions;
mod retry;
mod search;
mod state;

use std::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::EthernetAddress;

pub use self::lease::{Lease, LeasedRoute};
use self::message::{Kind, Message};
use self::options::Code;
use self::retry::{Retry, jittered};
use self::state::{Held, State};
use super::address;
use super::conflict::{Probing, Step};
use super::random::Random;

/// RFC 2131 section 4.1.
pub const SERVER_PORT: u16 = 67;
/// RFC 2131 section 4.1.
pub const CLIENT_PORT: u16 = 68;
/// How often an offer is asked for before another server has its chance.
const REQUESTS: u32 = 4;
/// How often it is asked whether a former lease, or a former netd's, still holds. A server that does not know it, that of
/// another network for instance, says nothing; a lease is used as it was until there is another one.
const REBOOTS: u32 = 2;
/// Before a client that was refused asks again, so that a bad server is not asked as often as it likes.
const AFTER_NAK: Duration = Duration::from_secs(2);
/// Before a client that declined an address asks again (RFC 2131 section 3.1, step 5).
const AFTER_DECLINE: Duration = Duration::from_secs(10);
/// The shortest time between two renewals (RFC 2131 section 4.4.5).
const RENEWAL: Duration = Duration::from_secs(60);
/// What the interface has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a message to a server's port.
    Send {
        /// The UDP payload.
        message: Vec<u8>,
        /// Our address, if we may use one.
        from: Ipv4Addr,
        /// A server, or everybody.
        to: Ipv4Addr,
    },
    /// Ask by ARP who has the address.
    Probe(Ipv4Addr),
    /// Use this lease in place of the former one.
    Use(Lease, Option<Lease>),
    /// The lease in use lasts longer.
    Renewed,
    /// The lease is over.
    Drop(Lease),
}

/// What an interface had before netd was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// The address that was leased.
    pub address: Ipv4Addr,
    /// To whom.
    pub hardware: EthernetAddress,
    /// Whether it should be ours still.
    pub is_held: bool,
}

/// Why a message from a server was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not for us, or not for now.
    NotOurs,
    /// It cannot be parsed, or its content makes no sense.
    Malformed,
}

/// The client.
pub struct Dhcp {
    random: Random,
    hardware: EthernetAddress,
    hostname: String,
    state: State,
    /// Of the last question.
    transaction: u32,
    /// When the exchange of messages began.
    began: Instant,
    /// When a lease was first asked for in it, from which that counts (RFC 2131 section 4.4.1).
    asked: Instant,
    held: Option<Held>,
    /// The address to ask for.
    wanted: Option<Ipv4Addr>,
    /// What the interface had before netd was started, until there is a link.
    former: Option<Former>,
    actions: Vec<Action>,
}

impl Dhcp {
    /// A client without a link; `seed` makes its transactions and waits.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new([seed, 0]),
            hardware: EthernetAddress([0; 6]),
            hostname: String::new(),
            state: State::Stopped,
            transaction: 0,
            began: Instant::ZERO,
            asked: Instant::ZERO,
            held: None,
            wanted: None,
            former: None,
            actions: Vec::new(),
        }
    }

    /// What servers are told that this host is called; empty for nothing.
    pub fn set_hostname(&mut self, hostname: &str) {
        hostname.clone_into(&mut self.hostname);
    }

    /// What the interface had before netd was started.
    pub fn remember(&mut self, former: Option<Former>) {
        self.former = former;
    }

    /// When the lease in use is over, unless it does not end.
    pub fn lease_ends(&self) -> Option<Instant> {
        self.held.as_ref().and_then(Held::ends_at)
    }

    /// The lease in use.
    pub fn lease(&self) -> Option<&Lease> {
        self.held.as_ref().map(|held| &held.lease)
    }

    /// What the client does, in a word.
    pub fn state(&self) -> &'static str {
        match &self.state {
            State::Stopped | State::Init { .. } | State::Selecting { .. } if self.held.is_none() => {
                "searching"
            }
            State::Stopped | State::Init { .. } | State::Selecting { .. } | State::Bound => "bound",
            State::Requesting { .. } => "requesting",
            State::Checking { .. } => "checking",
            State::Rebooting { .. } => "rebooting",
            State::Renewing { .. } => "renewing",
            State::Rebinding { .. } => "rebinding",
        }
    }

    /// The link is up, with this address of ours. A lease in use is confirmed, and used meanwhile; as another
    /// host, with another address, we need another one.
    pub fn link_up(&mut self, hardware: EthernetAddress, now: Instant) {
        let is_same = std::mem::replace(&mut self.hardware, hardware) == hardware;
        if !is_same || self.is_over(now) {
            self.lose();
        }
        self.begin(now);
        let former = self.former.take().filter(|former| former.hardware == hardware);
        self.wanted = self.wanted.or(former.map(|former| former.address));
        self.state = match self.held.is_some() || former.is_some_and(|former| former.is_held) {
            true => {
                self.reboot(now);
                State::Rebooting { retry: Retry::first(now, &mut self.random) }
            }
            false => State::Init { at: now },
        };
    }

    /// Gives the lease back, and does no more: what is left to do.
    pub fn stop(&mut self, now: Instant) -> Vec<Action> {
        if let Some(held) = self.held.take() {
            self.begin(now);
            let (own, server) = (held.lease.address.addr(), held.lease.server);
            self.send(Kind::Release, Some(own), server, &[(Code::ServerIdentifier, server)], now);
            self.actions.push(Action::Drop(held.lease));
        }
        self.state = State::Stopped;
        std::mem::take(&mut self.actions)
    }

    /// Asks for the present lease once more, ahead of its time.
    pub fn renew(&mut self, now: Instant) {
        if matches!(self.state, State::Bound) && self.held.is_some() {
            self.state = self.advance(State::Bound, now);
        }
    }

    /// Takes the UDP payload of a server's message from `source`.
    pub fn receive(&mut self, source: Ipv4Addr, bytes: &[u8], now: Instant) -> Result<(), Refusal> {
        let message = Message::parse(bytes).ok_or(Refusal::Malformed)?;
        if message.hardware != self.hardware || message.transaction != self.transaction {
            return Err(Refusal::NotOurs);
        }
        let server = message
            .options
            .address(Code::ServerIdentifier)
            .filter(|server| address::is_host((*server).into()));
        let server = server.filter(|_| address::is_host(source.into())).ok_or(Refusal::Malformed)?;
        match (&self.state, message.kind) {
            (State::Selecting { .. }, Kind::Offer) => {
                let offer = Lease::of(&message).ok_or(Refusal::Malformed)?;
                self.asked = now;
                self.request(&offer, now);
                self.state = State::Requesting { offer, retry: Retry::first(now, &mut self.random) };
            }
            // Another server than the one that was asked has nothing to say.
            (State::Requesting { offer, .. }, Kind::Ack | Kind::Nak) if offer.server != server => {
                return Err(Refusal::NotOurs);
            }
            (
                State::Requesting { .. }
                | State::Rebooting { .. }
                | State::Renewing { .. }
                | State::Rebinding { .. },
                Kind::Ack,
            ) => self.acknowledged(Lease::of(&message).ok_or(Refusal::Malformed)?, now),
            (
                State::Requesting { .. }
                | State::Rebooting { .. }
                | State::Renewing { .. }
                | State::Rebinding { .. },
                Kind::Nak,
            ) => {
                self.lose();
                self.wanted = None;
                self.state = State::Init { at: now + jittered(AFTER_NAK, &mut self.random) };
            }
            _ => return Err(Refusal::NotOurs),
        }
        Ok(())
    }

    /// Another host has, or wants, `address`. That concerns us while we ask for it.
    pub fn receive_claim(&mut self, address: Ipv4Addr, now: Instant) {
        if let State::Checking { lease, .. } = &self.state
            && lease.address.addr() == address
        {
            let lease = lease.clone();
            self.decline(&lease, now);
        }
    }

    /// Another host uses the leased address, and goes on (RFC 5227 section 2.4).
    pub fn conflict(&mut self, now: Instant) {
        if let Some(held) = self.held.take() {
            self.actions.push(Action::Drop(held.lease.clone()));
            self.decline(&held.lease, now);
        }
    }

    /// Does what is due: what the interface has to do.
    pub fn poll(&mut self, now: Instant) -> Vec<Action> {
        if self.is_over(now) {
            self.lose();
            self.state = State::Init { at: now };
        }
        if self.next().is_some_and(|at| at <= now) {
            let state = std::mem::replace(&mut self.state, State::Stopped);
            self.state = self.advance(state, now);
        }
        std::mem::take(&mut self.actions)
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        if !self.actions.is_empty() {
            return Some(now);
        }
        let end = self.held.as_ref().and_then(Held::ends_at);
        self.next().into_iter().chain(end).min()
    }

    fn next(&self) -> Option<Instant> {
        let held = self.held.as_ref();
        match &self.state {
            State::Stopped => None,
            State::Init { at } => Some(*at),
            State::Selecting { retry } | State::Requesting { retry, .. } | State::Rebooting { retry } => {
                Some(retry.at)
            }
            State::Checking { probing, .. } => Some(probing.deadline()),
            State::Bound => held.and_then(Held::renew_at),
            State::Renewing { next } => held.and_then(Held::rebind_at).map(|rebind| rebind.min(*next)),
            State::Rebinding { next } => Some(*next),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.held.as_ref().and_then(Held::ends_at).is_some_and(|end| end <= now)
    }

    /// Does what a state does when its time has come, and gives the next one.
    fn advance(&mut self, state: State, now: Instant) -> State {
        match state {
            State::Stopped => State::Stopped,
            State::Init { .. } => {
                self.begin(now);
                self.discover(now);
                State::Selecting { retry: Retry::first(now, &mut self.random) }
            }
            State::Selecting { retry } => {
                self.discover(now);
                State::Selecting { retry: retry.again(now, &mut self.random) }
            }
            State::Requesting { retry, .. } if retry.sent >= REQUESTS => State::Init { at: now },
            State::Requesting { offer, retry } => {
                self.request(&offer, now);
                State::Requesting { offer, retry: retry.again(now, &mut self.random) }
            }
            State::Rebooting { retry } if retry.sent >= REBOOTS => State::Init { at: now },
            State::Rebooting { retry } => {
                self.reboot(now);
                State::Rebooting { retry: retry.again(now, &mut self.random) }
            }
            State::Checking { lease, since, probing } => self.check(lease, since, probing, now),
            State::Bound => {
                self.begin(now);
                self.extend(now)
            }
            State::Renewing { .. } | State::Rebinding { .. } => self.extend(now),
        }
    }

    /// Asks the server that gave the lease to extend it, or from T2 on any server.
    fn extend(&mut self, now: Instant) -> State {
        let Some(held) = &self.held else { return State::Init { at: now } };
        let (own, server) = (held.lease.address.addr(), held.lease.server);
        let (rebind, end) = (held.rebind_at().unwrap_or(now), held.ends_at().unwrap_or(now));
        let wait = |until: Instant| now + RENEWAL.max((until - now) / 2);
        if now < rebind {
            self.send(Kind::Request, Some(own), server, &[], now);
            State::Renewing { next: wait(rebind) }
        } else {
            self.send(Kind::Request, Some(own), Ipv4Addr::BROADCAST, &[], now);
            State::Rebinding { next: wait(end) }
        }
    }

    fn check(&mut self, lease: Lease, since: Instant, mut probing: Probing, now: Instant) -> State {
        match probing.poll(&mut self.random, now) {
            Some(Step::Free) => self.bind(lease, since),
            step => {
                self.actions.extend(step.map(|_| Action::Probe(probing.address)));
                State::Checking { lease, since, probing }
            }
        }
    }

    /// An address that we have is ours already; another one is checked first.
    fn acknowledged(&mut self, lease: Lease, now: Instant) {
        let since = self.asked;
        let own = lease.address.addr();
        self.state = match &self.held {
            Some(held) if held.lease.address.addr() == own => self.bind(lease, since),
            _ => State::Checking { lease, since, probing: Probing::new(own, &mut self.random, now) },
        };
    }

    fn bind(&mut self, lease: Lease, since: Instant) -> State {
        let former = self.held.take().map(|held| held.lease);
        self.actions.push(match former {
            Some(former) if former == lease => Action::Renewed,
            former => Action::Use(lease.clone(), former),
        });
        self.wanted = Some(lease.address.addr());
        self.held = Some(Held { lease, since });
        State::Bound
    }

    fn decline(&mut self, lease: &Lease, now: Instant) {
        let (address, server) = (lease.address.addr(), lease.server);
        let named = [(Code::RequestedIpAddress, address), (Code::ServerIdentifier, server)];
        self.send(Kind::Decline, None, Ipv4Addr::BROADCAST, &named, now);
        self.wanted = None;
        self.state = State::Init { at: now + AFTER_DECLINE };
    }

    fn lose(&mut self) {
        if let Some(held) = self.held.take() {
            self.actions.push(Action::Drop(held.lease));
        }
    }
}
