//! How connections of TCP end, or do not.

use super::tcp::{PORT, pattern};
use super::*;
use crate::stack::tcp::{Change, Options};

#[test]
fn what_was_written_before_close_arrives_and_then_the_end() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let data = pattern(60_000, 3);
    assert_eq!(bed.left.tcp.write(client, &data), Ok(data.len()));
    bed.left.tcp.close(client, bed.now);
    bed.run(Duration::from_secs(5));
    let mut received = vec![0; 70_000];
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(data.len()));
    assert_eq!(received[..data.len()], data);
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(0));
}

#[test]
fn half_a_connection_goes_on_when_the_other_half_has_ended() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    bed.left.tcp.shutdown(client, Readiness::WRITE).unwrap();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.right.tcp.read(server, &mut [0; 9], false), Ok(0));
    assert_eq!(bed.right.tcp.write(server, b"late answer"), Ok(11));
    bed.right.tcp.close(server, bed.now);
    bed.run(Duration::from_secs(1));
    let mut answer = [0; 20];
    assert_eq!(bed.left.tcp.read(client, &mut answer, false), Ok(11));
    assert_eq!(&answer[..11], b"late answer");
    assert_eq!(bed.left.tcp.read(client, &mut answer, false), Ok(0));
    assert_eq!(bed.left.tcp.write(client, b"x"), Err(SocketError::Closed));
}

#[test]
fn a_host_that_falls_silent_ends_who_connects_in_a_minute_and_who_sends_in_fifteen() {
    let mut bed = Bed::new();
    let (sender, _) = bed.pair();
    bed.right.set_up(ETH0, false);
    let connecting = bed.connect();
    bed.left.tcp.write(sender, b"anybody there?").unwrap();
    let heard = bed.now;
    // Frames leave, and the table of neighbours believes what it knows.
    let keep_neighbour = |bed: &mut Bed| {
        bed.left.receive(
            ETH0,
            &framed(datagram::build(RIGHT, LEFT, IpProtocol::from(253), 0, |_| ()), RIGHT, LEFT),
        )
    };
    while bed.left.tcp.readiness(sender) != Readiness::BOTH && bed.now < heard + Duration::from_secs(2000) {
        keep_neighbour(&mut bed);
        bed.run(Duration::from_secs(10));
        if bed.now - heard == Duration::from_secs(50) {
            assert_eq!(bed.left.tcp.connected(connecting), Err(SocketError::WouldBlock));
        }
        if bed.now - heard == Duration::from_secs(70) {
            assert_eq!(bed.left.tcp.connected(connecting), Err(SocketError::TimedOut));
        }
    }
    assert_eq!(bed.now - heard, Duration::from_secs(910));
    assert_eq!(bed.left.tcp.read(sender, &mut [0; 9], false), Err(SocketError::TimedOut));
}

#[test]
fn an_idle_connection_lives_on_and_can_end_late() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    bed.left.tcp.write(client, b"x").unwrap();
    bed.run(Duration::from_secs(5));
    assert_eq!(bed.right.tcp.read(server, &mut [0; 4], false), Ok(1));
    bed.run(Duration::from_secs(100_000));
    assert_eq!(bed.left.tcp.read(client, &mut [0; 4], false), Err(SocketError::WouldBlock));
    assert_eq!(bed.right.tcp.read(server, &mut [0; 4], false), Err(SocketError::WouldBlock));
    // The first thing that is said after a long time is not too late.
    bed.left.tcp.shutdown(client, Readiness::WRITE).unwrap();
    bed.run(Duration::from_secs(5));
    assert_eq!(bed.right.tcp.read(server, &mut [0; 4], false), Ok(0));
}

/// A SYN from a stranger's port that will never be followed up.
fn stray_request(port: u16) -> Vec<u8> {
    let stranger = SocketAddr::new(Ipv4Addr::new(10, 0, 0, 77).into(), port);
    segment(stranger, right(PORT), 20, |syn| syn.set_syn(true))
}

