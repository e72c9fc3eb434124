//! Carries a script out: it is the peer, the program, and the clock.

use std::collections::VecDeque;

use smoltcp::wire::TcpPacket;

use super::script::{Segment, Step, Version};
use super::*;
use crate::stack::address::unspecified;
use crate::stack::tcp::{ConnectionId, ListenerId, Options};

/// The port of whoever listens.
const PORT: u16 = 80;
/// The peer's port when it calls.
const CALLER: u16 = 5555;
/// The peer's initial number: its text passes the end of the sequence space.
const PEER_BEGINS: u32 = u32::MAX - 500;
/// A window for segments that do not say one.
const WINDOW: u16 = 60_000;

/// The byte of a stream at this number.
fn text(number: u32) -> u8 {
    (number.wrapping_mul(31) ^ (number >> 8)) as u8
}

/// Two hosts of this version, and their addresses. The link's MTU is such that segments are as long in both versions.
fn bed(version: Version) -> (Bed, IpAddr, IpAddr) {
    let mut bed = Bed::new();
    if version == Version::V4 {
        return (bed, LEFT, RIGHT);
    }
    let addresses = ["fd00::1", "fd00::2"].map(|address| address.parse().unwrap());
    bed.left = dual_stack(1, LEFT, bed.now);
    bed.right = dual_stack(2, RIGHT, bed.now);
    for (stack, address) in [&mut bed.left, &mut bed.right].into_iter().zip(addresses) {
        stack.network.add_address(ETH0, ipnet::IpNet::new(address, 64).unwrap());
        let link = ethernet_address(address);
        stack.link_up(ETH0, link, 1520);
    }
    // Until the addresses are known to be nobody else's.
    bed.run(Duration::from_secs(5));
    (bed, addresses[0], addresses[1])
}

/// A segment that we sent, and when.
struct Sent {
    at: Instant,
    segment: Segment,
    text: Vec<u8>,
}

/// A stack with a script for its peer.
pub struct Runner {
    bed: Bed,
    /// Our end, once it is known.
    ours: SocketAddr,
    peer: SocketAddr,
    /// Our initial number, once it is known.
    we_begin: u32,
    listener: Option<ListenerId>,
    connection: Option<ConnectionId>,
    sent: VecDeque<Sent>,
    /// When the last line was done.
    mark: Instant,
    /// How far the program has read and written.
    read: u32,
    written: u32,
}

impl Runner {
    /// Carries the steps of a script out, over this version of IP.
    ///
    /// # Errors
    /// The first line that was not so, and what was.
    pub fn run(steps: &[(usize, Step)], version: Version) -> Result<(), String> {
        let (bed, left, right) = bed(version);
        let mut runner = Self {
            ours: SocketAddr::new(right, PORT),
            peer: SocketAddr::new(left, CALLER),
            we_begin: 0,
            listener: None,
            connection: None,
            sent: VecDeque::new(),
            mark: bed.now,
            read: 1,
            written: 1,
            bed,
        };
        for (number, step) in steps {
            runner.step(step).map_err(|reason| format!("line {number}: {reason}"))?;
            runner.mark = runner.bed.now;
        }
        match runner.sent.pop_front() {
            Some(sent) => Err(format!("the end: we have sent {:?} beside", sent.segment)),
            None => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Peer(segment) => {
                self.deliver(segment);
                Ok(())
            }
            Step::Ours(when, expected) => self.expect(when.clone(), expected),
            Step::Nothing(time) => {
                self.advance(self.bed.now + *time);
                self.sent.pop_front().map_or(Ok(()), |sent| Err(format!("we have sent {:?}", sent.segment)))
            }
            Step::Call { name, argument, result } => self.expect_result(name, *argument, result.as_deref()),
        }
    }

