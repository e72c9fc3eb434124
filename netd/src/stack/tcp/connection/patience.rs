//! How long a connection waits for its peer, and when it asks whether that is still there.

use smoltcp::socket::tcp::State;
use smoltcp::time::{Duration, Instant};

use super::{Connection, Owner};
use crate::stack::earlier;
use crate::stack::network::Network;

/// How long a handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a peer may be silent that has data or a FIN to acknowledge (RFC 1122 section 4.2.3.5: at least 100 s).
const USER_TIMEOUT: Duration = Duration::from_secs(900);

/// What the peer owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Debt {
    /// The other part of the handshake, which no repeated SYN pays.
    Handshake,
    /// An acknowledgement of data or FIN.
    Acknowledgement,
    /// A sign of life, since keep-alive is on (RFC 1122 section 4.2.3.6).
    Sign,
}

/// What is waited for, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    debt: Debt,
    since: Instant,
    /// When the peer was asked for a sign of life for the first time.
    asked: Option<Instant>,
}

impl Connection {
    /// Looks what the peer owes; its time begins anew when it was `heard`.
    pub fn watch(&mut self, heard: bool, now: Instant) {
        let debt = match self.state() {
            State::Closed => None,
            State::Listen | State::SynSent | State::SynReceived => Some(Debt::Handshake),
            State::FinWait1 | State::Closing | State::LastAck => Some(Debt::Acknowledgement),
            _ if self.socket().send_queue() > 0 => Some(Debt::Acknowledgement),
            _ => self.options.keep_alive.is_on.then_some(Debt::Sign),
        };
        let is_old =
            |waiting: &Waiting| Some(waiting.debt) == debt && (waiting.debt == Debt::Handshake || !heard);
        let old = self.waiting.filter(is_old);
        self.waiting = debt.map(|debt| old.unwrap_or(Waiting { debt, since: now, asked: None }));
        if self.probe_at().is_some_and(|at| at <= now)
            && let Some(waiting) = &mut self.waiting
        {
            waiting.asked = Some(now);
            // smoltcp sends the first probe at once.
            let interval = self.options.keep_alive.interval;
            self.socket_mut().set_keep_alive(Some(interval));
        }
    }

    /// The peer is there: no probe is needed any more. smoltcp forgets its timer with the next segment that it takes.
    pub(super) fn stop_probing(&mut self) {
        self.socket_mut().set_keep_alive(None);
    }

    /// When the first probe of a silent peer is due.
    fn probe_at(&self) -> Option<Instant> {
        let is_silent = |waiting: &Waiting| waiting.debt == Debt::Sign && waiting.asked.is_none();
        self.waiting.filter(is_silent).map(|silent| silent.since + self.options.keep_alive.idle)
    }

    /// When it ends if nothing happens.
    pub fn limit(&self) -> Option<Instant> {
        if let Owner::Nobody(limit) = self.owner {
            return Some(limit);
        }
        let waiting = self.waiting?;
        match waiting.debt {
            Debt::Handshake => Some(waiting.since + CONNECT_TIMEOUT),
            Debt::Acknowledgement => Some(waiting.since + self.options.user_timeout.unwrap_or(USER_TIMEOUT)),
            Debt::Sign => Some(waiting.asked? + self.options.keep_alive.patience()),
        }
    }

    /// When it wants to send next, or ends; `heard` if the last thing that happened came from the peer.
    pub fn deadline(&mut self, heard: bool, network: &mut Network) -> Option<Instant> {
        let now = network.now;
        let interface = network.interface_mut(self.interface)?;
        let engine = interface.engine_for(self.narrow.as_deref_mut(), false);
        let wanted = engine.poll_at(&self.set, now);
        // smoltcp does not stop probing a closed window when all was acknowledged, FIN included.
        let is_vain = self.state() == State::FinWait2 && !heard;
        let wanted = wanted.filter(|wanted| *wanted > now || !is_vain);
        earlier(earlier(wanted, self.probe_at()), self.limit())
    }
}
