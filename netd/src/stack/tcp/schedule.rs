//! Whose turn it is: only connections that want to send, or whose time has come, are touched.

use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;

use super::connection::{LINGER, Owner, Snapshot};
use super::{Change, ConnectionId, Tcp};
use crate::stack::datagram::Datagram;
use crate::stack::error::SocketError;
use crate::stack::network::Network;
use crate::stack::ports::Sharing;
use crate::stack::readiness::Readiness;

/// Packets that a connection sends before it is another one's turn.
const BURST: usize = 16;
/// Closed connections kept in TIME-WAIT for nobody: each holds two buffers.
const TIME_WAIT: usize = 32;

impl Tcp {
    /// Lets those send who want to and can.
    pub fn poll(&mut self, network: &mut Network) {
        let now = network.now;
        while let Some((at, id)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            let Some(connection) = self.connections.get_mut(id.0) else { continue };
            connection.timer = None;
            match connection.limit() {
                Some(limit) if limit <= now => self.give_up(id),
                _ => self.mark_dirty(id),
            }
        }
        self.wake_stalled(network);
        for _ in 0..self.dirty.len() {
            let Some(id) = self.dirty.pop_front() else { break };
            self.serve(id, network);
        }
    }

    /// The time of a connection is over.
    fn give_up(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        match connection.owner {
            // It could not even send its RST.
            Owner::Nobody(_) if connection.dirty => self.remove(id),
            Owner::Nobody(_) => self.mark_dirty(id),
            Owner::Handshake(_) => self.remove(id),
            Owner::Accept(_) | Owner::User => self.fail(id, SocketError::TimedOut),
        }
    }

    /// Ends a connection for a reason that came by another way than TCP.
    pub(super) fn fail(&mut self, id: ConnectionId, error: SocketError) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        connection.fail(error);
        self.changes.push(Change::Connection(id, Readiness::BOTH));
        self.mark_dirty(id);
    }

    /// When [`poll`](Self::poll) is due.
    pub fn deadline(&self, network: &Network) -> Option<Instant> {
        let is_ready = !self.dirty.is_empty() || self.stalled.iter().any(|id| self.can_send(*id, network));
        match is_ready {
            true => Some(network.now),
            false => self.timers.first().map(|(at, _)| *at),
        }
    }

    pub(super) fn mark_dirty(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id.0)
            && !connection.dirty
        {
            connection.dirty = true;
            self.dirty.push_back(id);
        }
    }

    fn wake_stalled(&mut self, network: &Network) {
        let (ready, stalled): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.stalled).into_iter().partition(|id| self.can_send(*id, network));
        self.dirty.extend(ready);
        for id in &stalled {
            self.await_end(*id, network.now);
        }
        self.stalled = stalled;
    }

    fn can_send(&self, id: ConnectionId, network: &Network) -> bool {
        self.connections.get(id.0).is_none_or(|connection| network.room(connection.interface) > 0)
    }

    /// What cannot send ends all the same, sooner or later than before if its program has done something since.
    fn await_end(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        connection.watch(false, now);
        let limit = connection.limit();
        self.set_timer(id, limit);
    }

    /// One turn of a connection that wants to send.
    fn serve(&mut self, id: ConnectionId, network: &mut Network) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let room = network.room(connection.interface);
        if room == 0 {
            // It stays marked as dirty, so that it is queued once.
            self.stalled.push(id);
            return self.await_end(id, network.now);
        }
        connection.dirty = false;
        let before = connection.snapshot();
        let more = connection.transmit(room.min(BURST), network);
        self.settle(id, before, false, network);
        if more {
            self.mark_dirty(id);
        }
    }

    pub(super) fn feed(&mut self, id: ConnectionId, datagram: &Datagram<'_>, network: &mut Network) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let before = connection.snapshot();
        connection.receive(datagram, network);
        self.settle(id, before, true, network);
    }

    /// Draws the consequences of what happened to a connection since `before`.
    fn settle(&mut self, id: ConnectionId, before: Snapshot, by_peer: bool, network: &mut Network) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let changes = connection.changes_since(before);
        connection.watch(by_peer, network.now);
        match connection.owner {
            Owner::Handshake(listener) => self.settle_handshake(id, listener),
            Owner::Accept(_) => (),
            Owner::User if changes != Readiness::NONE => self.changes.push(Change::Connection(id, changes)),
            Owner::User => (),
            Owner::Nobody(limit) => self.settle_orphan(id, limit, before, network.now),
        }
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        let deadline = connection.deadline(by_peer, network);
        self.set_timer(id, deadline);
    }

    fn settle_orphan(&mut self, id: ConnectionId, limit: Instant, before: Snapshot, now: Instant) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        if connection.is_over() {
            return self.remove(id);
        }
        let (progressed, state) = (connection.progressed_since(before), connection.state());
        // What a lingering socket was given time for is done when the peer has its FIN.
        let is_limited = connection.options().linger.is_some_and(|linger| linger < LINGER)
            && !matches!(state, State::FinWait2 | State::TimeWait);
        if connection.has_unread() && state != State::Closed {
            // Nobody will read it, and the peer should know (RFC 2525 section 2.17).
            connection.abort();
        } else if progressed && !is_limited {
            connection.owner = Owner::Nobody(now + LINGER);
        } else if now >= limit && state != State::Closed {
            connection.abort();
        } else if now >= limit {
            return self.remove(id);
        }
        if progressed && state == State::TimeWait {
            self.keep_in_time_wait(id);
        }
    }

    pub(super) fn keep_in_time_wait(&mut self, id: ConnectionId) {
        self.time_wait.push_back(id);
        while self.time_wait.len() > TIME_WAIT {
            let Some(oldest) = self.time_wait.pop_front() else { break };
            self.remove(oldest);
        }
    }

    fn set_timer(&mut self, id: ConnectionId, at: Option<Instant>) {
        let Some(connection) = self.connections.get_mut(id.0) else { return };
        if connection.timer == at {
            return;
        }
        if let Some(old) = std::mem::replace(&mut connection.timer, at) {
            self.timers.remove(&(old, id));
        }
        if let Some(at) = at {
            self.timers.insert((at, id));
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.set_timer(id, None);
        let Some(connection) = self.connections.try_remove(id.0) else { return };
        self.orphans -= usize::from(matches!(connection.owner, Owner::Nobody(_)));
        if self.by_tuple.get(&connection.tuple) == Some(&id) {
            self.by_tuple.remove(&connection.tuple);
        }
        if let Some(bound) = connection.bound {
            self.ports.release(bound, Sharing::default());
        }
        if let Owner::Handshake(listener) = connection.owner
            && let Some(listener) = self.listeners.get_mut(listener.0)
        {
            listener.half_open.remove(&id);
        }
        self.dirty.retain(|other| *other != id);
        self.stalled.retain(|other| *other != id);
        self.time_wait.retain(|other| *other != id);
    }
}
