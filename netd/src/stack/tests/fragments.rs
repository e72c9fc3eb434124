//! What is longer than a packet, and who may be fragmented.

use smoltcp::wire::Ipv4Packet;

use super::*;
use crate::stack::icmp::Purpose;

/// The identifiers of the IPv4 packets among the frames that wait for the left driver, and who may not be
/// fragmented.
fn sent(bed: &mut Bed) -> Vec<(u16, bool)> {
    bed.left.poll(bed.now);
    let frames = bed.left.take_frames(ETH0, usize::MAX).collect::<Vec<_>>();
    let packets = frames.iter().filter_map(|frame| Datagram::parse(&frame[HEADROOM..]));
    let headers = packets.map(|packet| Ipv4Packet::new_unchecked(packet.bytes));
    headers.map(|header| (header.ident(), header.dont_frag())).collect()
}

#[test]
fn routers_with_a_small_link_may_fragment_what_is_ours() {
    let mut bed = Bed::new();
    let (client, _) = bed.pair();
    let socket =
        bed.left.udp.open(any(0), Some(right(53)), Default::default(), &mut bed.left.network).unwrap();
    bed.left.tcp.write(client, &[0; 1000]).unwrap();
    bed.left.udp.send_to(socket, &[0; 1000], None, &mut bed.left.network).unwrap();
    bed.left.udp.send_to(socket, &[1; 1000], None, &mut bed.left.network).unwrap();
    let [(first, false), (second, false), (_, true)] = sent(&mut bed)[..] else {
        panic!("two datagrams, and the segment, of which routers tell what they carry");
    };
    assert_ne!(first, second);
    let raw = bed.left.raw.open(IpVersion::Ipv4, 253);
    let packet = datagram::build(LEFT, RIGHT, IpProtocol::from(253), 4, |_| ());
    bed.left.raw.write(raw, &packet[HEADROOM..], &mut bed.left.network).unwrap();
    assert_eq!(sent(&mut bed), [(0, true)], "a raw packet is its sender's");
}

