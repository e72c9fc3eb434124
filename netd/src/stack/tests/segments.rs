//! Segments with good checksums that no honest peer sends.

use smoltcp::wire::{TcpPacket, TcpSeqNumber};

use super::*;

const PORT: u16 = 80;
/// Connections that random segments come to, and segments for each.
const ROUNDS: usize = 200;
const SEGMENTS: usize = 200;
const STRANGER: SocketAddr = SocketAddr::new(LEFT, 5555);

/// The TCP header of a frame's segment.
pub fn header(frame: &[u8]) -> (TcpSeqNumber, TcpSeqNumber, usize) {
    let datagram = Datagram::parse(&frame[HEADROOM..]).unwrap();
    let segment = TcpPacket::new_checked(datagram.payload).unwrap();
    (segment.seq_number(), segment.ack_number(), usize::from(segment.window_len()))
}

impl Bed {
    /// Frames that the right host sends when it is given `frame`.
    pub fn answers(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        self.right.network.now = self.now;
        self.right.receive(ETH0, frame);
        self.right.poll(self.now);
        self.right.take_frames(ETH0, usize::MAX).collect()
    }
}

/// The window of a SYN|ACK is never scaled (RFC 7323 section 2.2), which smoltcp forgets: a peer that sends more than
/// that without waiting for a further ACK is not heard, and one that waits can fill the whole buffer and no more.
#[test]
fn the_first_window_is_what_it_says_and_later_ones_are_scaled() {
    let mut bed = Bed::new();
    let (_, server) = bed.pair();
    let (capacity, _) = bed.right.tcp.capacity(server).unwrap();
    let request = segment(STRANGER, right(PORT), 24, |syn| {
        syn.set_header_len(24);
        syn.set_syn(true);
        syn.set_seq_number(TcpSeqNumber(999));
        syn.set_window_len(60_000);
        syn.options_mut().copy_from_slice(&[3, 3, 7, 0]);
    });
    let (number, _, window) = header(&bed.answers(&request)[0]);
    let first = usize::from(u16::MAX);
    assert_eq!(window, first);
    let data = |offset: usize, length: usize| {
        segment(STRANGER, right(PORT), 20 + length, |data| {
            data.set_ack(true);
            data.set_seq_number(TcpSeqNumber(1000) + offset);
            data.set_ack_number(number + 1);
            data.set_window_len(60_000);
        })
    };
    bed.answers(&data(0, 0));
    for offset in [first - 1459, first, capacity - 1460, capacity, 2 * capacity] {
        let answers = bed.answers(&data(offset, 1460));
        assert!(answers.iter().all(|answer| header(answer).1 == TcpSeqNumber(1000)), "{offset}");
    }
    let acknowledged = bed.answers(&data(first - 1460, 1460));
    assert_eq!(header(&acknowledged[0]).1, TcpSeqNumber(1000), "out of order, but taken");
    for at in 0..capacity / 1000 + 1 {
        bed.answers(&data(at * 1000, 1000));
    }
    bed.now += Duration::from_secs(1);
    let last = bed.answers(&data(capacity, 1000));
    let (_, acknowledged, window) = header(&last[0]);
    assert_eq!((acknowledged, window), (TcpSeqNumber(1000) + capacity, 0));
}

/// A peer that opens from its side (RFC 9293 section 3.5) is taken at its word only once we have spoken:
/// smoltcp would count with the window of a SYN that it has not sent.
#[test]
fn no_segment_answers_a_request_that_was_not_sent() {
    let mut bed = Bed::new();
    let client = bed.connect();
    let (local, _) = bed.left.tcp.addresses(client).unwrap();
    let opening = segment(right(PORT), local, 20, |syn| {
        syn.set_syn(true);
        syn.set_seq_number(TcpSeqNumber(77));
        syn.set_window_len(1000);
    });
    bed.left.receive(ETH0, &opening);
    bed.listen();
    bed.run(Duration::from_secs(5));
    assert_eq!(bed.left.tcp.connected(client), Ok(()));
}

/// A FIN that fills the window to its last byte leaves smoltcp with a window that ends before it begins, in
/// which text from the far half of the sequence space seems to lie.
#[test]
fn after_the_end_of_a_stream_comes_no_text() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let (local, _) = bed.left.tcp.addresses(client).unwrap();
    bed.left.tcp.write(client, b"?").unwrap();
    bed.left.poll(bed.now);
    let (first, number, _) = header(&bed.left.take_frames(ETH0, 1).next().unwrap());
    let data = |offset: usize, length: usize, is_last: bool| {
        segment(local, right(PORT), 20 + length, |data| {
            data.set_ack(true);
            data.set_fin(is_last);
            data.set_seq_number(first + offset);
            data.set_ack_number(number);
            data.set_window_len(1000);
        })
    };
    let (capacity, _) = bed.right.tcp.capacity(server).unwrap();
    let whole = capacity / 1460;
    for at in 0..whole {
        bed.answers(&data(at * 1460, 1460, false));
    }
    bed.answers(&data(whole * 1460, capacity - whole * 1460, true));
    let half = segment(local, right(PORT), 20 + 1000, |text| {
        text.set_ack(true);
        text.set_seq_number(first + (capacity + 1) + i32::MAX as usize);
        text.set_ack_number(number);
        text.set_window_len(1000);
    });
    bed.answers(&half);
    let mut received = vec![0; capacity + 1];
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(capacity));
    bed.answers(&data(capacity + 1, 1000, false));
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(0));
}