#[test]
fn requests_that_nobody_completes_are_kept_for_a_minute_only() {
    let mut bed = Bed::new();
    bed.listen();
    for port in 1..=128 {
        bed.right.receive(ETH0, &stray_request(port));
    }
    bed.run(Duration::from_secs(59));
    assert_eq!(bed.right.tcp.count(), 128);
    bed.run(Duration::from_secs(1));
    bed.now += Duration::from_secs(3);
    // What comes when the time is over, but before the turn that notices it, changes nothing.
    bed.right.network.now = bed.now;
    bed.right.receive(ETH0, &stray_request(1));
    bed.run(Duration::from_millis(2500));
    assert!(bed.right.tcp.count() <= 1);
    assert!(bed.right.deadline().is_none_or(|due| due > bed.now), "nothing is left to be done at once");
}

#[test]
fn connecting_over_a_dead_link_ends_after_a_minute() {
    let mut bed = Bed::new();
    bed.left.link_down(ETH0);
    let client = bed.connect();
    bed.run(Duration::from_secs(59));
    assert_eq!(bed.left.tcp.connected(client), Err(SocketError::WouldBlock));
    bed.run(Duration::from_secs(2));
    assert_eq!(bed.left.tcp.take_changes(), [Change::Connection(client, Readiness::BOTH)]);
    assert_eq!(bed.left.tcp.connected(client), Err(SocketError::TimedOut));
    bed.left.tcp.close(client, bed.now);
}

#[test]
fn a_client_comes_back_from_the_same_port() {
    let mut bed = Bed::new();
    let listener = bed.listen();
    let from = SocketAddr::new(LEFT, 4000);
    for _ in 0..3 {
        let client =
            bed.left.tcp.connect(Some(from), right(PORT), Options::default(), &mut bed.left.network).unwrap();
        bed.run(Duration::from_secs(2));
        let server = bed.right.tcp.accept(listener).unwrap();
        bed.right.tcp.close(server, bed.now);
        bed.run(Duration::from_millis(100));
        bed.left.tcp.close(client, bed.now);
        bed.run(Duration::from_millis(100));
    }
}

#[test]
fn a_peer_learns_that_what_it_wrote_was_not_read() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    bed.left.tcp.write(client, b"unread").unwrap();
    bed.run(Duration::from_secs(1));
    bed.right.tcp.close(server, bed.now);
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.write(client, b"more"), Err(SocketError::ConnectionReset));
}

#[test]
fn a_peer_learns_that_nobody_reads_any_more() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    bed.right.tcp.close(server, bed.now);
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.write(client, b"too late"), Ok(8));
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.write(client, b"again"), Err(SocketError::ConnectionReset));
}

#[test]
fn few_closed_connections_are_kept_whoever_ended_first() {
    let mut bed = Bed::new();
    let listener = bed.listen();
    for _ in 0..100 {
        let client = bed.connect();
        bed.run(Duration::from_millis(20));
        let server = bed.right.tcp.accept(listener).unwrap();
        bed.left.tcp.shutdown(client, Readiness::WRITE).unwrap();
        bed.run(Duration::from_millis(20));
        bed.right.tcp.close(server, bed.now);
        bed.run(Duration::from_millis(20));
        assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Ok(0));
        bed.left.tcp.close(client, bed.now);
    }
    assert_eq!(bed.left.tcp.count(), 32);
}

#[test]
fn a_connection_that_is_kept_alive_ends_when_its_peer_is_gone_and_not_before() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let mut options = Options::default();
    options.keep_alive.is_on = true;
    bed.left.tcp.set_options(client, options).unwrap();
    bed.run(Duration::from_secs(24 * 60 * 60));
    assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Err(SocketError::WouldBlock));
    assert_eq!(bed.right.tcp.read(server, &mut [0; 9], false), Err(SocketError::WouldBlock));
    options.keep_alive.idle = Duration::from_secs(20);
    options.keep_alive.interval = Duration::from_secs(3);
    options.keep_alive.probes = 4;
    bed.left.tcp.set_options(client, options).unwrap();
    bed.run(Duration::from_secs(60));
    bed.right.set_up(ETH0, false);
    let read = |bed: &mut Bed| bed.left.tcp.read(client, &mut [0; 9], false);
    bed.run(Duration::from_secs(12));
    assert_eq!(read(&mut bed), Err(SocketError::WouldBlock));
    bed.run(Duration::from_secs(20));
    assert_eq!(read(&mut bed), Err(SocketError::TimedOut));
}