#[test]
fn a_packet_as_long_as_the_link_carries_goes_and_comes_in_one_piece() {
    let mut bed = Bed::new();
    let client =
        bed.left.udp.open(any(0), Some(right(53)), Default::default(), &mut bed.left.network).unwrap();
    let server = bed.right.udp.open(any(53), None, Default::default(), &mut bed.right.network).unwrap();
    bed.left.udp.send_to(client, b"who is it?", None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    let (_, length, _) = bed.right.udp.receive_from(server, &mut [0; 16], false).unwrap();
    assert_eq!(length, 10);
    let text: Vec<u8> = (0..1500 - 20 - 8).map(|place| (place % 251) as u8).collect();
    bed.left.udp.send_to(client, &text, None, &mut bed.left.network).unwrap();
    bed.left.poll(bed.now);
    let frames = bed.left.take_frames(ETH0, usize::MAX).collect::<Vec<_>>();
    let [frame] = &frames[..] else { panic!("{} frames", frames.len()) };
    assert_eq!(frame.len(), 14 + 1500);
    bed.right.receive(ETH0, frame);
    let mut buffer = [0; 1500];
    let (_, length, _) = bed.right.udp.receive_from(server, &mut buffer, false).unwrap();
    assert_eq!(buffer[..length], text);
}

/// The addresses that the two hosts have of each version.
fn ends(version: u8) -> (SocketAddr, SocketAddr) {
    let text = |host| match version {
        4 => format!("10.0.0.{host}:53"),
        _ => format!("[2001:db8::{host}]:53"),
    };
    (text(1).parse().unwrap(), text(2).parse().unwrap())
}

fn dual_stack_bed() -> Bed {
    let mut bed = Bed::new();
    (bed.left, bed.right) = (dual_stack(1, LEFT, bed.now), dual_stack(2, RIGHT, bed.now));
    bed.left.network.add_address(ETH0, "2001:db8::1/64".parse().unwrap());
    bed.right.network.add_address(ETH0, "2001:db8::2/64".parse().unwrap());
    bed.run(Duration::from_secs(5));
    bed
}

#[test]
fn the_longest_datagrams_go_both_ways() {
    for (version, longest) in [(4, 65_507), (6, 65_527)] {
        let mut bed = dual_stack_bed();
        let (here, there) = ends(version);
        let client = bed.left.udp.open(here, Some(there), Default::default(), &mut bed.left.network).unwrap();
        let server = bed.right.udp.open(there, None, Default::default(), &mut bed.right.network).unwrap();
        let text: Vec<u8> = (0..longest).map(|place| (place % 251) as u8).collect();
        let too_long = bed.left.udp.send_to(client, &[&text[..], b"!"].concat(), None, &mut bed.left.network);
        let (length, limit) = (longest + 1, longest);
        assert_eq!(too_long, Err(SocketError::MessageTooLong { length, limit }));
        assert_eq!(bed.left.udp.send_to(client, &text, None, &mut bed.left.network), Ok(longest));
        bed.run(Duration::from_secs(1));
        let mut buffer = vec![0; 70_000];
        let received = bed.right.udp.receive_from(server, &mut buffer, false).unwrap();
        assert_eq!((received, &buffer[..longest]), ((here, longest, longest), &text[..]));
        bed.right.udp.send_to(server, &text, Some(here), &mut bed.right.network).unwrap();
        bed.run(Duration::from_secs(1));
        assert_eq!(bed.left.udp.receive_from(client, &mut buffer, false), Ok((there, longest, longest)));
    }
}

#[test]
fn a_long_echo_is_answered_at_its_length() {
    for version in [4, 6] {
        let mut bed = dual_stack_bed();
        let (_, there) = ends(version);
        let ping = bed.left.icmp.open(Purpose::Echo, there.ip(), &mut bed.left.network.random).unwrap();
        let message: Vec<u8> = (0..60_002).map(|place| (place % 253) as u8).collect();
        bed.left.icmp.write(ping, &message, &mut bed.left.network).unwrap();
        bed.run(Duration::from_secs(1));
        let mut answer = vec![0; 70_000];
        assert_eq!(bed.left.icmp.read(ping, &mut answer), Ok(message.len()), "IPv{version}");
        assert_eq!(answer[..message.len()], message);
    }
}

#[test]
fn a_writer_of_long_datagrams_waits_until_there_is_room_for_all_pieces() {
    let mut bed = dual_stack_bed();
    let (here, there) = ends(4);
    let client = bed.left.udp.open(here, Some(there), Default::default(), &mut bed.left.network).unwrap();
    let server = bed.right.udp.open(there, None, Default::default(), &mut bed.right.network).unwrap();
    bed.left.udp.send_to(client, b"where are you?", None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    let sent = (0..9)
        .take_while(|_| bed.left.udp.send_to(client, &[1; 60_000], None, &mut bed.left.network).is_ok());
    let sent = sent.count();
    assert_eq!(sent, 3, "of 41 pieces each");
    bed.run(Duration::from_millis(100));
    assert_eq!(bed.left.udp.take_changes(), [(client, Readiness::WRITE)]);
    let mut buffer = vec![0; 65_535];
    let received = std::iter::from_fn(|| bed.right.udp.receive_from(server, &mut buffer, false).ok());
    assert_eq!(received.count(), sent + 1);
    assert_eq!(bed.left.network.interface(ETH0).unwrap().counters.tx_dropped, 0);
}

#[test]
fn a_packet_that_does_not_come_whole_is_told_of() {
    let mut bed = dual_stack_bed();
    let (here, there) = ends(6);
    let errors = bed.left.icmp.open(Purpose::UdpErrors, there.ip(), &mut bed.left.network.random).unwrap();
    let client = bed.left.udp.open(here, Some(there), Default::default(), &mut bed.left.network).unwrap();
    bed.right.udp.open(there, None, Default::default(), &mut bed.right.network).unwrap();
    bed.left.udp.send_to(client, b"where are you?", None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    bed.left.udp.send_to(client, &[1; 3000], None, &mut bed.left.network).unwrap();
    let mut frames: Vec<_> = bed.left.take_frames(ETH0, usize::MAX).collect();
    frames.remove(1);
    frames.iter().for_each(|frame| bed.right.receive(ETH0, frame));
    bed.run(Duration::from_secs(59));
    assert_eq!(bed.left.icmp.read(errors, &mut [0; 2000]), Err(SocketError::WouldBlock));
    bed.run(Duration::from_secs(2));
    let mut message = [0; 2000];
    bed.left.icmp.read(errors, &mut message).unwrap();
    assert_eq!(message[..2], [3, 1], "time exceeded: reassembly");
}
