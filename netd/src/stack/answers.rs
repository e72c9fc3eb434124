//! What is said about packets that nobody here wants, and to echo requests: ICMP (RFC 792, RFC 1122), ICMPv6 (RFC 4443).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, Icmpv4Repr, IpProtocol};

use super::datagram::Datagram;
use super::icmpv6;
use super::ipv4;

/// Errors that may be sent at once, and after that one an interval (RFC 4443 section 2.4 (f)).
const BURST: u32 = 32;
const INTERVAL: Duration = Duration::from_millis(10);
/// The longest ICMP error (RFC 1812 section 4.3.2.3).
const LONGEST_V4: usize = 576;
/// The longest ICMPv6 error: what every link carries (RFC 4443 section 3.1).
const LONGEST_V6: usize = 1280;
/// What stands before the packet that an error quotes, after its type, code and checksum.
const PARAMETER: usize = 4;

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Nobody has its port.
    NoPort,
    /// Nobody knows its protocol, whose number is so many bytes from its beginning.
    NoProtocol(u32),
    /// It has a header or an option that it must not have, so many bytes from its beginning: RFC 4443 section 3.4 names
    /// the code.
    Malformed(u8, u32),
    /// Not all of it came.
    Incomplete,
}

/// Bounds how many errors are sent.
#[derive(Debug)]
pub struct Limit {
    left: u32,
    last: Instant,
}

impl Default for Limit {
    fn default() -> Self {
        Self { left: BURST, last: Instant::ZERO }
    }
}

impl Limit {
    /// Whether one more may be sent.
    pub fn take(&mut self, now: Instant) -> bool {
        let earned = (now - self.last).total_micros() / INTERVAL.total_micros();
        if earned > 0 {
            self.left = self.left.saturating_add(earned.try_into().unwrap_or(BURST)).min(BURST);
            self.last = now;
        }
        let may = self.left > 0;
        self.left -= u32::from(may);
        may
    }
}

/// The reply to an echo request, from `source`; `None` if `datagram` is none. It is as long as the request, fragments or
/// not.
pub fn echo_reply(datagram: &Datagram<'_>, source: IpAddr) -> Option<Vec<u8>> {
    match (datagram.source, datagram.destination, source) {
        (IpAddr::V4(peer), _, IpAddr::V4(own)) => echo_reply_v4(datagram, own, peer),
        (IpAddr::V6(peer), IpAddr::V6(to), IpAddr::V6(own)) => echo_reply_v6(datagram, own, peer, to),
        _ => None,
    }
}

fn echo_reply_v4(datagram: &Datagram<'_>, own: Ipv4Addr, peer: Ipv4Addr) -> Option<Vec<u8>> {
    let request = Icmpv4Packet::new_checked(datagram.payload).ok()?;
    if datagram.protocol != IpProtocol::Icmp
        || request.msg_type() != Icmpv4Message::EchoRequest
        || !request.verify_checksum()
    {
        return None;
    }
    let reply = Icmpv4Repr::EchoReply {
        ident: request.echo_ident(),
        seq_no: request.echo_seq_no(),
        data: request.data(),
    };
    Some(ipv4::build(own, peer, IpProtocol::Icmp, reply.buffer_len(), |payload| {
        reply.emit(&mut Icmpv4Packet::new_unchecked(payload), &ChecksumCapabilities::default());
    }))
}

fn echo_reply_v6(datagram: &Datagram<'_>, own: Ipv6Addr, peer: Ipv6Addr, to: Ipv6Addr) -> Option<Vec<u8>> {
    let request = icmpv6::parse(peer, to, datagram.payload)?;
    (datagram.protocol == IpProtocol::Icmpv6 && request.kind == icmpv6::ECHO_REQUEST).then(|| {
        icmpv6::build(own, peer, icmpv6::ECHO_REPLY, 0, request.body.len(), |body| {
            body.copy_from_slice(request.body)
        })
    })
}