    /// Lets time pass until `end`, or until we send a segment.
    fn advance(&mut self, end: Instant) {
        while self.sent.is_empty() {
            let moved = self.exchange();
            if self.bed.now >= end || !self.sent.is_empty() {
                return;
            }
            if !moved {
                let next = earlier(self.bed.left.deadline(), self.bed.right.deadline()).unwrap_or(end);
                self.bed.now = next.max(self.bed.now + Duration::from_micros(1)).min(end);
            }
        }
    }

    /// Takes our segments; anything else (who has which address) is between the two stacks. Whether it moved.
    fn exchange(&mut self) -> bool {
        let now = self.bed.now;
        self.bed.right.poll(now);
        self.bed.left.poll(now);
        let frames: Vec<_> = self.bed.right.take_frames(ETH0, usize::MAX).collect();
        let answers: Vec<_> = self.bed.left.take_frames(ETH0, usize::MAX).collect();
        let moved = !frames.is_empty() || !answers.is_empty();
        for frame in frames {
            if !self.take_segment(&frame) {
                self.bed.left.receive(ETH0, &frame);
            }
        }
        for answer in answers {
            self.bed.right.receive(ETH0, &answer);
        }
        moved
    }

    /// Takes a frame's segment, if it has one.
    fn take_segment(&mut self, frame: &[u8]) -> bool {
        let Some(datagram) = frame.get(HEADROOM..).and_then(Datagram::parse) else { return false };
        let Ok(segment) = TcpPacket::new_checked(datagram.payload) else { return false };
        if datagram.protocol != IpProtocol::Tcp {
            return false;
        }
        if segment.syn() {
            self.we_begin = segment.seq_number().0.cast_unsigned();
        }
        self.ours.set_port(segment.src_port());
        let flags = [('S', segment.syn()), ('F', segment.fin()), ('R', segment.rst()), ('A', segment.ack())];
        let acknowledged = segment.ack_number().0.cast_unsigned().wrapping_sub(PEER_BEGINS);
        let sent = Segment {
            flags: flags.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect(),
            number: segment.seq_number().0.cast_unsigned().wrapping_sub(self.we_begin),
            length: segment.payload().len(),
            acknowledged: segment.ack().then_some(acknowledged),
            window: Some(segment.window_len()),
            mss: max_segment_size(segment.options()),
        };
        self.sent.push_back(Sent { at: self.bed.now, segment: sent, text: segment.payload().to_vec() });
        true
    }

    /// Gives us a segment of the peer's.
    fn deliver(&mut self, segment: &Segment) {
        // What we want to say, we say before.
        self.exchange();
        let header = if segment.mss.is_some() { 24 } else { 20 };
        let number = |number: u32| TcpSeqNumber(PEER_BEGINS.wrapping_add(number).cast_signed());
        let acknowledged = segment.acknowledged.map(|ack| self.we_begin.wrapping_add(ack).cast_signed());
        let frame = super::super::segment(self.peer, self.ours, header + segment.length, |packet| {
            packet.set_header_len(header as u8);
            packet.set_syn(segment.has('S'));
            packet.set_fin(segment.has('F'));
            packet.set_rst(segment.has('R'));
            packet.set_ack(segment.has('A'));
            packet.set_seq_number(number(segment.number));
            packet.set_ack_number(TcpSeqNumber(acknowledged.unwrap_or_default()));
            packet.set_window_len(segment.window.unwrap_or(WINDOW));
            if let Some([high, low]) = segment.mss.map(u16::to_be_bytes) {
                packet.options_mut().copy_from_slice(&[2, 4, high, low]);
            }
            (segment.number..).zip(packet.payload_mut()).for_each(|(at, byte)| *byte = text(at));
        });
        self.bed.right.network.now = self.bed.now;
        self.bed.right.receive(ETH0, &frame);
        self.exchange();
    }

