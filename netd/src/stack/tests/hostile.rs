//! Frames that nobody should send.

use super::*;
use crate::stack::tcp::Options;

/// A frame for us with a random tail, often with headers that look right.
fn frame(random: &mut Random) -> Vec<u8> {
    let length = random.next_u64() as usize % 120;
    let mut frame: Vec<u8> = (0..length).map(|_| random.next_u64() as u8).collect();
    let head = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, [0, 6][random.next_u64() as usize % 2]];
    let believable = random.next_u64() as usize % 48;
    let ip = [
        0x45,
        0,
        0,
        length.saturating_sub(14) as u8,
        0,
        0,
        0,
        0,
        64,
        [1, 6, 17, 2][random.next_u64() as usize % 4],
    ];
    let addresses = [0, 0, 10, 0, 0, 2, 10, 0, 0, 1];
    for (to, from) in frame.iter_mut().zip(head.into_iter().chain(ip).chain(addresses)).take(believable) {
        *to = from;
    }
    if let Some(mut header) = frame.get_mut(14..34).map(smoltcp::wire::Ipv4Packet::new_unchecked)
        && believable > 30
        && header.header_len() == 20
    {
        header.fill_checksum();
    }
    frame
}

#[test]
fn random_frames_harm_nobody() {
    let mut bed = Bed::new();
    let mut random = Random::new([11, 13]);
    let listener = bed.left.tcp.listen(any(80), Options::default(), &mut bed.left.network).unwrap();
    let socket = bed.left.udp.open(any(53), None, Default::default(), &mut bed.left.network).unwrap();
    for round in 0..100_000 {
        bed.left.receive(ETH0, &frame(&mut random));
        if round % 64 == 0 {
            bed.step();
        }
        while bed.left.udp.receive_from(socket, &mut [0; 8], false).is_ok() {}
    }
    while bed.left.tcp.accept(listener).is_ok() {}
    let client = bed
        .right
        .tcp
        .connect(None, SocketAddr::new(LEFT, 80), Options::default(), &mut bed.right.network)
        .unwrap();
    bed.run(Duration::from_secs(5));
    assert_eq!(bed.right.tcp.connected(client), Ok(()));
    let counters = bed.left.network.interface(ETH0).unwrap().counters;
    let answers = bed.right.network.interface(ETH0).unwrap().counters.tx_packets;
    assert_eq!(counters.rx_packets, 100_000 + answers);
    assert!(counters.rx_errors > 1000 && counters.rx_dropped > 1000, "{counters:?}");
}
