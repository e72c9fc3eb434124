//! Checksums that the driver has looked at, or is to fill in.

use super::*;
use scheme::vnet::Header;

use crate::stack::packet::Packet;
use crate::stack::tcp::Options;

/// An echo server on the right is asked over UDP and connected to over TCP by the left, whose frames come as `carry`
/// gives them. How many bytes of both came.
fn pass(mut carry: impl FnMut(Packet) -> (Vec<u8>, Checksum)) -> [usize; 2] {
    let mut bed = Bed::new();
    let Stack { tcp, udp, network, .. } = &mut bed.right;
    let listener = tcp.listen(any(80), Options::default(), network).unwrap();
    let receiver = udp.open(any(53), None, Default::default(), network).unwrap();
    let Stack { tcp, udp, network, .. } = &mut bed.left;
    let connection = tcp.connect(None, right(80), Options::default(), network).unwrap();
    let sender = udp.open(any(1000), None, Default::default(), network).unwrap();
    udp.send_to(sender, b"datagram", Some(right(53)), network).unwrap();
    let (mut accepted, mut received) = (None, [0; 2]);
    for _ in 0..100 {
        bed.left.poll(bed.now);
        bed.right.poll(bed.now);
        let rightward: Vec<_> = bed.left.take_packets(ETH0, usize::MAX).collect();
        let leftward: Vec<_> = bed.right.take_packets(ETH0, usize::MAX).collect();
        bed.now += bed.trip;
        for packet in rightward {
            let (frame, checksum) = carry(packet);
            bed.right.receive_with(ETH0, &frame, Header { checksum, ..Header::default() });
        }
        for packet in leftward {
            bed.left.receive(ETH0, &packet.finished());
        }
        bed.left.tcp.write(connection, &[7; 3000]).ok();
        accepted = accepted.or_else(|| bed.right.tcp.accept(listener).ok());
        let mut buffer = [0; 65536];
        if let Some(accepted) = accepted {
            received[0] += bed.right.tcp.read(accepted, &mut buffer, false).unwrap_or(0);
        }
        received[1] +=
            bed.right.udp.receive_from(receiver, &mut buffer, false).map_or(0, |(_, count, _)| count);
    }
    received
}

#[test]
fn what_is_left_to_the_driver_needs_no_more_than_the_sum_of_the_pseudo_header() {
    let mut unfinished = 0;
    let [tcp, udp] = pass(|packet| {
        let checksum = packet.left().checksum;
        unfinished += usize::from(checksum != Checksum::Unknown);
        (packet.to_vec(), checksum)
    });
    assert!(tcp >= 100_000 && unfinished > 70, "{tcp} bytes in {unfinished} segments");
    assert_eq!(udp, 8);
}

#[test]
fn a_checksum_that_the_driver_found_good_is_not_looked_at() {
    let [tcp, udp] = pass(|packet| (packet.to_vec(), Checksum::Good));
    assert!(tcp >= 100_000, "{tcp} bytes");
    assert_eq!(udp, 8);
}

#[test]
fn a_checksum_that_the_driver_did_not_look_at_or_found_bad_is() {
    for checksum in [Checksum::Unknown, Checksum::Bad] {
        assert_eq!(pass(|packet| (packet.to_vec(), checksum)), [0, 0]);
        let [tcp, udp] = pass(|packet| (packet.finished(), checksum));
        assert!(tcp >= 100_000, "{tcp} bytes");
        assert_eq!(udp, 8);
    }
}

#[test]
fn who_looks_on_sees_whole_packets() {
    let mut bed = Bed::new();
    let capture = bed.left.network.interface_mut(ETH0).unwrap().captures.begin().unwrap();
    let Stack { tcp, network, .. } = &mut bed.left;
    tcp.connect(None, right(80), Options::default(), network).unwrap();
    bed.run(Duration::from_millis(100));
    let captures = &mut bed.left.network.interface_mut(ETH0).unwrap().captures;
    let frames = std::iter::from_fn(|| captures.get_mut(capture).unwrap().queue.take());
    let checked = frames.filter_map(|captured| {
        let datagram = Datagram::parse(captured.bytes.get(HEADROOM..)?)?;
        Some((captured.direction, datagram.has_good_checksum()))
    });
    assert_eq!(checked.collect::<Vec<_>>(), [(Direction::Sent, true), (Direction::Received, true)]);
}
