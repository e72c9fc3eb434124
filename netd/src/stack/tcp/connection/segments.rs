//! A connection's segments: what arrives is judged before smoltcp sees it, and what smoltcp sends goes on its way.

use std::borrow::Cow;

use smoltcp::socket::tcp::State;
use smoltcp::wire::TcpPacket;

use super::Connection;
use crate::stack::datagram::{self, Datagram};
use crate::stack::engine::Engine;
use crate::stack::interface::Interface;
use crate::stack::network::Network;
use crate::stack::packet::Packet;
use crate::stack::tcp::black_hole::SAFE_MTU;
use crate::stack::tcp::guard::{Verdict, View};
use crate::stack::tcp::packet;
use crate::stack::wire::HEADROOM;

/// To a peer that takes less than this at a time, segments are sent one by one.
const LEAST_SEGMENT: usize = 536;

impl Connection {
    /// Takes a packet of the connection; what TCP answers at once is sent.
    pub fn receive(&mut self, datagram: &Datagram<'_>, network: &mut Network) {
        let now = network.now;
        let Ok(segment) = TcpPacket::new_checked(datagram.payload) else { return };
        if !self.can_be_meant(&segment) {
            return;
        }
        let verdict = self.guard.judge(&segment, self.view());
        let packet = match verdict {
            Verdict::Take => match packet::with_longest(datagram, &segment, self.room(network)) {
                Some(mut packet) => Cow::Owned(packet.split_off(HEADROOM)),
                None => datagram.for_smoltcp(),
            },
            Verdict::TakeAs(amended) => Cow::Owned(amended.packet(datagram).split_off(HEADROOM)),
            Verdict::Challenge => {
                // smoltcp does not know of it, so that the guard must not count it either.
                let challenge = self.guard.challenge(datagram, self.view(), now);
                return self.emit(challenge.map(Packet::from).into_iter().collect(), network);
            }
            Verdict::Drop => return,
        };
        let answers = self.exchange(&packet, network);
        if segment.syn() && !matches!(self.state(), State::Listen | State::SynSent) {
            self.guard.begun(&segment);
            let longest = packet::longest(&segment).unwrap_or(packet::shortest(datagram.source));
            self.longest = self.room(network).min(longest.into());
        }
        if self.end.is_none() && self.peer_has_ended() {
            self.end = Some(segment.seq_number() + segment.segment_len());
        }
        self.send(answers, network);
    }

    /// Gives a packet to smoltcp; what it answers at once is returned.
    fn exchange(&mut self, packet: &[u8], network: &mut Network) -> Vec<Packet> {
        let now = network.now;
        if self.state() == State::Listen {
            let mtu = network.interface(self.interface).map_or(SAFE_MTU, Interface::mtu);
            let mut engine = Engine::for_sequence(mtu, self.number, now);
            return engine.exchange(packet, &mut self.set, now);
        }
        self.stop_probing();
        let Some(interface) = network.interface_mut(self.interface) else { return Vec::new() };
        let queued = self.socket().send_queue();
        let engine = interface.engine_for(self.narrow.as_deref_mut(), false);
        let answers = engine.exchange(packet, &mut self.set, now);
        if self.socket().send_queue() < queued {
            self.black_hole.progress();
        }
        answers
    }

    /// What the guard is to know.
    pub(super) fn view(&self) -> View {
        let socket = self.socket();
        View {
            state: socket.state(),
            waiting: socket.recv_queue(),
            room: socket.recv_capacity() - socket.recv_queue(),
            queued: socket.send_queue(),
            end: self.end,
        }
    }

    /// Takes the request of a peer that has our answer to it already.
    pub fn receive_answered(&mut self, request: &Datagram<'_>, network: &mut Network) {
        self.receive(request, network);
        let now = network.now;
        let Some(interface) = network.interface_mut(self.interface) else { return };
        let engine = interface.engine_for(self.narrow.as_deref_mut(), false);
        let answer = engine.egress(&mut self.set, 1, now);
        self.note(&answer);
    }

    fn send(&mut self, packets: Vec<Packet>, network: &mut Network) {
        self.note(&packets);
        self.emit(packets, network);
    }