    fn expect(&mut self, when: RangeInclusive<Duration>, expected: &Segment) -> Result<(), String> {
        self.advance(self.mark + *when.end());
        let Some(sent) = self.sent.pop_front() else {
            return Err(format!("we have sent nothing for {}", when.end()));
        };
        let (took, found) = (sent.at - self.mark, &sent.segment);
        let wanted = Segment {
            acknowledged: expected.acknowledged.or(found.acknowledged),
            window: expected.window.or(found.window),
            mss: expected.mss.or(found.mss),
            ..expected.clone()
        };
        if *found != wanted {
            return Err(format!("we have sent {found:?} after {took}"));
        }
        if !when.contains(&took) {
            return Err(format!("it came after {took}"));
        }
        let is_right = (found.number..).zip(&sent.text).all(|(at, byte)| text(at) == *byte);
        is_right.then_some(()).ok_or(format!("the text of {found:?} is wrong"))
    }

    fn expect_result(&mut self, name: &str, argument: usize, expected: Option<&str>) -> Result<(), String> {
        self.exchange();
        let result = match self.call(name, argument)? {
            Ok(count) => count.to_string(),
            // The error's name, without what it is about.
            Err(error) => format!("{error:?}").split('(').next().unwrap_or_default().to_owned(),
        };
        self.exchange();
        let is_right = match expected {
            Some(expected) => result == expected,
            None => result == argument.to_string(),
        };
        is_right.then_some(()).ok_or(format!("{name} {argument} gives {result}"))
    }

    /// A program's call. What only succeeds gives its argument.
    fn call(&mut self, name: &str, argument: usize) -> Result<Result<usize, SocketError>, String> {
        let now = self.bed.now;
        let Stack { tcp, network, .. } = &mut self.bed.right;
        let connection = || self.connection.ok_or(format!("{name} without a connection"));
        Ok(match name {
            "listen" => {
                let local = SocketAddr::new(unspecified(self.ours.ip()), PORT);
                // The buffer is what a window says without a scale.
                let options = Options { receive_buffer: Some(65_535), ..Options::default() };
                let listener = tcp.listen(local, options, network);
                listener.map(|id| self.listener = Some(id)).map(|()| argument)
            }
            "connect" => {
                self.peer.set_port(PORT);
                let connected = tcp.connect(None, self.peer, Default::default(), network);
                connected.map(|id| self.connection = Some(id)).map(|()| argument)
            }
            "accept" => {
                let listener = self.listener.ok_or("nobody listens")?;
                tcp.accept(listener).map(|id| self.connection = Some(id)).map(|()| argument)
            }
            "connected" => tcp.connected(connection()?).map(|()| argument),
            "read" => {
                let mut buffer = vec![0; argument];
                let result = tcp.read(connection()?, &mut buffer, false);
                let count = result.as_ref().copied().unwrap_or_default();
                if !(self.read..).zip(&buffer[..count]).all(|(at, byte)| text(at) == *byte) {
                    return Err("what was read is not what was sent".to_owned());
                }
                self.read = self.read.wrapping_add(count as u32);
                result
            }
            "write" => {
                let data: Vec<u8> = (self.written..).map(text).take(argument).collect();
                let result = tcp.write(connection()?, &data);
                self.written = self.written.wrapping_add(result.as_ref().copied().unwrap_or_default() as u32);
                result
            }
            "keep-alive" => {
                let mut options = Options::default();
                options.keep_alive.is_on = true;
                tcp.set_options(connection()?, options).map(|()| argument)
            }
            "shutdown-write" => tcp.shutdown(connection()?, Readiness::WRITE).map(|()| argument),
            "shutdown-read" => tcp.shutdown(connection()?, Readiness::READ).map(|()| argument),
            "close" => {
                tcp.close(connection()?, now);
                Ok(argument)
            }
            _ => return Err(format!("there is no call {name}")),
        })
    }
}

/// The option MSS (RFC 9293, section 3.2) where it comes first, as everybody has it.
fn max_segment_size(options: &[u8]) -> Option<u16> {
    match options {
        [2, 4, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}
