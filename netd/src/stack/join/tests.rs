//! Segments that come together are joined, and only those that may be.

use std::net::SocketAddr;

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use smoltcp::time::Duration;
use smoltcp::wire::Ipv4Packet;

use super::*;
use crate::stack::tcp::ConnectionId;
use crate::stack::tests::{Bed, ETH0, LEFT, right, segment, segments, tcp};
use crate::stack::wire::HEADROOM;

const STRANGER: SocketAddr = SocketAddr::new(LEFT, 5555);
const PORT: u16 = 80;
/// The number of the stranger's first byte.
const FIRST: TcpSeqNumber = TcpSeqNumber(1000);
/// What the stranger acknowledges, where nobody else is asked.
const ACKNOWLEDGED: TcpSeqNumber = TcpSeqNumber(5000);

/// What the connections get of frames that come together, in the order in which they get it: of each packet its data.
fn delivered(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (mut joiner, mut delivered) = (Joiner::default(), Vec::new());
    let text = |datagram: &Datagram<'_>| {
        assert!(
            Datagram { is_good: true, ..Datagram::parse(datagram.bytes).unwrap() }.payload
                == datagram.payload
        );
        TcpPacket::new_checked(datagram.payload).unwrap().payload().to_vec()
    };
    for frame in frames {
        let datagram = Datagram::parse(&frame[HEADROOM..]).unwrap();
        match joiner.take(ETH0, &datagram) {
            Next::Kept => (),
            Next::Ended(mut joint) => delivered.push(text(&joint.datagram())),
            Next::Passed(before) => {
                delivered.extend(before.map(|mut joint| text(&joint.datagram())));
                delivered.push(text(&datagram));
            }
        }
    }
    delivered.extend(joiner.0.iter_mut().map(|joint| text(&joint.datagram())));
    delivered
}

/// The lengths of that.
fn lengths(frames: &[Vec<u8>]) -> Vec<usize> {
    delivered(frames).iter().map(Vec::len).collect()
}

/// Gives the right host frames that come together; its answers.
fn together(bed: &mut Bed, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    bed.right.network.now = bed.now;
    bed.right.receive_together(|right| frames.iter().for_each(|frame| right.receive(ETH0, frame)));
    bed.right.poll(bed.now);
    bed.right.take_frames(ETH0, usize::MAX).collect()
}

/// A connection of a stranger's to the right host, for whom these tests speak, and what it acknowledges.
fn connected() -> (Bed, ConnectionId, TcpSeqNumber) {
    let mut bed = Bed::new();
    let listener = bed.listen();
    // The hosts get to know each other.
    bed.connect();
    bed.run(Duration::from_millis(20));
    bed.right.tcp.accept(listener).unwrap();
    let request = segment(STRANGER, right(PORT), 20, |syn| {
        syn.set_syn(true);
        syn.set_seq_number(TcpSeqNumber(999));
        syn.set_window_len(60_000);
    });
    let (number, ..) = segments::header(&bed.answers(&request)[0]);
    let answer = data(number + 1, 0, 0, |_| ());
    bed.answers(&answer);
    let server = bed.right.tcp.accept(listener).unwrap();
    (bed, server, number + 1)
}

/// The stranger's segment with `length` bytes of data, the first of which is byte `at` of all; `change` may change it.
fn data(
    acknowledged: TcpSeqNumber,
    at: usize,
    length: usize,
    change: impl FnOnce(&mut TcpPacket<&mut [u8]>),
) -> Vec<u8> {
    segment(STRANGER, right(PORT), 20 + length, |segment| {
        segment.set_ack(true);
        segment.set_seq_number(FIRST + at);
        segment.set_ack_number(acknowledged);
        segment.set_window_len(1000);
        segment.payload_mut().copy_from_slice(&tcp::pattern(at + length, 1)[at..]);
        change(segment);
    })
}

/// The same frames for whom no connection is needed, each with `length` bytes.
fn in_row(count: usize, length: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| data(ACKNOWLEDGED, index * length, length, |_| ())).collect()
}

