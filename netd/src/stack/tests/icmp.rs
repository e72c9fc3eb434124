//! ICMP between two stacks.

use smoltcp::wire::Icmpv4Packet;

use super::*;
use crate::stack::icmp::Purpose;

#[test]
fn an_echo_comes_back_with_its_number_and_data() {
    let mut bed = Bed::new();
    let network = &mut bed.left.network;
    let ping = bed.left.icmp.open(Purpose::Echo, RIGHT, &mut network.random).unwrap();
    let message = [&[0x12, 0x34][..], b"are you there?"].concat();
    assert_eq!(bed.left.icmp.write(ping, &message, network), Ok(message.len()));
    bed.run(Duration::from_secs(1));
    let mut answer = [0; 64];
    assert_eq!(bed.left.icmp.read(ping, &mut answer), Ok(message.len()));
    assert_eq!(answer[..message.len()], message);
    assert_eq!(bed.left.icmp.read(ping, &mut answer), Err(SocketError::WouldBlock));
}

#[test]
fn an_error_about_a_datagram_can_be_read() {
    let mut bed = Bed::new();
    let errors = bed.left.icmp.open(Purpose::UdpErrors, RIGHT, &mut bed.left.network.random).unwrap();
    let client = bed.left.udp.open(any(0), None, Default::default(), &mut bed.left.network).unwrap();
    bed.left.udp.send_to(client, b"?", Some(right(33434)), &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    let mut message = [0; 64];
    assert!(bed.left.icmp.read(errors, &mut message).unwrap() >= 8 + 20 + 8);
    assert_eq!(message[..2], [3, 3], "destination unreachable, port unreachable");
}

/// What a router says of a packet of the left host's, which is in `frame`: that it does not arrive.
fn unreachable(frame: &[u8], code: u8) -> Vec<u8> {
    let quoted = &frame[HEADROOM..];
    let answer = datagram::build(RIGHT, LEFT, IpProtocol::Icmp, 8 + quoted.len(), |message| {
        (message[0], message[1]) = (3, code);
        message[8..].copy_from_slice(quoted);
        Icmpv4Packet::new_unchecked(message).fill_checksum();
    });
    framed(answer, RIGHT, LEFT)
}

#[test]
fn an_error_ends_a_handshake_and_no_connection() {
    let mut bed = Bed::new();
    bed.right.tcp.listen(any(80), Default::default(), &mut bed.right.network).unwrap();
    let connection =
        bed.left.tcp.connect(None, right(80), Default::default(), &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.connected(connection), Ok(()));
    for (code, error) in [(1, SocketError::HostUnreachable), (3, SocketError::ConnectionRefused)] {
        let client =
            bed.left.tcp.connect(None, right(81), Default::default(), &mut bed.left.network).unwrap();
        bed.left.poll(bed.now);
        let request = bed.left.take_frames(ETH0, usize::MAX).last().unwrap();
        bed.left.receive(ETH0, &unreachable(&request, code));
        assert_eq!(bed.left.tcp.connected(client), Err(error));

        bed.left.tcp.write(connection, b"x").unwrap();
        bed.left.poll(bed.now);
        let text = bed.left.take_frames(ETH0, usize::MAX).last().unwrap();
        bed.left.receive(ETH0, &unreachable(&text, code));
        assert_eq!(bed.left.tcp.read(connection, &mut [0; 9], false), Err(SocketError::WouldBlock));
    }
}

#[test]
fn a_whole_packet_goes_out_and_comes_in_raw() {
    let mut bed = Bed::new();
    let (sender, receiver) =
        (bed.left.raw.open(IpVersion::Ipv4, 253), bed.right.raw.open(IpVersion::Ipv4, 253));
    let packet = datagram::build(Ipv4Addr::UNSPECIFIED.into(), RIGHT, IpProtocol::from(253), 4, |room| {
        room.copy_from_slice(b"raw!")
    });
    let packet = &packet[HEADROOM..];
    assert_eq!(bed.left.raw.write(sender, packet, &mut bed.left.network), Ok(24));
    bed.run(Duration::from_secs(1));
    let mut received = [0; 64];
    assert_eq!(bed.right.raw.read(receiver, &mut received), Ok(24));
    assert_eq!((&received[12..16], &received[20..24]), (&[10, 0, 0, 1][..], &b"raw!"[..]));
    for bad in [&packet[..23], &packet[..3], &[packet, b"more"].concat()] {
        assert_eq!(bed.left.raw.write(sender, bad, &mut bed.left.network), Err(SocketError::Malformed));
    }
}

#[test]
fn a_message_that_is_cut_short_harms_no_reader() {
    let mut bed = Bed::new();
    let network = &mut bed.left.network;
    let echo = bed.left.icmp.open(Purpose::Echo, RIGHT, &mut network.random).unwrap();
    let errors = bed.left.icmp.open(Purpose::UdpErrors, RIGHT, &mut network.random).unwrap();
    let protocol = IpProtocol::Icmp;
    let receiver = bed.left.raw.open(IpVersion::Ipv4, protocol.into());
    let sender = bed.right.raw.open(IpVersion::Ipv4, protocol.into());
    // Echo reply, destination unreachable and time exceeded.
    for kind in [0, 3, 11] {
        let whole = [kind, 0, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 28];
        for length in 0..=whole.len() {
            let packet = datagram::build(RIGHT, LEFT, protocol, length, |room| {
                room.copy_from_slice(&whole[..length]);
                if length >= 4 {
                    Icmpv4Packet::new_unchecked(room).fill_checksum();
                }
            });
            bed.right.raw.write(sender, &packet[HEADROOM..], &mut bed.right.network).unwrap();
            bed.run(Duration::from_secs(1));
            assert!(bed.left.raw.read(receiver, &mut [0; 64]).is_ok(), "it has not come");
        }
    }
    let mut buffer = [0; 64];
    assert_eq!(bed.left.icmp.read(errors, &mut buffer), Err(SocketError::WouldBlock));
    while bed.left.icmp.read(echo, &mut buffer).is_ok() {}
    bed.left.icmp.write(echo, &[0, 0, 1], &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.icmp.read(echo, &mut buffer), Ok(3), "the reader goes on");
}

#[test]
fn nobody_who_has_no_address_is_answered() {
    let mut bed = Bed::new();
    let nobody = IpAddr::from(Ipv4Addr::UNSPECIFIED);
    let ping = datagram::build(nobody, LEFT, IpProtocol::Icmp, 8, |room| {
        room[0] = 8;
        smoltcp::wire::Icmpv4Packet::new_unchecked(room).fill_checksum();
    });
    let to_nobody = datagram::build(nobody, LEFT, IpProtocol::from(253), 4, |_| ());
    let syn =
        segment(SocketAddr::new(nobody, 9), SocketAddr::new(LEFT, 80), 20, |segment| segment.set_syn(true));
    for frame in [framed(ping, RIGHT, LEFT), framed(to_nobody, RIGHT, LEFT), syn] {
        bed.left.receive(ETH0, &frame);
        bed.left.poll(bed.now);
        assert_eq!(bed.left.take_frames(ETH0, usize::MAX).count(), 0);
    }
}

#[test]
fn fragments_that_a_program_makes_for_this_very_host_arrive() {
    let mut bed = Bed::new();
    let Stack { raw, network, .. } = &mut bed.left;
    let socket = raw.open(IpVersion::Ipv4, 253);
    let mut whole = datagram::build(LEFT, LEFT, IpProtocol::from(253), 1000, |_| ());
    ipv4::allow_fragments(&mut whole, 7);
    for piece in crate::stack::fragments::split(&whole, 600, 0) {
        raw.write(socket, &piece[HEADROOM..], network).unwrap();
    }
    bed.run(Duration::from_millis(10));
    assert_eq!(bed.left.raw.read(socket, &mut [0; 1500]), Ok(1020));
}

#[test]
fn who_does_not_read_keeps_the_latest_messages_within_bounds() {
    let mut bed = Bed::new();
    let network = &mut bed.left.network;
    let ping = bed.left.icmp.open(Purpose::Echo, LEFT, &mut network.random).unwrap();
    for number in 0..64 {
        let message = [&[0, number][..], &[7; 60_000]].concat();
        assert_eq!(bed.left.icmp.write(ping, &message, &mut bed.left.network), Ok(message.len()));
        bed.run(Duration::from_millis(1));
    }
    let (mut buffer, mut numbers) = (vec![0; 65_536], Vec::new());
    while bed.left.icmp.read(ping, &mut buffer).is_ok() {
        numbers.push(buffer[1]);
    }
    assert_eq!(numbers, [61, 62, 63]);
}

#[test]
fn a_writer_of_echoes_and_one_of_raw_packets_wait_until_there_is_room() {
    let mut bed = Bed::new();
    let Stack { icmp, raw, network, .. } = &mut bed.left;
    let ping = icmp.open(Purpose::Echo, RIGHT, &mut network.random).unwrap();
    let sender = raw.open(IpVersion::Ipv4, 253);
    icmp.write(ping, b"\0\0first", network).unwrap();
    bed.run(Duration::from_millis(100));
    assert_eq!(bed.left.icmp.take_changes(), [(ping, Readiness::READ)], "the answer");
    let packet = datagram::build(LEFT, RIGHT, IpProtocol::from(253), 4, |_| ());
    let packet = &packet[HEADROOM..];

    let Stack { icmp, raw, network, .. } = &mut bed.left;
    // A long one leaves in many pieces, and needs room for all of them.
    let sent = (0..1000).take_while(|_| icmp.write(ping, &[0; 60_000], network).is_ok()).count();
    assert!(sent > 0);
    while raw.write(sender, packet, network).is_ok() {}
    assert_eq!(icmp.write(ping, &[0; 60_000], network), Err(SocketError::WouldBlock));
    assert_eq!(raw.write(sender, packet, network), Err(SocketError::WouldBlock));
    assert!(!icmp.readiness(ping).write && !raw.readiness(sender).write);
    assert_eq!(network.interface(ETH0).unwrap().counters.tx_dropped, 0, "nothing is lost");

    bed.left.poll(bed.now);
    assert_ne!(bed.left.deadline(), Some(bed.now), "it is the driver's turn");
    bed.left.take_frames(ETH0, 1).for_each(drop);
    assert_eq!(bed.left.deadline(), Some(bed.now));
    bed.left.poll(bed.now);
    assert_eq!(bed.left.raw.take_changes(), [(sender, Readiness::WRITE)], "there is room for one packet");
    assert_eq!(bed.left.icmp.take_changes(), []);
    bed.left.take_frames(ETH0, usize::MAX).for_each(drop);
    bed.left.poll(bed.now);
    assert_eq!(bed.left.icmp.take_changes(), [(ping, Readiness::WRITE)]);
    assert!(bed.left.icmp.readiness(ping).write && bed.left.raw.readiness(sender).write);
}