/// An error about `datagram`, from the address that it was sent to; `None` where errors are not allowed.
pub fn error(datagram: &Datagram<'_>, complaint: Complaint) -> Option<Vec<u8>> {
    match (datagram.source, datagram.destination) {
        (IpAddr::V4(peer), IpAddr::V4(own)) => error_v4(datagram, own, peer, complaint),
        (IpAddr::V6(peer), IpAddr::V6(own)) => error_v6(datagram, own, peer, complaint),
        _ => None,
    }
}

/// RFC 1122 section 3.2.2: never about ICMP errors.
fn error_v4(datagram: &Datagram<'_>, own: Ipv4Addr, peer: Ipv4Addr, complaint: Complaint) -> Option<Vec<u8>> {
    const DESTINATION_UNREACHABLE: u8 = 3;
    const TIME_EXCEEDED: u8 = 11;
    let (kind, code) = match complaint {
        Complaint::NoProtocol(_) => (DESTINATION_UNREACHABLE, 2),
        Complaint::NoPort => (DESTINATION_UNREACHABLE, 3),
        Complaint::Incomplete => (TIME_EXCEEDED, 1),
        Complaint::Malformed(..) => return None,
    };
    if datagram.protocol == IpProtocol::Icmp && !ipv4::is_echo(datagram.payload) {
        return None;
    }
    let room = LONGEST_V4 - ipv4::HEADER - icmpv6::HEADER - PARAMETER;
    let quote = datagram.bytes.get(..room).unwrap_or(datagram.bytes);
    Some(ipv4::build(own, peer, IpProtocol::Icmp, icmpv6::HEADER + PARAMETER + quote.len(), |payload| {
        (payload[0], payload[1]) = (kind, code);
        payload[icmpv6::HEADER + PARAMETER..].copy_from_slice(quote);
        Icmpv4Packet::new_unchecked(payload).fill_checksum();
    }))
}

/// RFC 4443 section 2.4 (e): never about ICMPv6 errors.
fn error_v6(datagram: &Datagram<'_>, own: Ipv6Addr, peer: Ipv6Addr, complaint: Complaint) -> Option<Vec<u8>> {
    const PORT: u8 = 4;
    const NEXT_HEADER: u8 = 1;
    const REASSEMBLY: u8 = 1;
    let (kind, code, parameter) = match complaint {
        Complaint::NoPort => (icmpv6::DESTINATION_UNREACHABLE, PORT, 0),
        Complaint::NoProtocol(at) => (icmpv6::PARAMETER_PROBLEM, NEXT_HEADER, at),
        Complaint::Malformed(code, at) => (icmpv6::PARAMETER_PROBLEM, code, at),
        Complaint::Incomplete => (icmpv6::TIME_EXCEEDED, REASSEMBLY, 0),
    };
    let is_error = datagram.protocol == IpProtocol::Icmpv6
        && datagram.payload.first().is_none_or(|kind| *kind < icmpv6::ECHO_REQUEST);
    if is_error || peer.is_unspecified() || peer.is_multicast() {
        return None;
    }
    let room = LONGEST_V6 - super::ipv6::HEADER - icmpv6::HEADER - PARAMETER;
    let quote = datagram.bytes.get(..room).unwrap_or(datagram.bytes);
    Some(icmpv6::build(own, peer, kind, code, PARAMETER + quote.len(), |body| {
        body[..PARAMETER].copy_from_slice(&parameter.to_be_bytes());
        body[PARAMETER..].copy_from_slice(quote);
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_bounded_and_come_again() {
        let mut limit = Limit::default();
        let at = |milliseconds| Instant::ZERO + Duration::from_millis(milliseconds);
        assert_eq!((0..100).filter(|_| limit.take(at(5))).count(), 32);
        assert_eq!((0..100).filter(|_| limit.take(at(25))).count(), 2);
        assert_eq!((0..100).filter(|_| limit.take(at(1_000_000))).count(), 32);
    }
}
