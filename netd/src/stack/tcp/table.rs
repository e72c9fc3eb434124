//! TCP's sockets, to be looked at.

use smoltcp::socket::tcp::State;

use super::Tcp;
use super::connection::Connection;
use crate::stack::table::Entry;

impl Tcp {
    /// Listeners, and then connections.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let listeners = self.listeners.iter().map(|(_, listener)| Entry {
            protocol: "tcp",
            state: "listen",
            local: listener.local,
            remote: None,
            received: listener.ready.len(),
            queued: 0,
            uid: listener.options.uid,
        });
        listeners.chain(self.connections.iter().map(|(_, connection)| entry(connection)))
    }
}

fn entry(connection: &Connection) -> Entry {
    let (received, queued) = connection.waiting();
    let tuple = &connection.tuple;
    let (local, remote) = (tuple.local, Some(tuple.remote));
    let (state, uid) = (name(connection.state()), connection.options().uid);
    Entry { protocol: "tcp", state, local, remote, received, queued, uid }
}

/// RFC 9293 section 3.3.2.
fn name(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Listen => "listen",
        State::SynSent => "syn-sent",
        State::SynReceived => "syn-received",
        State::Established => "established",
        State::FinWait1 => "fin-wait-1",
        State::FinWait2 => "fin-wait-2",
        State::CloseWait => "close-wait",
        State::Closing => "closing",
        State::LastAck => "last-ack",
        State::TimeWait => "time-wait",
    }
}
