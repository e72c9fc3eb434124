//! UDP between two stacks.

use super::*;

#[test]
fn a_datagram_longer_than_the_buffer_is_truncated() {
    let mut bed = Bed::new();
    let server = bed.right.udp.open(any(53), None, Default::default(), &mut bed.right.network).unwrap();
    let client =
        bed.left.udp.open(any(0), Some(right(53)), Default::default(), &mut bed.left.network).unwrap();
    for text in [&b"a long question"[..], b"short"] {
        assert_eq!(bed.left.udp.send_to(client, text, None, &mut bed.left.network), Ok(text.len()));
    }
    bed.run(Duration::from_secs(1));
    let from = SocketAddr::new(LEFT, bed.left.udp.local(client).unwrap().port());
    let mut buffer = [0; 6];
    assert_eq!(bed.right.udp.receive_from(server, &mut buffer, false), Ok((from, 6, 15)));
    assert_eq!(&buffer, b"a long");
    assert_eq!(bed.right.udp.receive_from(server, &mut buffer, false), Ok((from, 5, 5)));
    assert_eq!(bed.right.udp.receive_from(server, &mut buffer, false), Err(SocketError::WouldBlock));
}

#[test]
fn a_connected_socket_hears_that_nobody_listens() {
    let mut bed = Bed::new();
    let client =
        bed.left.udp.open(any(0), Some(right(9)), Default::default(), &mut bed.left.network).unwrap();
    bed.left.udp.send_to(client, b"hello", None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.udp.receive_from(client, &mut [0; 9], false), Err(SocketError::ConnectionRefused));
    assert_eq!(bed.left.udp.receive_from(client, &mut [0; 9], false), Err(SocketError::WouldBlock));
}

#[test]
fn a_datagram_that_no_packet_carries_is_refused() {
    let mut bed = Bed::new();
    let client =
        bed.left.udp.open(any(0), Some(right(9)), Default::default(), &mut bed.left.network).unwrap();
    let error = bed.left.udp.send_to(client, &[0; 65_508], None, &mut bed.left.network);
    assert_eq!(error, Err(SocketError::MessageTooLong { length: 65_508, limit: 65_507 }));
    assert_eq!(bed.left.udp.send_to(client, &[0; 65_507], None, &mut bed.left.network), Ok(65_507));
}

#[test]
fn a_reader_that_sleeps_loses_datagrams_and_they_are_counted() {
    let mut bed = Bed::new();
    let server = bed.right.udp.open(any(53), None, Default::default(), &mut bed.right.network).unwrap();
    let client =
        bed.left.udp.open(any(0), Some(right(53)), Default::default(), &mut bed.left.network).unwrap();
    for _ in 0..300 {
        bed.left.udp.send_to(client, &[7; 1400], None, &mut bed.left.network).unwrap();
        bed.run(Duration::from_millis(5));
    }
    let mut received = 0;
    while bed.right.udp.receive_from(server, &mut [0; 1500], false).is_ok() {
        received += 1;
    }
    assert_eq!(received + bed.right.network.interface(ETH0).unwrap().counters.rx_dropped, 300);
    assert!(received < 300);
}

#[test]
fn the_queue_to_a_slow_driver_is_back_pressure() {
    let mut bed = Bed::new();
    let server = bed.right.udp.open(any(53), None, Default::default(), &mut bed.right.network).unwrap();
    let client =
        bed.left.udp.open(any(0), Some(right(53)), Default::default(), &mut bed.left.network).unwrap();
    bed.left.udp.send_to(client, b"first", None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_millis(100));
    let sent = (0..1000)
        .take_while(|_| {
            bed.left.udp.send_to(client, b"x", None, &mut bed.left.network) != Err(SocketError::WouldBlock)
        })
        .count();
    assert!(!bed.left.udp.readiness(client).write);
    bed.run(Duration::from_millis(100));
    assert_eq!(bed.left.udp.take_changes(), [(client, Readiness::WRITE)]);
    assert!(bed.left.udp.readiness(client).write);
    let received =
        (0..1000).take_while(|_| bed.right.udp.receive_from(server, &mut [0; 9], false).is_ok()).count();
    assert_eq!(received, sent + 1);
}

#[test]
fn ports_conflict_and_come_back() {
    let mut bed = Bed::new();
    let network = &mut bed.left.network;
    let first = bed.left.udp.open(any(53), None, Default::default(), network).unwrap();
    let ours = SocketAddr::new(LEFT, 53);
    assert_eq!(
        bed.left.udp.open(ours, None, Default::default(), network),
        Err(SocketError::AddressInUse(53))
    );
    bed.left.udp.close(first, network);
    assert!(bed.left.udp.open(ours, None, Default::default(), network).is_ok());
    let foreign = SocketAddr::new(RIGHT, 54);
    assert_eq!(
        bed.left.udp.open(foreign, None, Default::default(), network),
        Err(SocketError::AddressNotAvailable(RIGHT))
    );
}

#[test]
fn without_a_link_datagrams_are_lost_and_counted_and_no_writer_waits() {
    let mut bed = Bed::new();
    bed.right.udp.open(any(53), None, Default::default(), &mut bed.right.network).unwrap();
    let client =
        bed.left.udp.open(any(0), Some(right(53)), Default::default(), &mut bed.left.network).unwrap();
    bed.left.udp.send_to(client, b"where are you?", None, &mut bed.left.network).unwrap();
    bed.run(Duration::from_millis(100));
    while bed.left.udp.send_to(client, b"x", None, &mut bed.left.network).is_ok() {}
    assert!(!bed.left.udp.readiness(client).write, "it waits for the driver");
    bed.left.link_down(ETH0);
    bed.left.poll(bed.now);
    assert_eq!(bed.left.udp.take_changes(), [(client, Readiness::WRITE)]);
    let lost = bed.left.network.interface(ETH0).unwrap().counters.tx_dropped;
    for _ in 0..1000 {
        assert_eq!(bed.left.udp.send_to(client, b"x", None, &mut bed.left.network), Ok(1));
    }
    assert_eq!(bed.left.network.interface(ETH0).unwrap().counters.tx_dropped, lost + 1000);
}

#[test]
fn a_writer_that_waits_is_woken_by_room_alone() {
    let mut bed = Bed::new();
    bed.right.udp.open(any(53), None, Default::default(), &mut bed.right.network).unwrap();
    let Stack { udp, network, .. } = &mut bed.left;
    let client = udp.open(any(0), Some(right(53)), Default::default(), network).unwrap();
    udp.send_to(client, b"where are you?", None, network).unwrap();
    bed.run(Duration::from_millis(100));
    while bed.left.udp.send_to(client, b"x", None, &mut bed.left.network).is_ok() {}
    bed.left.poll(bed.now);
    assert_ne!(bed.left.deadline(), Some(bed.now), "it is the driver's turn");
    bed.left.take_frames(ETH0, 1).for_each(drop);
    assert_eq!(bed.left.deadline(), Some(bed.now));
    bed.left.poll(bed.now);
    assert_eq!(bed.left.udp.take_changes(), [(client, Readiness::WRITE)]);
}

#[test]
fn a_writer_to_this_very_host_is_woken_by_room() {
    let mut bed = Bed::new();
    let Stack { udp, network, .. } = &mut bed.left;
    let nobody = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53);
    let client = udp.open(any(0), None, Default::default(), network).unwrap();
    while udp.send_to(client, b"x", Some(nobody), network).is_ok() {}
    while bed.left.deadline() == Some(bed.now) {
        bed.left.poll(bed.now);
    }
    assert_eq!(bed.left.udp.take_changes(), [(client, Readiness::WRITE)]);
}
