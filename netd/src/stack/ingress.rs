//! The way of a packet in, from its header to the socket that it is for.

use std::net::{IpAddr, Ipv6Addr};

use smoltcp::wire::{EthernetAddress, IpProtocol};

use super::answers::{self, Complaint};
use super::datagram::Datagram;
use super::fragments::Piece;
use super::icmp::News;
use super::icmpv6::{self, Message};
use super::ipv4;
use super::ipv6::{self, Contents, Header, Refusal};
use super::network::Network;
use super::quoted::Quoted;
use super::routes::InterfaceId;
use super::{SocketError, Stack, mld};

/// Messages of neighbour discovery (RFC 4861 section 4).
const NDISC: std::ops::RangeInclusive<u8> = 133..=137;

impl Stack {
    /// Takes an IPv6 packet that `from` sent.
    pub(super) fn receive_ipv6(
        &mut self,
        id: InterfaceId,
        from: EthernetAddress,
        bytes: &[u8],
        is_good: bool,
    ) {
        let Some(header) = ipv6::header(bytes) else { return self.count_error(id) };
        let Header { source, destination, .. } = header;
        let is_martian = source.is_multicast()
            || source.is_loopback()
            || destination.is_loopback()
            || self.network.is_local(source.into());
        let Some(interface) = self.network.interface_mut(id) else { return };
        let is_ours = interface.has_address(destination.into()) || interface.groups.has(destination.into());
        if is_martian || !is_ours {
            interface.counters.rx_dropped += 1;
            return;
        }
        self.open_ipv6(id, header, Some(from), is_good);
    }

    /// Looks into an IPv6 packet for us. Nobody sent it `from` an Ethernet address if it comes from this host.
    pub(super) fn open_ipv6(
        &mut self,
        id: InterfaceId,
        packet: Header<'_>,
        from: Option<EthernetAddress>,
        is_good: bool,
    ) {
        match ipv6::open(packet) {
            Ok(Contents::Whole(datagram)) => {
                self.deliver_ipv6(id, packet, &Datagram { is_good, ..datagram }, from);
            }
            Ok(Contents::Piece(piece)) => {
                let now = self.network.now;
                if let Some(bytes) = self.fragments.add(id, &piece, now) {
                    self.open_whole_ipv6(id, &bytes);
                }
            }
            Ok(Contents::Nothing) => (),
            Err(refusal) => {
                self.count_error(id);
                if let Refusal::Told(complaint) = refusal {
                    self.complain(id, &unopened(packet), complaint);
                }
            }
        }
    }

    /// Looks into a packet that was put together. One that is in pieces even now would have its receiver put it together
    /// as often as its sender likes (RFC 8200 section 4.1: a fragment header occurs once). No neighbour speaks as one in
    /// pieces (RFC 6980), so that it counts as from nobody.
    fn open_whole_ipv6(&mut self, id: InterfaceId, bytes: &[u8]) {
        match ipv6::header(bytes) {
            Some(packet) if !matches!(ipv6::open(packet), Ok(Contents::Piece(_))) => {
                self.open_ipv6(id, packet, None, false);
            }
            _ => self.count_error(id),
        }
    }

    fn deliver_ipv6(
        &mut self,
        id: InterfaceId,
        packet: Header<'_>,
        datagram: &Datagram<'_>,
        from: Option<EthernetAddress>,
    ) {
        let Header { source, destination, .. } = packet;
        if datagram.protocol != IpProtocol::Icmpv6 {
            // Nobody could be answered (RFC 4291 section 2.5.2).
            if !source.is_unspecified() {
                self.deliver(id, datagram, !destination.is_multicast());
            }
            return;
        }
        let Some(message) = icmpv6::parse(source, destination, datagram.payload) else {
            return self.count_error(id);
        };
        match (message.kind, from) {
            (kind, Some(from)) if NDISC.contains(&kind) || kind == mld::QUERY => {
                self.receive_ndisc(id, packet, &message, from);
            }
            _ if !source.is_unspecified() => self.deliver(id, datagram, !destination.is_multicast()),
            _ => (),
        }
        if message.kind == icmpv6::ECHO_REQUEST && destination.is_multicast() {
            self.answer_group(id, datagram, source);
        }
    }

    fn receive_ndisc(
        &mut self,
        id: InterfaceId,
        packet: Header<'_>,
        message: &Message<'_>,
        from: EthernetAddress,
    ) {
        self.network.receive_ndisc(id, packet, message, from);
        self.follow_ipv6(id);
    }

    /// Takes over what routers and neighbours say.
    pub(super) fn follow_ipv6(&mut self, id: InterfaceId) {
        if self.network.follow_ipv6(id) {
            self.revision += 1;
        }
    }

    /// Whoever asks a group is answered from an address (RFC 4443 section 4.2).
    fn answer_group(&mut self, id: InterfaceId, request: &Datagram<'_>, asker: Ipv6Addr) {
        let now = self.network.now;
        let own = self.network.interface(id).and_then(|interface| interface.source_ipv6(asker, now));
        if let Some(reply) = own.and_then(|own| answers::echo_reply(request, own.into())) {
            self.network.send_from(id, request.source, vec![reply.into()]);
        }
    }

