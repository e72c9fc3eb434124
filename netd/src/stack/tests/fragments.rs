//! Who may be fragmented.

use smoltcp::wire::Ipv4Packet;

use super::*;

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
    let socket = bed.left.udp.open(any(0), Some(right(53)), &mut bed.left.network).unwrap();
    bed.left.tcp.write(client, &[0; 1000]).unwrap();
    bed.left.udp.send_to(socket, &[0; 1000], None, &mut bed.left.network).unwrap();
    let [(first, false), (second, false)] = sent(&mut bed)[..] else { panic!("two that may") };
    assert_ne!(first, second);
    let raw = bed.left.raw.open(253);
    let packet = datagram::build(LEFT, RIGHT, IpProtocol::from(253), 4, |_| ());
    bed.left.raw.write(raw, &packet[HEADROOM..], &mut bed.left.network).unwrap();
    assert_eq!(sent(&mut bed), [(0, true)], "a raw packet is its sender's");
}
