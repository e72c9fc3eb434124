//! Extension headers, believable and not.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const FROM: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const TO: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const UPPER: u8 = 253;

/// A packet with these extension headers, each a number and its content without its first two bytes, before `data`.
fn packet(extensions: &[(u8, Vec<u8>)], data: &[u8]) -> Vec<u8> {
    let mut rest = Vec::new();
    for (place, (_, content)) in extensions.iter().enumerate() {
        let next = extensions.get(place + 1).map_or(UPPER, |(number, _)| *number);
        rest.extend([next, (content.len() / 8) as u8]);
        rest.extend_from_slice(content);
    }
    rest.extend_from_slice(data);
    let first = extensions.first().map_or(UPPER, |(number, _)| *number);
    build(FROM, TO, IpProtocol::from(first), rest.len(), |room| room.copy_from_slice(&rest))
        .split_off(HEADROOM)
}

fn opened(bytes: &[u8]) -> Result<Contents<'_>, Refusal> {
    open(header(bytes).unwrap())
}

/// An extension header with nothing in it that matters: destination options of padding, or a routing header that is done.
fn idle() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let padding = |units: usize| {
        let length = units * 8 + 4;
        let mut content = vec![0; length + 2];
        (content[0], content[1]) = (1, length as u8);
        (60, content)
    };
    let done = |units: usize| (43, vec![0; units * 8 + 6]);
    (0..4_usize, any::<bool>())
        .prop_map(move |(units, is_route)| if is_route { done(units) } else { padding(units) })
}

proptest! {
    #[test]
    fn what_is_behind_idle_extensions_is_found(extensions in vec(idle(), 0..=8), data in vec(any::<u8>(), 0..64)) {
        let bytes = packet(&extensions, &data);
        let Ok(Contents::Whole(datagram)) = opened(&bytes) else { panic!("{:?}", opened(&bytes)) };
        prop_assert_eq!((u8::from(datagram.protocol), datagram.payload), (UPPER, &data[..]));
        prop_assert_eq!(bytes[protocol_named_at(&datagram) as usize], UPPER);
        prop_assert_eq!(without_extensions(&datagram), packet(&[], &data));
    }

    #[test]
    fn no_bytes_lead_beyond_the_packet(number in 0..62_u8, bytes in vec(any::<u8>(), 0..200)) {
        let packet = packet(&[], &bytes);
        let mut packet = [&packet[..6], &[number], &packet[7..]].concat();
        for length in [packet.len(), packet.len().min(48)] {
            packet.truncate(length);
            packet[4..6].copy_from_slice(&((length - HEADER) as u16).to_be_bytes());
            if let Ok(Contents::Whole(datagram)) = opened(&packet) {
                prop_assert!((protocol_named_at(&datagram) as usize) < packet.len());
            }
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let told = |extensions: &[(u8, Vec<u8>)]| match opened(&packet(extensions, &[])) {
        Err(Refusal::Told(Complaint::Malformed(code, at))) => Some((code, at)),
        _ => None,
    };
    assert_eq!(told(&[(60, vec![0xc2, 4, 0, 0, 0, 0])]), Some((UNKNOWN_OPTION, 42)));
    assert_eq!(told(&[(60, vec![0x42, 4, 0, 0, 0, 0])]), None, "in silence");
    assert_eq!(told(&[(60, vec![0x02, 4, 0, 0, 0, 0])]), None, "passed over");
    assert_eq!(told(&[(43, vec![0, 1, 0, 0, 0, 0])]), Some((ERRONEOUS_FIELD, 42)), "segments are left");
    let padding = vec![1, 4, 0, 0, 0, 0];
    assert_eq!(
        told(&[(60, padding.clone()), (0, padding)]),
        Some((UNKNOWN_HEADER, 40)),
        "hop-by-hop goes first"
    );
}

#[test]
fn too_many_extensions_are_refused() {
    let many = vec![(60, vec![1, 4, 0, 0, 0, 0]); 9];
    assert_eq!(opened(&packet(&many, b"x")).unwrap_err(), Refusal::Silent);
}
