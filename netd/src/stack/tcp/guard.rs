//! Between the wire and smoltcp, which believes too much and answers too little: what RFC 9293 and RFC 5961 ask of a
//! segment before it counts.

use smoltcp::socket::tcp::State;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{TcpPacket, TcpSeqNumber};

use super::packet::{self, HEADER};
use crate::stack::datagram::Datagram;

/// Between two challenges of one connection (RFC 5961 section 7).
const PAUSE: Duration = Duration::from_secs(1);
/// How old an acknowledgement may be, in bytes: more than is ever under way (RFC 5961 section 5.2: MAX.SND.WND).
const OLDEST: i32 = 1 << 22;

/// What is to become of a segment.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// smoltcp may have it.
    Take,
    /// smoltcp may have this in its place.
    TakeAs(Amended<'a>),
    /// It does not count, but the peer is told where we stand.
    Challenge,
    /// It does not count.
    Drop,
}

/// What counts of a segment: no SYN, and no options.
#[derive(Debug, PartialEq, Eq)]
pub struct Amended<'a> {
    number: TcpSeqNumber,
    acknowledged: TcpSeqNumber,
    window: u16,
    is_last: bool,
    text: &'a [u8],
}

impl<'a> Amended<'a> {
    fn all_of(segment: &TcpPacket<&'a [u8]>) -> Self {
        Self {
            number: segment.seq_number(),
            acknowledged: segment.ack_number(),
            window: segment.window_len(),
            is_last: segment.fin(),
            text: segment.payload(),
        }
    }

    /// The packet that replaces `datagram`, behind its headroom.
    pub fn packet(&self, datagram: &Datagram<'_>) -> Vec<u8> {
        packet::build(datagram, HEADER + self.text.len(), |segment| {
            segment.set_seq_number(self.number);
            segment.set_ack_number(self.acknowledged);
            segment.set_window_len(self.window);
            segment.set_fin(self.is_last);
            segment.payload_mut().copy_from_slice(self.text);
        })
    }
}

/// What smoltcp tells of its socket.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// RFC 9293 section 3.3.2.
    pub state: State,
    /// Bytes that the program has not read.
    pub waiting: usize,
    /// Bytes that can be received.
    pub room: usize,
    /// Bytes that the peer has not acknowledged, sent or not.
    pub queued: usize,
    /// What follows the peer's FIN, once that has come.
    pub end: Option<TcpSeqNumber>,
}

/// Where the numbers of a connection stand, as far as that can be seen from outside of smoltcp.
#[derive(Debug, Default)]
pub struct Guard {
    /// The first byte of the peer's stream, and how many the program has read.
    theirs: Option<TcpSeqNumber>,
    read: u32,
    /// The first byte of our stream, and how many the program has written.
    ours: Option<TcpSeqNumber>,
    written: u32,
    /// SND.NXT: what follows all that was sent.
    next: Option<TcpSeqNumber>,
    /// The window that was told last, scaled where scaling was agreed on.
    window: u16,
    /// The peer knows no window of ours but that of a SYN.
    is_opening: bool,
    challenged: Option<Instant>,
}

impl Guard {
    /// We send this, and can receive `capacity` bytes at most.
    pub fn sent(&mut self, segment: &TcpPacket<&[u8]>, capacity: usize) {
        if segment.rst() {
            return;
        }
        if segment.syn() {
            self.ours = Some(segment.seq_number() + 1);
        }
        let end = segment.seq_number() + segment.segment_len();
        self.next = Some(self.next.map_or(end, |next| next.max(end)));
        self.is_opening = segment.syn();
        self.window = match segment.syn() {
            true => segment.window_len() >> scale(capacity),
            false => segment.window_len(),
        };
    }

    /// smoltcp took the peer's SYN.
    pub fn begun(&mut self, request: &TcpPacket<&[u8]>) {
        self.theirs.get_or_insert(request.seq_number() + 1);
    }

    /// The program has read so many bytes. (Streams are longer than their numbers.)
    pub fn read(&mut self, count: usize) {
        self.read = self.read.wrapping_add(count as u32);
    }

    /// The program has written so many bytes.
    pub fn wrote(&mut self, count: usize) {
        self.written = self.written.wrapping_add(count as u32);
    }

    /// RCV.NXT: what the peer should send next.
    fn expected(&self, view: View) -> Option<TcpSeqNumber> {
        view.end.or_else(|| Some(at(self.theirs?, self.read.wrapping_add(view.waiting as u32))))
    }

    /// SND.UNA: what the peer has not acknowledged yet.
    fn unacknowledged(&self, view: View) -> Option<TcpSeqNumber> {
        Some(at(self.ours?, self.written.wrapping_sub(view.queued as u32)))
    }

