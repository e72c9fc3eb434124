//! Flows of packets, and the hashes by which devices spread them (Microsoft, "RSS Hashing Functions").

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};

/// A frame of flow `number`: TCP or UDP, over IPv4 or IPv6, in turn.
pub fn flow(destination: [u8; 6], number: u16) -> Vec<u8> {
    let ethernet = || PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], destination);
    let v4 = || ethernet().ipv4([192, 168, 7, 1], [192, 168, 7, 2], 64);
    let v6 = || ethernet().ipv6([0xfd; 16], [0xfc; 16], 64);
    let (port, data) = (1000 + number, [7; 100]);
    let mut frame = Vec::new();
    match number % 4 {
        0 => v4().tcp(port, 80, 1000, 8000).write(&mut frame, &data),
        1 => v4().udp(port, 53).write(&mut frame, &data),
        2 => v6().tcp(port, 80, 1000, 8000).write(&mut frame, &data),
        _ => v6().udp(port, 53).write(&mut frame, &data),
    }
    .expect("it fits");
    frame
}

/// What of a packet is hashed, and whether it is TCP's or UDP's and IPv6's: its addresses, and with `ports` its ports.
/// `None` for what is no packet of either.
pub fn hashed(frame: &[u8], ports: impl Fn(bool, bool) -> bool) -> Option<Vec<u8>> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let (mut input, is_v6) = match packet.net? {
        NetSlice::Ipv4(ip) => ([ip.header().source(), ip.header().destination()].concat(), false),
        NetSlice::Ipv6(ip) => ([ip.header().source(), ip.header().destination()].concat(), true),
        _ => return None,
    };
    let (is_tcp, pair) = match packet.transport? {
        TransportSlice::Tcp(tcp) => (true, [tcp.source_port(), tcp.destination_port()]),
        TransportSlice::Udp(udp) => (false, [udp.source_port(), udp.destination_port()]),
        _ => return None,
    };
    if ports(is_tcp, is_v6) {
        input.extend(pair.into_iter().flat_map(u16::to_be_bytes));
    }
    Some(input)
}

/// The hash of Toeplitz: for each bit that is set, the 32 bits of the key that begin there.
pub fn toeplitz(key: &[u8], input: &[u8]) -> u32 {
    let window = |bit: usize| {
        let bytes = (0..5).map(|index| key.get(bit / 8 + index).copied().unwrap_or_default());
        (bytes.fold(0, |all: u64, byte| all << 8 | u64::from(byte)) >> (8 - bit % 8)) as u32
    };
    let bits = (0..8 * input.len()).filter(|bit| input[bit / 8] >> (7 - bit % 8) & 1 != 0);
    bits.fold(0, |hash, bit| hash ^ window(bit))
}

#[test]
fn the_hash_is_that_of_the_published_example() {
    // 66.9.149.187:2794 to 161.142.100.80:1766.
    let key = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa";
    let key: Vec<u8> =
        (0..40).map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).expect("a byte")).collect();
    let input = [66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6];
    assert_eq!(toeplitz(&key, &input), 0x51cc_c178);
    assert_eq!(toeplitz(&key, &input[..8]), 0x323e_8fc2);
}