fn received(bed: &mut Bed, server: ConnectionId) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 20];
    let count = bed.right.tcp.read(server, &mut buffer, false).unwrap_or(0);
    buffer.truncate(count);
    buffer
}

#[test]
fn what_follows_one_another_is_joined() {
    assert_eq!(delivered(&in_row(20, 1460)), [tcp::pattern(20 * 1460, 1)]);
    assert_eq!(lengths(&in_row(1, 1460)), [1460]);
}

#[test]
fn what_was_joined_before_it_came_is_taken_whole_and_answered_at_once() {
    let (mut bed, server, number) = connected();
    let ended = |segment: &mut TcpPacket<&mut [u8]>| segment.set_psh(true);
    let frames = [data(number, 0, 9000, |_| ()), data(number, 9000, 8000, ended)];
    let answers = together(&mut bed, &frames);
    assert!(!answers.is_empty(), "its acknowledgement does not wait");
    assert_eq!(received(&mut bed, server), tcp::pattern(17_000, 1));
}

#[test]
fn what_is_pushed_or_shorter_is_the_last() {
    let mut frames = in_row(6, 1000);
    frames[2] = data(ACKNOWLEDGED, 2000, 1000, |segment| segment.set_psh(true));
    frames[4] = data(ACKNOWLEDGED, 4000, 900, |_| ());
    frames[5] = data(ACKNOWLEDGED, 4900, 1000, |_| ());
    assert_eq!(lengths(&frames), [3000, 1900, 1000]);
    let pushed = data(ACKNOWLEDGED, 0, 100, |segment| segment.set_psh(true));
    assert_eq!(lengths(&[pushed, in_row(2, 100).remove(1)]), [100, 100]);
}

#[test]
fn a_segment_that_says_more_than_data_stays_itself() {
    type Change = fn(&mut TcpPacket<&mut [u8]>);
    let changes: [Change; 8] = [
        |segment| segment.set_urg(true),
        |segment| segment.set_ack_number(segment.ack_number() - 1),
        |segment| segment.set_window_len(999),
        |segment| segment.set_ece(true),
        |segment| segment.set_urgent_at(1),
        |segment| segment.set_fin(true),
        |segment| segment.set_rst(true),
        |segment| segment.set_seq_number(segment.seq_number() + 1),
    ];
    for change in changes {
        let mut frames = in_row(4, 1000);
        frames[2] = data(ACKNOWLEDGED, 2000, 1000, change);
        assert_eq!(lengths(&frames), [2000, 1000, 1000]);
    }
}

#[test]
fn a_segment_that_was_treated_otherwise_on_its_way_stays_itself() {
    let changes: [fn(&mut Ipv4Packet<&mut [u8]>); 4] = [
        |packet| packet.set_ecn(3),
        |packet| packet.set_dscp(1),
        |packet| packet.set_hop_limit(1),
        |packet| packet.set_dont_frag(!packet.dont_frag()),
    ];
    for change in changes {
        let mut frames = in_row(3, 1000);
        let mut packet = Ipv4Packet::new_unchecked(&mut frames[1][HEADROOM..]);
        change(&mut packet);
        packet.fill_checksum();
        assert_eq!(lengths(&frames), [1000, 1000, 1000]);
    }
}

#[test]
fn what_is_too_much_for_a_packet_becomes_several() {
    assert_eq!(lengths(&in_row(50, 1460)), [44 * 1460, 1460, 5 * 1460]);
}

#[test]
fn connections_are_joined_apart() {
    let from = |port, at| {
        segment(SocketAddr::new(LEFT, port), right(PORT), 1020, |segment| {
            segment.set_ack(true);
            segment.set_seq_number(FIRST + at);
        })
    };
    let frames: Vec<_> = (0..3).flat_map(|index| [1, 2].map(|port| from(port, index * 1000))).collect();
    assert_eq!(lengths(&frames), [3000, 3000]);
    let crowd: Vec<_> = (0..2).flat_map(|index| (1..=9).map(move |port| (port, index * 1000))).collect();
    let crowd: Vec<_> = crowd.into_iter().map(|(port, at)| from(port, at)).collect();
    let of_most = [&[1000; 2][..], &[2000; MOST]].concat();
    assert_eq!(lengths(&crowd), of_most, "one is too many");
}