    /// Judges a segment, whose checksum is right.
    pub fn judge<'a>(&self, segment: &TcpPacket<&'a [u8]>, view: View) -> Verdict<'a> {
        if matches!(view.state, State::Listen | State::SynSent | State::Closed) {
            return Verdict::Take;
        }
        match self.expected(view) {
            _ if self.is_beyond_the_first_window(segment) => Verdict::Challenge,
            None => Verdict::Take,
            Some(expected) if segment.rst() => judge_reset(distance(expected, segment.seq_number()), view),
            Some(expected) if segment.syn() => self.judge_request(segment, expected, view),
            Some(_) if view.state == State::SynReceived || !segment.ack() => Verdict::Take,
            Some(expected) => self.judge_text(segment, expected, view),
        }
    }

    /// The window of a SYN is never scaled (RFC 7323 section 2.2). smoltcp takes it for one that is, and would count
    /// beyond its buffer.
    fn is_beyond_the_first_window(&self, segment: &TcpPacket<&[u8]>) -> bool {
        let end = segment.seq_number() + segment.payload().len();
        let length = self.theirs.map_or(0, |first| distance(first, end));
        self.is_opening && !segment.rst() && length > i32::from(u16::MAX)
    }

    /// RFC 5961 section 4.2. Only where both ends have called at the same time, a second SYN is one that acknowledges
    /// ours (RFC 9293 section 3.5).
    fn judge_request<'a>(
        &self,
        segment: &TcpPacket<&'a [u8]>,
        expected: TcpSeqNumber,
        view: View,
    ) -> Verdict<'a> {
        let is_answer = view.state == State::SynReceived
            && segment.seq_number() + 1 == expected
            && segment.ack()
            && Some(segment.ack_number()) == self.next;
        match is_answer {
            true => Verdict::TakeAs(Amended { number: expected, ..Amended::all_of(segment) }),
            false => Verdict::Challenge,
        }
    }

    /// RFC 5961 section 5.2, and what smoltcp would drop that has something new in it.
    fn judge_text<'a>(
        &self,
        segment: &TcpPacket<&'a [u8]>,
        expected: TcpSeqNumber,
        view: View,
    ) -> Verdict<'a> {
        let (Some(oldest), Some(next)) = (self.unacknowledged(view), self.next) else { return Verdict::Take };
        let age = distance(segment.ack_number(), oldest);
        let ahead = distance(expected, segment.seq_number());
        let (text, is_last) = (segment.payload(), segment.fin());
        if age > OLDEST || distance(next, segment.ack_number()) > 0 {
            return Verdict::Challenge;
        }
        if is_last && text.is_empty() && is_within(ahead, view) && ahead != 0 {
            return Verdict::Challenge;
        }
        let acknowledged = if age > 0 { oldest } else { segment.ack_number() };
        let amended = Amended { acknowledged, ..Amended::all_of(segment) };
        let is_known = ahead.wrapping_add_unsigned(text.len() as u32) == 0;
        match is_last && !text.is_empty() && is_known {
            true => Verdict::TakeAs(Amended { number: expected, text: &[], ..amended }),
            false if age > 0 && segment.segment_len() > 0 => Verdict::TakeAs(amended),
            false => Verdict::Take,
        }
    }

    /// The packet that tells the sender of `datagram` where we stand. None if it was told just now.
    pub fn challenge(&mut self, datagram: &Datagram<'_>, view: View, now: Instant) -> Option<Vec<u8>> {
        let (next, expected) = (self.next?, self.expected(view)?);
        if self.challenged.is_some_and(|last| now < last + PAUSE) {
            return None;
        }
        self.challenged = Some(now);
        let back = Datagram { source: datagram.destination, destination: datagram.source, ..*datagram };
        Some(packet::build(&back, HEADER, |segment| {
            let (from, to) = (segment.src_port(), segment.dst_port());
            segment.set_src_port(to);
            segment.set_dst_port(from);
            segment.set_seq_number(next);
            segment.set_ack_number(expected);
            segment.set_window_len(self.window);
        }))
    }
}

/// RFC 5961 section 3.2: of a reset so far ahead of what is expected.
fn judge_reset<'a>(ahead: i32, view: View) -> Verdict<'a> {
    match ahead {
        0 => Verdict::Take,
        ahead if is_within(ahead, view) => Verdict::Challenge,
        _ => Verdict::Drop,
    }
}

/// Whether what is so far ahead of the expected number lies in the window.
fn is_within(ahead: i32, view: View) -> bool {
    usize::try_from(ahead).is_ok_and(|ahead| ahead < view.room)
}

/// By how many bits the windows of such a buffer are shifted, as smoltcp does (RFC 7323 section 2.2).
fn scale(capacity: usize) -> u32 {
    (usize::BITS - capacity.leading_zeros()).saturating_sub(u16::BITS)
}

/// The number so many bytes after `first`.
fn at(first: TcpSeqNumber, count: u32) -> TcpSeqNumber {
    TcpSeqNumber(first.0.wrapping_add(count.cast_signed()))
}

/// How far `to` lies behind `from` in the sequence space.
fn distance(from: TcpSeqNumber, to: TcpSeqNumber) -> i32 {
    to.0.wrapping_sub(from.0)
}