    /// Lets the guard know what is sent.
    fn note(&mut self, packets: &[Packet]) {
        let header = HEADROOM + datagram::header(self.tuple.remote.ip());
        let capacity = self.socket().recv_capacity();
        for segment in packets.iter().filter_map(|packet| TcpPacket::new_checked(packet.get(header..)?).ok())
        {
            self.guard.sent(&segment, capacity);
        }
    }

    fn emit(&mut self, mut packets: Vec<Packet>, network: &mut Network) {
        for packet in &mut packets {
            // smoltcp sets the hop limit itself.
            datagram::mark(packet, self.options.traffic_class, None);
        }
        network.send_segments(self.interface, self.tuple.remote.ip(), packets, self.black_hole.fragmenting());
    }

    /// Whether an honest peer can have sent `segment`. smoltcp takes two for good that no such peer sends, and
    /// then counts beyond its buffers: a SYN that crosses ours before ours was sent, and text after the FIN.
    fn can_be_meant(&self, segment: &TcpPacket<&[u8]>) -> bool {
        let answers_nothing = self.state() == State::SynSent && !self.spoke;
        let is_late_text =
            self.end.is_some_and(|end| segment.seq_number() >= end && !segment.payload().is_empty());
        !answers_nothing && !is_late_text
    }

    /// Whether its driver makes its segments: not before they have their size, not too many of one packet, nor where the
    /// link has come to carry less than smoltcp knows.
    fn sends_in_one(&self, network: &Network) -> bool {
        let is_open = !matches!(self.state(), State::Listen | State::SynSent | State::SynReceived);
        is_open
            && self.longest >= LEAST_SEGMENT
            && network.interface(self.interface).is_some_and(Interface::makes_segments)
            && self.longest <= self.room(network)
    }

    /// The longest text of a segment, without options, that its link carries.
    fn room(&self, network: &Network) -> usize {
        let link = network.interface(self.interface).map_or(SAFE_MTU, Interface::mtu);
        link.saturating_sub(datagram::header(self.tuple.remote.ip()) + packet::HEADER)
    }

    /// Its path carries packets of `mtu` bytes at most from now on: what was lost is sent again in shorter segments.
    pub fn narrow(&mut self, mtu: usize, network: &mut Network) {
        let (now, seed) = (network.now, network.random.next_u64());
        let Some(interface) = network.interface_mut(self.interface) else { return };
        let present = self.narrow.as_deref().unwrap_or(&interface.engine).mtu();
        if mtu < present {
            self.narrow = Some(Box::new(Engine::new(mtu, seed, now)));
        }
    }

    /// The longest text of a segment that is sent (RFC 9293 section 3.7.1).
    pub fn segment_size(&self, network: &Network) -> usize {
        let link = network.interface(self.interface).map_or(SAFE_MTU, Interface::mtu);
        let path = self.narrow.as_deref().map_or(link, |engine| engine.mtu().min(link));
        self.longest.min(path - datagram::header(self.tuple.remote.ip()) - packet::HEADER)
    }

    fn peer_has_ended(&self) -> bool {
        matches!(self.state(), State::CloseWait | State::Closing | State::LastAck | State::TimeWait)
    }

    /// Sends up to `limit` packets; whether it may want to send more.
    pub fn transmit(&mut self, limit: usize, network: &mut Network) -> bool {
        let now = network.now;
        let limit = if self.state() == State::FinWait2 { limit.min(1) } else { limit };
        for _ in 0..limit {
            let in_one = self.sends_in_one(network);
            let Some(interface) = network.interface_mut(self.interface) else { return false };
            let engine = interface.engine_for(self.narrow.as_deref_mut(), in_one);
            let mut packets = engine.egress(&mut self.set, 1, now);
            if packets.is_empty() {
                return false;
            }
            if in_one {
                packets.iter_mut().for_each(|packet| packet.divide(self.longest));
            }
            self.spoke = true;
            if packets.iter().any(|packet| self.black_hole.note(packet)) {
                self.narrow(SAFE_MTU, network);
            }
            self.send(packets, network);
        }
        self.state() != State::FinWait2
    }
}
