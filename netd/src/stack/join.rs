//! Segments of TCP that come together and follow one another are joined, so that their connection sees one (generic receive
//! offload). Counters, captures and raw sockets have seen each of them before.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::ops::Range;

use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket, TcpSeqNumber};

use super::Stack;
use super::datagram::{self, Datagram};
use super::routes::InterfaceId;

/// Connections whose segments are joined at the same time.
const MOST: usize = 8;

/// The longest packet that they make: IP tells its length in 16 bits.
const LONGEST: usize = u16::MAX as usize;

/// Where TCP's header has its acknowledgement, its length, its flags, its window, and its urgent pointer, which options follow
/// (RFC 9293 section 3.1).
const ACKNOWLEDGEMENT: Range<usize> = 8..12;
const OFFSET: usize = 12;
const FLAGS: usize = 13;
const WINDOW: Range<usize> = 14..16;
const URGENT: usize = 18;

/// The flags of a segment that others may follow, and what the last one may have beside.
const ACK: u8 = 1 << 4;
const PSH: u8 = 1 << 3;

impl Stack {
    /// Takes packets that have come together: `take` is to receive them.
    pub fn receive_together<R>(&mut self, take: impl FnOnce(&mut Self) -> R) -> R {
        self.joiner = Some(Joiner::default());
        let taken = take(self);
        let joiner = self.joiner.take().unwrap_or_default();
        joiner.0.into_iter().for_each(|joint| self.deliver_joint(joint));
        taken
    }

    /// Takes a packet of TCP for us.
    pub(super) fn join_segment(&mut self, id: InterfaceId, datagram: &Datagram<'_>) {
        let joiner = self.joiner.as_mut();
        let mtu = self.network.interface(id).map_or(usize::MAX, |interface| interface.mtu());
        if datagram.bytes.len() > mtu {
            let before = joiner.and_then(|joiner| joiner.end(id, datagram));
            before.into_iter().for_each(|joint| self.deliver_joint(joint));
            return self.deliver_joined(id, datagram, mtu);
        }
        match joiner.map_or(Next::Passed(None), |joiner| joiner.take(id, datagram)) {
            Next::Kept => (),
            Next::Ended(joint) => self.deliver_joint(joint),
            Next::Passed(before) => {
                before.into_iter().for_each(|joint| self.deliver_joint(joint));
                self.deliver_segment(id, datagram);
            }
        }
    }

    /// Takes a packet of segments that were joined before they came here.
    fn deliver_joined(&mut self, id: InterfaceId, datagram: &Datagram<'_>, mtu: usize) {
        match Joint::of_joined(id, datagram, mtu) {
            Some(joint) => self.deliver_joint(joint),
            None => self.deliver_segment(id, datagram),
        }
    }

    /// The last of several segments comes alone: smoltcp answers the second one that it sees at once, and lets a single one
    /// wait, however long it is (RFC 5681 section 4.2).
    fn deliver_joint(&mut self, mut joint: Joint) {
        let last = joint.take_last();
        for mut joint in [Some(joint), last].into_iter().flatten() {
            let interface = joint.interface;
            self.deliver_segment(interface, &joint.datagram());
        }
    }
}

/// The segments of packets that have come together.
#[derive(Debug, Default)]
pub struct Joiner(Vec<Joint>);

/// What becomes of a packet.
enum Next {
    /// It waits for those behind it.
    Kept,
    /// It is one with those before it, and the last of them.
    Ended(Joint),
    /// It stays what it is. Those before it come first.
    Passed(Option<Joint>),
}

impl Joiner {
    fn take(&mut self, interface: InterfaceId, datagram: &Datagram<'_>) -> Next {
        let Ok(segment) = TcpPacket::new_checked(datagram.payload) else { return Next::Passed(None) };
        let place = self.0.iter().position(|joint| joint.is_of(interface, datagram));
        let Some((place, joint)) = place.and_then(|place| Some((place, self.0.get_mut(place)?))) else {
            return self.begin(interface, datagram, &segment);
        };
        if !joint.is_followed_by(datagram, &segment) {
            return Next::Passed(Some(self.0.remove(place)));
        }
        joint.append(&segment);
        if segment.psh() || segment.payload().len() < joint.size {
            return Next::Ended(self.0.remove(place));
        }
        Next::Kept
    }

    /// Those of the packet's connection, if there are any.
    fn end(&mut self, interface: InterfaceId, datagram: &Datagram<'_>) -> Option<Joint> {
        let place = self.0.iter().position(|joint| joint.is_of(interface, datagram))?;
        Some(self.0.remove(place))
    }

    fn begin(&mut self, interface: InterfaceId, datagram: &Datagram<'_>, segment: &TcpPacket<&[u8]>) -> Next {
        let is_first = !segment.payload().is_empty()
            && is_plain(datagram)
            && datagram.payload.get(FLAGS) == Some(&ACK)
            && self.0.len() < MOST
            && datagram.has_good_checksum();
        if !is_first {
            return Next::Passed(None);
        }
        self.0.push(Joint::new(interface, datagram, segment));
        Next::Kept
    }
}

/// Segments that have become one.
#[derive(Debug)]
struct Joint {
    interface: InterfaceId,
    source: IpAddr,
    destination: IpAddr,
    /// The first packet, and the data of those that follow it.
    bytes: Vec<u8>,
    /// Bytes of data in each of them but the last.
    size: usize,
    /// Bytes of data in the last one.
    last: usize,
    /// The number of the next one.
    next: TcpSeqNumber,
}

