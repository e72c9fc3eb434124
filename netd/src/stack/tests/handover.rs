//! Packets that are several segments, which the driver is to make.

use nic::segments::Cut;
use scheme::vnet::Header;

use super::*;
use crate::stack::packet::Packet;
use crate::stack::tcp::{ConnectionId, Options};

const PORT: u16 = 80;

/// The frames that become of a packet, as the driver makes them.
pub fn on_the_wire(packet: Packet) -> Vec<Vec<u8>> {
    let left = packet.left();
    let Some(segments) = left.segments else { return vec![packet.finished()] };
    let cut = Cut::new(&packet, segments, left.checksum).expect("segments can be made of it");
    let whole = |segment: Vec<u8>| Packet::received(&segment, Header { segments: None, ..left }).finished();
    cut.segments().map(whole).collect()
}

/// Two hosts whose drivers make segments, and the right one's address.
fn bed(version: IpVersion) -> (Bed, IpAddr) {
    let (mut bed, right) = match version {
        IpVersion::Ipv4 => (Bed::new(), RIGHT),
        IpVersion::Ipv6 => {
            let bed = ipv6::settled();
            let right = ipv6::link_local(&bed.right);
            (bed, right)
        }
    };
    bed.left.set_segments(ETH0, true);
    bed.right.set_segments(ETH0, true);
    (bed, right)
}

/// A connection from the left, as both see it.
fn pair(bed: &mut Bed, to: IpAddr) -> (ConnectionId, ConnectionId) {
    let Stack { tcp, network, .. } = &mut bed.right;
    let any = if to.is_ipv4() { any(PORT) } else { "[::]:80".parse().unwrap() };
    let listener = tcp.listen(any, Options::default(), network).unwrap();
    let Stack { tcp, network, .. } = &mut bed.left;
    let connection = tcp.connect(None, SocketAddr::new(to, PORT), Options::default(), network).unwrap();
    bed.run(Duration::from_millis(100));
    (connection, bed.right.tcp.accept(listener).unwrap())
}

fn headers(version: IpVersion) -> usize {
    match version {
        IpVersion::Ipv4 => 40,
        IpVersion::Ipv6 => 60,
    }
}

/// What the left gives its driver for a peer that takes `size` bytes in a segment: the lengths of data, and of the segments
/// to be made of each.
fn given_to_one_who_takes(size: usize, version: IpVersion) -> Vec<(usize, Option<u16>)> {
    let (mut bed, right) = bed(version);
    let headers = headers(version);
    bed.right.network.interface_mut(ETH0).unwrap().set_mtu(size + headers, 1, bed.now);
    let (connection, receiver) = pair(&mut bed, right);
    // Not at once may so much be under way.
    for _ in 0..8 {
        bed.left.tcp.write(connection, &[7; 9000]).unwrap();
        bed.run(Duration::from_millis(100));
        while bed.right.tcp.read(receiver, &mut [0; 65536], false).is_ok_and(|count| count > 0) {}
        bed.run(Duration::from_millis(100));
    }
    bed.left.tcp.write(connection, &[7; 9000]).unwrap();
    bed.left.poll(bed.now);
    let packets = bed.left.take_packets(ETH0, usize::MAX);
    let sizes = |packet: Packet| {
        (packet.len() - HEADROOM - headers, packet.left().segments.map(|segments| segments.size))
    };
    packets.map(sizes).collect()
}

#[test]
fn segments_are_made_by_a_driver_that_can() {
    use IpVersion::{Ipv4, Ipv6};
    assert_eq!(given_to_one_who_takes(1460, Ipv4), [(9000, Some(1460))]);
    assert_eq!(given_to_one_who_takes(1440, Ipv6), [(9000, Some(1440))]);
    assert_eq!(given_to_one_who_takes(1000, Ipv4), [(9000, Some(1000))]);
    assert_eq!(given_to_one_who_takes(1300, Ipv6), [(9000, Some(1300))]);
}

#[test]
fn a_peer_that_takes_more_than_the_link_gets_what_the_link_carries() {
    assert_eq!(given_to_one_who_takes(8960, IpVersion::Ipv4), [(9000, Some(1460))]);
    assert_eq!(given_to_one_who_takes(8940, IpVersion::Ipv6), [(9000, Some(1440))]);
}

#[test]
fn a_peer_that_takes_little_gets_its_segments_one_by_one() {
    let given = given_to_one_who_takes(500, IpVersion::Ipv4);
    assert!(given.iter().all(|(length, size)| *length <= 500 && size.is_none()), "{given:?}");
    assert!(given.len() > 10, "{given:?}");
}

/// Both hosts send each other `LENGTH` bytes at once by a wire with these faults; soon the left one's link carries packets of
/// `later` bytes at most.
fn exchange(version: IpVersion, faults: Faults, later: usize) {
    const LENGTH: usize = 300_000;
    let (mut bed, right) = bed(version);
    let (left, right) = pair(&mut bed, right);
    bed.faults = faults;
    let wanted = [1, 2].map(|seed| tcp::pattern(LENGTH, seed));
    let (mut sent, mut received) = ([0; 2], [vec![], vec![]]);
    let mut buffer = vec![0; 65536];
    for round in 0..20_000 {
        if received.iter().all(|received| received.len() == LENGTH) {
            assert!(received == wanted, "what came is not what was sent");
            return;
        }
        if round == 5 {
            bed.left.network.interface_mut(ETH0).unwrap().set_mtu(later, 1, bed.now);
        }
        for (side, (own, id)) in [(&mut bed.left, left), (&mut bed.right, right)].into_iter().enumerate() {
            sent[side] += own.tcp.write(id, &wanted[side][sent[side]..]).unwrap_or(0);
            let count = own.tcp.read(id, &mut buffer, false).unwrap_or(0);
            received[1 - side].extend_from_slice(&buffer[..count]);
        }
        bed.run(Duration::from_millis(5));
    }
    panic!("{version:?}: {sent:?} bytes were sent, and of those came {:?}", received.map(|all| all.len()));
}

#[test]
fn transfers_are_whole_on_every_wire() {
    let faults = [Faults::default(), Faults { lost: 20, doubled: 10, swapped: 50 }];
    for version in [IpVersion::Ipv4, IpVersion::Ipv6] {
        for faults in faults {
            exchange(version, faults, 1500);
            exchange(version, faults, 1300);
        }
    }
}