#[test]
fn what_is_not_acknowledged_in_the_time_that_was_set_ends_the_connection() {
    let mut bed = Bed::new();
    let (client, _) = bed.pair();
    let options = Options { user_timeout: Some(Duration::from_secs(5)), ..Options::default() };
    bed.left.tcp.set_options(client, options).unwrap();
    bed.run(Duration::from_secs(100));
    bed.left.tcp.write(client, b"acknowledged").unwrap();
    bed.run(Duration::from_secs(100));
    bed.right.set_up(ETH0, false);
    bed.left.tcp.write(client, b"lost").unwrap();
    bed.run(Duration::from_secs(4));
    assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Err(SocketError::WouldBlock));
    bed.run(Duration::from_secs(2));
    assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Err(SocketError::TimedOut));
}

/// The right host's read after the left one has closed, having written more than the right one can buffer, with so
/// many seconds to linger; the right one reads a little every second.
fn read_slowly_after_close(linger: Option<u64>) -> Result<usize, SocketError> {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let linger = linger.map(Duration::from_secs);
    bed.left.tcp.set_options(client, Options { linger, ..Options::default() }).unwrap();
    bed.right.network.now = bed.now;
    let mut written = 0;
    while let Ok(count) = bed.left.tcp.write(client, &[7; 100_000]) {
        written += count;
        bed.run(Duration::from_secs(5));
    }
    bed.left.tcp.close(client, bed.now);
    let mut buffer = vec![0; 50_000];
    let mut read = 0;
    loop {
        bed.run(Duration::from_secs(1));
        match bed.right.tcp.read(server, &mut buffer, false) {
            Ok(0) => return Ok(written - read),
            Ok(count) => read += count,
            Err(SocketError::WouldBlock) => (),
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn a_socket_lingers_as_long_as_it_was_set_and_then_resets() {
    assert_eq!(read_slowly_after_close(None), Ok(0), "as long as the peer goes on");
    assert_eq!(read_slowly_after_close(Some(60)), Ok(0));
    assert_eq!(read_slowly_after_close(Some(2)), Err(SocketError::ConnectionReset));
}

#[test]
fn what_nobody_holds_any_more_ends_though_its_link_never_returns() {
    let mut bed = Bed::new();
    let (idle, _) = bed.pair();
    bed.left.link_down(ETH0);
    // Its turn to send comes, and it waits for a link.
    bed.left.tcp.set_options(idle, Options::default()).unwrap();
    let failing = bed.connect();
    bed.run(Duration::from_secs(61));
    assert_eq!(bed.left.tcp.connected(failing), Err(SocketError::TimedOut));
    bed.left.tcp.close(idle, bed.now);
    bed.left.tcp.close(failing, bed.now);
    bed.run(Duration::from_secs(61));
    assert_eq!(bed.left.tcp.count(), 0);
}

#[test]
fn those_who_let_go_of_connections_do_not_make_us_grow() {
    let mut bed = Bed::new();
    bed.left.link_down(ETH0);
    for port in 1..10_000 {
        let Stack { tcp, network, .. } = &mut bed.left;
        let client = tcp.connect(None, right(port), Options::default(), network).unwrap();
        bed.left.tcp.close(client, bed.now);
    }
    bed.left.poll(bed.now);
    assert!(bed.left.tcp.count() <= 8192, "{}", bed.left.tcp.count());
    bed.run(Duration::from_secs(61));
    assert_eq!(bed.left.tcp.count(), 0);
}