impl Joint {
    fn new(interface: InterfaceId, datagram: &Datagram<'_>, segment: &TcpPacket<&[u8]>) -> Self {
        let size = segment.payload().len();
        Self {
            interface,
            source: datagram.source,
            destination: datagram.destination,
            bytes: datagram.bytes.to_vec(),
            size,
            last: size,
            next: segment.seq_number() + size,
        }
    }

    /// Segments that make one packet already, each but the last as long as `mtu` allows or a little less; `None` if it does
    /// not look like theirs.
    fn of_joined(interface: InterfaceId, datagram: &Datagram<'_>, mtu: usize) -> Option<Self> {
        let segment = TcpPacket::new_checked(datagram.payload).ok()?;
        let data = segment.payload().len();
        let is_plain = is_plain(datagram) && *datagram.payload.get(FLAGS)? & !PSH == ACK;
        let size = mtu.checked_sub(datagram.bytes.len() - data).filter(|size| is_plain && *size > 0)?;
        // What is over is the last one's, or all of it.
        let last = match data % size {
            0 => size,
            last => last,
        };
        Some(Self { size, last, ..Self::new(interface, datagram, &segment) })
    }

    /// Bytes of the IP header.
    fn header(&self) -> usize {
        datagram::header(self.destination)
    }

    /// The first segment, with the data of those that follow it.
    fn segment(&self) -> &[u8] {
        self.bytes.get(self.header()..).unwrap_or_default()
    }

    /// The packet is one of the same connection.
    fn is_of(&self, interface: InterfaceId, datagram: &Datagram<'_>) -> bool {
        const PORTS: Range<usize> = 0..4;
        (self.interface, self.source, self.destination) == (interface, datagram.source, datagram.destination)
            && self.segment().get(PORTS) == datagram.payload.get(PORTS)
    }

    /// The packet, of the same connection, holds what comes next, and its headers say nothing else that is new.
    fn is_followed_by(&self, datagram: &Datagram<'_>, segment: &TcpPacket<&[u8]>) -> bool {
        let (own, length) = (self.segment(), segment.payload().len());
        let is_same = |range: Range<usize>| own.get(range.clone()) == datagram.payload.get(range);
        segment.seq_number() == self.next
            && (1..=self.size).contains(&length)
            && self.bytes.len() + length <= LONGEST
            && datagram.payload.get(FLAGS).is_some_and(|flags| flags & !PSH == ACK)
            && is_same(ACKNOWLEDGEMENT)
            && is_same(OFFSET..FLAGS)
            && is_same(WINDOW)
            && is_same(URGENT..segment.header_len().into())
            && is_plain(datagram)
            && treatment(&self.bytes) == treatment(datagram.bytes)
            && datagram.has_good_checksum()
    }

    fn append(&mut self, segment: &TcpPacket<&[u8]>) {
        // Where two follow one another more do mostly, which are not to be moved for each other.
        self.bytes.reserve_exact(LONGEST.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(segment.payload());
        self.last = segment.payload().len();
        self.next += self.last;
        let at = self.header() + FLAGS;
        if let Some(flags) = self.bytes.get_mut(at).filter(|_| segment.psh()) {
            *flags |= PSH;
        }
    }

    /// Takes the last segment off, if there are others before it.
    fn take_last(&mut self) -> Option<Self> {
        let (header, at) = (self.header(), self.bytes.len() - self.last);
        let headers = header + usize::from(TcpPacket::new_checked(self.segment()).ok()?.header_len());
        if at <= headers {
            return None;
        }
        let mut bytes = [self.bytes.get(..headers)?, self.bytes.get(at..)?].concat();
        TcpPacket::new_unchecked(bytes.get_mut(header..)?).set_seq_number(self.next - self.last);
        self.bytes.truncate(at);
        let Self { interface, source, destination, size, last, next, .. } = *self;
        Some(Self { interface, source, destination, bytes, size, last, next })
    }

    /// The packet that they are now.
    fn datagram(&mut self) -> Datagram<'_> {
        let (length, header) = (self.bytes.len(), self.header());
        if self.destination.is_ipv4() {
            let mut packet = Ipv4Packet::new_unchecked(&mut self.bytes);
            packet.set_total_len(length as u16);
            packet.fill_checksum();
        } else {
            Ipv6Packet::new_unchecked(&mut self.bytes).set_payload_len((length - header) as u16);
        }
        Datagram {
            bytes: &self.bytes,
            source: self.source,
            destination: self.destination,
            protocol: IpProtocol::Tcp,
            payload: self.segment(),
            is_good: true,
        }
    }
}

/// Its IP header has neither options nor extensions.
fn is_plain(datagram: &Datagram<'_>) -> bool {
    datagram.bytes.len() == datagram::header(datagram.destination) + datagram.payload.len()
}

/// How the routers are asked to treat a packet, what they said of its way, and how long that was: differentiated services,
/// congestion, whether it may be in fragments, and the hops that it had left.
fn treatment(packet: &[u8]) -> Option<[u8; 5]> {
    match *packet.first_chunk::<9>()? {
        [version, class, _, _, _, _, fragments, _, hops] if version >> 4 == 4 => {
            Some([version, class, fragments, 0, hops])
        }
        [version, class, flow, label, _, _, _, hops, _] => Some([version, class, flow, label, hops]),
    }
}