#[test]
fn a_window_that_stays_closed_after_the_last_acknowledgement_is_not_probed() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let (local, _) = bed.left.tcp.addresses(client).unwrap();
    bed.right.tcp.write(server, b"last words").unwrap();
    bed.right.tcp.shutdown(server, Readiness::WRITE).unwrap();
    bed.right.poll(bed.now);
    let (number, acknowledged, _) = header(&bed.right.take_frames(ETH0, 1).next().unwrap());
    for offset in [0, 4, 11] {
        let closed = segment(local, right(PORT), 20, |ack| {
            ack.set_ack(true);
            ack.set_seq_number(acknowledged);
            ack.set_ack_number(number + offset);
        });
        bed.answers(&closed);
    }
    let mut sent = 0;
    for _ in 0..100 {
        bed.now += Duration::from_secs(1);
        bed.right.poll(bed.now);
        sent += bed.right.take_frames(ETH0, usize::MAX).count();
        bed.right.poll(bed.now);
        assert!(bed.right.deadline().is_none_or(|due| due > bed.now), "it comes to rest");
    }
    assert!(sent < 10, "{sent}");
}

/// A distance from a sequence number: often none, near or just beyond the window, sometimes anywhere.
fn distance(dice: u64) -> i32 {
    let near = (dice >> 8) as i32 % 70_000;
    match dice % 8 {
        0 | 1 => 0,
        2 => 1,
        3 => -1,
        4 => near,
        5 => -near,
        6 => i32::MAX - near.abs() % 4,
        _ => (dice >> 16) as i32,
    }
}

fn one_in(times: u64, random: &mut Random) -> bool {
    random.next_u64().is_multiple_of(times)
}

/// Options of believable kinds with any lengths.
fn fill_options(options: &mut [u8], random: &mut Random) {
    const KINDS: [u8; 8] = [0, 1, 2, 3, 4, 5, 8, 34];
    let mut rest = options;
    while let [kind, tail @ ..] = rest {
        let dice = random.next_u64();
        *kind = KINDS[dice as usize % KINDS.len()];
        if let Some(length) = tail.first_mut() {
            *length = (dice >> 8) as u8 % 12;
        }
        let skip = ((dice >> 16) as usize % 6).min(tail.len());
        rest = &mut tail[skip..];
    }
}

/// A segment whose every field may be wrong, with numbers around `number` and `acknowledged`.
fn any_segment(
    from: SocketAddr,
    (number, acknowledged): (TcpSeqNumber, TcpSeqNumber),
    random: &mut Random,
) -> Vec<u8> {
    let header = if one_in(2, random) { 20 } else { 20 + 4 * (random.next_u64() % 11) as usize };
    let length = header + (random.next_u64() % 1400) as usize;
    segment(from, right(PORT), length, |segment| {
        segment.set_header_len(header as u8);
        segment.set_fin(one_in(8, random));
        segment.set_syn(one_in(16, random));
        segment.set_rst(one_in(64, random));
        segment.set_psh(one_in(2, random));
        segment.set_ack(!one_in(8, random));
        segment.set_urg(one_in(8, random));
        segment.set_urgent_at(random.next_u16());
        segment.set_seq_number(TcpSeqNumber(number.0.wrapping_add(distance(random.next_u64()))));
        segment.set_ack_number(TcpSeqNumber(acknowledged.0.wrapping_add(distance(random.next_u64()))));
        segment.set_window_len(if one_in(4, random) { 0 } else { random.next_u16() });
        fill_options(segment.options_mut(), random);
    })
}

