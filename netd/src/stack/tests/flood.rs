//! A flood of requests from strangers who never complete them (RFC 4987), 10,000 a second.

use smoltcp::wire::TcpSeqNumber;

use super::segments::header;
use super::tcp::pattern;
use super::*;
use crate::stack::tcp::ListenerId;

const PORT: u16 = 80;
const SLOW: SocketAddr = SocketAddr::new(LEFT, 5555);

/// A bed whose right host listens, and sends by way of the left one.
fn bed() -> (Bed, ListenerId) {
    let mut bed = Bed::new();
    bed.right.network.add_route(ETH0, "0.0.0.0/0".parse().unwrap(), Some(LEFT), None);
    let listener = bed.listen();
    // They know each other.
    bed.connect();
    bed.run(Duration::from_secs(1));
    bed.right.tcp.accept(listener).unwrap();
    (bed, listener)
}

/// A SYN from one of very many strangers beyond the left host.
fn spoofed_request(number: u32) -> Vec<u8> {
    let stranger = SocketAddr::new(Ipv4Addr::from_bits(0xc633_0000 + number).into(), 5555);
    let mut frame = segment(stranger, right(PORT), 20, |syn| syn.set_syn(true));
    EthernetFrame::new_unchecked(&mut frame).set_src_addr(EthernetAddress([2, 0, 0, 0, 0, 1]));
    frame
}

/// Lets the right host be flooded for so many milliseconds.
fn flood(bed: &mut Bed, milliseconds: u32) {
    for number in 0..10 * milliseconds {
        bed.right.network.now = bed.now;
        bed.right.receive(ETH0, &spoofed_request(number));
        if number % 10 == 0 {
            bed.run(Duration::from_millis(1));
        }
        assert!(bed.right.tcp.count() <= 1100, "{} connections", bed.right.tcp.count());
    }
}

/// The slow client's SYN, for segments of 1,000 bytes.
fn slow_request() -> Vec<u8> {
    segment(SLOW, right(PORT), 24, |syn| {
        syn.set_header_len(24);
        syn.set_syn(true);
        syn.set_seq_number(TcpSeqNumber(999));
        syn.set_window_len(60_000);
        syn.options_mut().copy_from_slice(&[2, 4, 0x03, 0xe8]);
    })
}

/// What the slow client says after an answer with the number `answered`.
fn slow_text(answered: TcpSeqNumber, text: &[u8]) -> Vec<u8> {
    segment(SLOW, right(PORT), 20 + text.len(), |data| {
        data.set_ack(true);
        data.set_seq_number(TcpSeqNumber(1000));
        data.set_ack_number(answered + 1);
        data.set_window_len(60_000);
        data.payload_mut().copy_from_slice(text);
    })
}

#[test]
fn a_client_connects_and_sends_during_a_flood() {
    let (mut bed, listener) = bed();
    flood(&mut bed, 1000);
    let client = bed.connect();
    flood(&mut bed, 100);
    assert_eq!(bed.left.tcp.connected(client), Ok(()));
    let data = pattern(10_000, 1);
    assert_eq!(bed.left.tcp.write(client, &data), Ok(data.len()));
    flood(&mut bed, 500);
    let server = bed.right.tcp.accept(listener).unwrap();
    let mut received = vec![0; 20_000];
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(data.len()));
    assert!(received.starts_with(&data));
    assert_eq!(bed.right.tcp.write(server, &data), Ok(data.len()));
    flood(&mut bed, 500);
    assert_eq!(bed.left.tcp.read(client, &mut received, false), Ok(data.len()));
}

#[test]
fn a_client_that_takes_a_second_to_answer_is_not_forgotten() {
    let (mut bed, listener) = bed();
    flood(&mut bed, 200);
    let answers = bed.answers(&slow_request());
    let (number, acknowledged, window) = header(answers.last().unwrap());
    assert_eq!((acknowledged, window), (TcpSeqNumber(1000), 16 << 10));
    flood(&mut bed, 1000);
    let answers = bed.answers(&slow_text(number, b"hello"));
    assert!(answers.iter().all(|answer| header(answer).0 != TcpSeqNumber(0)), "no reset");
    let server = bed.right.tcp.accept(listener).unwrap();
    let mut received = [0; 9];
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(5));
    assert_eq!(bed.right.tcp.addresses(server), Some((right(PORT), SLOW)));
    // It is told in segments of a length that it takes, as near as is remembered.
    bed.right.tcp.write(server, &pattern(2000, 1)).unwrap();
    bed.right.poll(bed.now);
    let lengths = bed.right.take_frames(ETH0, 2).map(|frame| frame.len() - HEADROOM - ipv4::HEADER - 20);
    assert_eq!(lengths.collect::<Vec<_>>(), [536, 536]);
}

#[test]
fn who_was_not_answered_so_is_reset_during_a_flood_and_without_one() {
    let (mut bed, listener) = bed();
    let forged = slow_text(TcpSeqNumber(77), b"hello");
    let reset = |answers: Vec<Vec<u8>>| {
        let datagram = Datagram::parse(&answers.last().unwrap()[HEADROOM..]).unwrap();
        TcpPacket::new_checked(datagram.payload).unwrap().rst()
    };
    assert!(reset(bed.answers(&forged)));
    flood(&mut bed, 200);
    assert!(reset(bed.answers(&forged)));
    let answers = bed.answers(&slow_request());
    let (number, ..) = header(answers.last().unwrap());
    bed.run(Duration::from_secs(200));
    assert!(reset(bed.answers(&slow_text(number, b"too late"))));
    assert_eq!(bed.right.tcp.accept(listener), Err(SocketError::WouldBlock));
}