#[test]
fn over_ipv6_they_are_joined_too() {
    let ends = ["[fd07::1]:5555", "[fd07::2]:80"].map(|end| end.parse().unwrap());
    let frame = |at| {
        segment(ends[0], ends[1], 1020, |segment| {
            segment.set_ack(true);
            segment.set_seq_number(FIRST + at);
        })
    };
    assert_eq!(lengths(&[0, 1000, 2000].map(frame)), [3000]);
    let mut frames = [0, 1000, 2000].map(frame);
    frames[1][HEADROOM + 1] = 0x10;
    assert_eq!(lengths(&frames), [1000, 1000, 1000], "congestion was met");
}

#[test]
fn a_segment_whose_checksum_is_wrong_is_not_joined() {
    let (mut bed, server, acknowledged) = connected();
    for bad in 0..3 {
        let mut frames = [0, 1460, 2920].map(|at| data(acknowledged, at, 1460, |_| ()));
        *frames[bad].last_mut().unwrap() ^= 1;
        together(&mut bed, &frames);
        let errors = bed.right.network.interface(ETH0).unwrap().counters.rx_errors;
        assert_eq!(errors, bad as u64 + 1);
    }
    // Of three segments a third came whole each time, and the last time all were there.
    assert_eq!(received(&mut bed, server), tcp::pattern(3 * 1460, 1));
}

#[test]
fn who_sends_several_segments_hears_of_all_but_one_at_once() {
    let (mut bed, _, acknowledged) = connected();
    let mut at = 0;
    for count in [2, 1, 2, 7, 20, 3] {
        let frames: Vec<_> =
            (0..count).map(|index| data(acknowledged, at + index * 1460, 1460, |_| ())).collect();
        let answers = together(&mut bed, &frames);
        at += count * 1460;
        let heard = answers.last().map_or(FIRST, |answer| segments::header(answer).1);
        assert!(count == 1 || heard >= FIRST + at - 1460, "{heard} of {count} up to {at}");
    }
}

#[test]
fn an_end_behind_data_is_understood() {
    let (mut bed, server, acknowledged) = connected();
    let frames = [
        data(acknowledged, 0, 1460, |_| ()),
        data(acknowledged, 1460, 700, |segment| segment.set_psh(true)),
        data(acknowledged, 2160, 0, |segment| segment.set_fin(true)),
    ];
    together(&mut bed, &frames);
    assert_eq!(received(&mut bed, server), tcp::pattern(2160, 1));
    assert_eq!(bed.right.tcp.read(server, &mut [0; 9], false), Ok(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two hosts' segments, of any lengths, come mixed, twice, out of order and not at all: what is read is what was sent.
    #[test]
    fn whatever_comes_together_is_what_was_sent(
        cuts in prop::collection::vec(1..1460usize, 2..40),
        pushed in any::<u64>(),
        order in prop::collection::vec((any::<prop::sample::Index>(), 1..12usize), 0..30),
    ) {
        let (mut bed, server, acknowledged) = connected();
        let mut at = 0;
        let mut frames = Vec::new();
        for (index, cut) in cuts.iter().enumerate() {
            let push = pushed >> (index % 64) & 1 == 1;
            frames.push(data(acknowledged, at, *cut, |segment| segment.set_psh(push)));
            at += cut;
        }
        for (begin, count) in order {
            let begin = begin.index(frames.len());
            together(&mut bed, &frames[begin..frames.len().min(begin + count)]);
        }
        together(&mut bed, &frames);
        prop_assert_eq!(received(&mut bed, server), tcp::pattern(at, 1));
    }
}