    /// Takes a piece of an IPv4 packet, and the packet if that is whole.
    pub(super) fn receive_ipv4_piece(&mut self, id: InterfaceId, from: EthernetAddress, piece: &Piece<'_>) {
        let now = self.network.now;
        let Some(interface) = self.network.interface_mut(id) else { return };
        if !interface.is_link_wide(piece.destination) && !interface.has_address(piece.destination) {
            interface.counters.rx_dropped += 1;
            return;
        }
        if let Some(bytes) = self.fragments.add(id, piece, now) {
            self.receive_ipv4(id, from, &bytes, false);
        }
    }

    /// Tells the senders of packets that did not come whole.
    pub(super) fn complain_of_late_fragments(&mut self) {
        for late in self.fragments.poll(self.network.now) {
            if let Some(datagram) = first_piece(&late.first) {
                self.complain(late.interface, &datagram, Complaint::Incomplete);
            }
        }
    }

    /// Gives a packet for us to its socket. One that nobody wants is answered if it `may_be_answered`.
    pub(super) fn deliver(&mut self, id: InterfaceId, datagram: &Datagram<'_>, may_be_answered: bool) {
        let by_raw = self.raw.receive(datagram);
        let network = &mut self.network;
        let complaint = match datagram.protocol {
            IpProtocol::Tcp => {
                if may_be_answered {
                    self.join_segment(id, datagram);
                }
                return;
            }
            IpProtocol::Udp => (!self.udp.receive(id, datagram, network)).then_some(Complaint::NoPort),
            IpProtocol::Icmp | IpProtocol::Icmpv6 => {
                match self.icmp.receive(id, datagram, network) {
                    Some((quoted, News::Error(error))) => self.unreachable(quoted, error),
                    Some((quoted, News::PathMtu(mtu))) => self.narrow(quoted, mtu),
                    None => (),
                }
                if may_be_answered && let Some(reply) = answers::echo_reply(datagram, datagram.destination) {
                    self.network.send_from(id, datagram.source, vec![reply.into()]);
                }
                None
            }
            _ => (!by_raw).then(|| Complaint::NoProtocol(protocol_named_at(datagram))),
        };
        if let Some(complaint) = complaint.filter(|_| may_be_answered) {
            self.complain(id, datagram, complaint);
        }
    }

    /// Gives a packet of TCP to its connection, or has its sender know that there is none.
    pub(super) fn deliver_segment(&mut self, id: InterfaceId, datagram: &Datagram<'_>) {
        if !self.tcp.receive(id, datagram, &mut self.network) {
            self.network.reset(id, datagram);
        }
    }

    /// Tells the sender of a packet what is wrong with it.
    fn complain(&mut self, id: InterfaceId, datagram: &Datagram<'_>, complaint: Complaint) {
        if datagram.destination.is_multicast() || !self.complaints.take(self.network.now) {
            return;
        }
        if let Some(error) = answers::error(datagram, complaint) {
            self.network.send_from(id, datagram.source, vec![error.into()]);
        }
    }

    pub(super) fn unreachable(&mut self, quoted: Quoted, error: SocketError) {
        match quoted.protocol {
            IpProtocol::Tcp => self.tcp.unreachable(quoted.local, quoted.remote, error),
            IpProtocol::Udp => self.udp.unreachable(quoted.local, quoted.remote, error),
            _ => (),
        }
    }

    /// A router tells what the path to `quoted.remote` carries. Who does not know what we have said to whom is not believed
    /// (RFC 5927 section 7).
    fn narrow(&mut self, quoted: Quoted, mtu: usize) {
        let is_ours = match quoted.protocol {
            IpProtocol::Tcp => self.tcp.has(quoted.local, quoted.remote),
            IpProtocol::Udp => self.udp.may_have_sent(quoted.local, quoted.remote),
            _ => false,
        };
        let Network { path_mtus, now, .. } = &mut self.network;
        if is_ours && let Some(mtu) = path_mtus.learn(quoted.remote.ip(), mtu, *now) {
            log::debug!("the path to {} carries packets of {mtu} bytes", quoted.remote.ip());
            self.tcp.narrow(quoted.remote.ip(), mtu, &mut self.network);
        }
    }

    pub(super) fn count_error(&mut self, id: InterfaceId) {
        if let Some(interface) = self.network.interface_mut(id) {
            interface.counters.rx_errors += 1;
        }
    }
}

/// The first piece of a packet as it is complained about.
fn first_piece(bytes: &[u8]) -> Option<Datagram<'_>> {
    let opened = match ipv6::header(bytes) {
        Some(header) => ipv6::open(header).ok(),
        None => ipv4::open(bytes),
    };
    let Contents::Piece(piece) = opened? else { return None };
    Some(Datagram {
        bytes,
        source: piece.source,
        destination: piece.destination,
        protocol: piece.protocol.into(),
        payload: piece.data,
        is_good: false,
    })
}

/// A packet as it is complained about.
fn unopened<'a>(packet: Header<'a>) -> Datagram<'a> {
    Datagram {
        bytes: packet.bytes,
        source: packet.source.into(),
        destination: packet.destination.into(),
        protocol: IpProtocol::Ipv6NoNxt,
        payload: &[],
        is_good: false,
    }
}

fn protocol_named_at(datagram: &Datagram<'_>) -> u32 {
    match datagram.destination {
        // ICMP does not tell where.
        IpAddr::V4(_) => 0,
        IpAddr::V6(_) => ipv6::protocol_named_at(datagram),
    }
}