/// Windows that shrink and close, text beyond them, urgent pointers, options cut short, SYN and FIN and RST
/// where they do not belong: to a listener and to connections in every state.
#[test]
fn random_segments_harm_nobody() {
    let mut bed = Bed::new();
    let mut random = Random::new([3, 9]);
    let listener = bed.listen();
    for round in 0..ROUNDS {
        // The client's own socket is given up at once: from now on this test speaks for it.
        let client = bed.connect();
        bed.run(Duration::from_millis(20));
        let (from, _) = bed.left.tcp.addresses(client).unwrap();
        let mut server = bed.right.tcp.accept(listener).unwrap();
        while bed.right.tcp.addresses(server).unwrap().1 != from {
            // The stranger was lucky in an earlier round.
            bed.right.tcp.close(server, bed.now);
            server = bed.right.tcp.accept(listener).unwrap();
        }
        bed.right.tcp.write(server, &[7; 60_000]).unwrap();
        bed.right.poll(bed.now);
        let mut sent: Vec<_> = bed.right.take_frames(ETH0, usize::MAX).collect();
        match round % 4 {
            0 => bed.right.tcp.shutdown(server, Readiness::WRITE).unwrap(),
            1 => bed.right.tcp.close(server, bed.now),
            _ => (),
        }
        let mut numbers = None;
        for _ in 0..SEGMENTS {
            if let Some(frame) = sent.last() {
                let (number, acknowledged, _) = header(frame);
                numbers = Some((acknowledged, number));
            }
            let from = if one_in(16, &mut random) { STRANGER } else { from };
            sent = bed.answers(&any_segment(from, numbers.unwrap(), &mut random));
            if one_in(8, &mut random) {
                bed.now += Duration::from_millis(random.next_u64() % 3000);
                let _ = bed.right.tcp.read(server, &mut [0; 3000], false);
                let _ = bed.right.tcp.write(server, &[1; 5000]);
            }
        }
        bed.right.tcp.close(server, bed.now);
        bed.left.tcp.close(client, bed.now);
        for _ in 0..100 {
            bed.right.poll(bed.now);
            bed.right.take_frames(ETH0, usize::MAX).count();
        }
        assert!(bed.right.deadline().is_none_or(|due| due > bed.now), "it comes to rest");
    }
    let client = bed.connect();
    bed.run(Duration::from_secs(5));
    assert_eq!(bed.left.tcp.connected(client), Ok(()));
}

/// RFC 6528: who knows the initial sequence numbers of some connections knows none of the next.
/// The initial sequence number of the left host's next connection to `remote` from port 4000, at `now`.
fn initial_number(host: &mut Stack, remote: SocketAddr, now: Instant) -> u32 {
    let Stack { tcp, network, .. } = host;
    network.now = now;
    let local = SocketAddr::new(LEFT, 4000);
    let id = tcp.connect(Some(local), remote, Default::default(), network).unwrap();
    tcp.poll(network);
    let packet = network.interface_mut(LOOPBACK).unwrap().queue.pop_front().unwrap();
    tcp.close(id, now);
    tcp.poll(network);
    network.interface_mut(LOOPBACK).unwrap().queue.clear();
    TcpPacket::new_checked(&packet[HEADROOM + ipv4::HEADER..]).unwrap().seq_number().0.cast_unsigned()
}

#[test]
fn initial_sequence_numbers_grow_between_two_ends_and_tell_nothing_of_others() {
    let mut host = stack(1, LEFT, Instant::ZERO);
    let peers = [9, 10, 11].map(|port| SocketAddr::new(LEFT, port));
    let times = [0, 4, 1_000, 60_000_000].map(|late| Instant::from_secs(1000) + Duration::from_micros(late));
    let [first, second, third] = peers.map(|peer| times.map(|now| initial_number(&mut host, peer, now)));
    for numbers in [first, second, third] {
        let steps = numbers.map(|number| number.wrapping_sub(numbers[0]));
        assert_eq!(steps, [0, 1, 250, 15_000_000], "the clock ticks every 4 us");
    }
    assert_ne!(second[0].wrapping_sub(first[0]), third[0].wrapping_sub(second[0]));
    let mut again = stack(1, LEFT, Instant::ZERO);
    let mut other = stack(2, LEFT, Instant::ZERO);
    assert_eq!(initial_number(&mut again, peers[0], times[0]), first[0]);
    assert_ne!(initial_number(&mut other, peers[0], times[0]), first[0]);
}

/// The number of a SYN|ACK comes by another way than that of a SYN.
#[test]
fn a_listener_s_initial_sequence_numbers_grow_too() {
    let mut bed = Bed::new();
    bed.pair();
    let request = segment(STRANGER, right(PORT), 20, |syn| {
        syn.set_syn(true);
        syn.set_seq_number(TcpSeqNumber(999));
        syn.set_window_len(60_000);
    });
    let ended = |number: i32| {
        segment(STRANGER, right(PORT), 20, |reset| {
            reset.set_rst(true);
            reset.set_seq_number(TcpSeqNumber(number));
        })
    };
    let (first, ..) = header(&bed.answers(&request)[0]);
    bed.answers(&ended(1000));
    bed.now += Duration::from_secs(1);
    let (second, ..) = header(&bed.answers(&request)[0]);
    assert_eq!(second - first, 250_000);
}
