//! TCP between two stacks.

use super::*;
use crate::stack::tcp::{Change, ConnectionId, ListenerId, Options};

const PORT: u16 = 80;

impl Bed {
    pub fn listen(&mut self) -> ListenerId {
        self.right.tcp.listen(any(PORT), Options::default(), &mut self.right.network).unwrap()
    }

    pub fn connect(&mut self) -> ConnectionId {
        self.left.tcp.connect(None, right(PORT), Options::default(), &mut self.left.network).unwrap()
    }

    /// A connection, as both sides see it.
    pub fn pair(&mut self) -> (ConnectionId, ConnectionId) {
        let listener = self.listen();
        let client = self.connect();
        self.run(Duration::from_secs(5));
        assert_eq!(self.left.tcp.connected(client), Ok(()));
        (client, self.right.tcp.accept(listener).unwrap())
    }
}

pub fn pattern(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at as u8).wrapping_mul(31).wrapping_add((at >> 8) as u8) ^ seed).collect()
}

#[test]
fn a_handshake_gives_both_sides_the_same_two_ends() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let (local, remote) = bed.left.tcp.addresses(client).unwrap();
    assert_eq!(remote, right(PORT));
    assert_eq!(bed.right.tcp.addresses(server), Some((remote, local)));
    assert!(local.port() >= 49152);
}

#[test]
fn a_connection_in_progress_blocks_and_then_reports_itself() {
    let mut bed = Bed::new();
    bed.listen();
    let client = bed.connect();
    assert_eq!(bed.left.tcp.connected(client), Err(SocketError::WouldBlock));
    assert_eq!(bed.left.tcp.readiness(client), Readiness::NONE);
    assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Err(SocketError::WouldBlock));
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.take_changes(), [Change::Connection(client, Readiness::BOTH)]);
    assert_eq!(bed.left.tcp.readiness(client), Readiness::WRITE);
}

/// Each side sends a megabyte, closes, and reads the other's to its end.
fn exchange(faults: Faults) {
    let mut bed = Bed::with_faults(faults);
    let (client, server) = bed.pair();
    let sent = [pattern(1 << 20, 1), pattern(1 << 20, 2)];
    let (mut done, mut received, mut ended) = ([0, 0], [Vec::new(), Vec::new()], [false, false]);
    let mut buffer = vec![0; 20_000];
    let deadline = bed.now + Duration::from_secs(1200);
    while ended != [true, true] && bed.now < deadline {
        bed.run(Duration::from_millis(10));
        for (side, (stack, id)) in [(&mut bed.left, client), (&mut bed.right, server)].into_iter().enumerate()
        {
            while done[side] < sent[side].len() {
                match stack.tcp.write(id, &sent[side][done[side]..]) {
                    Ok(count) => done[side] += count,
                    Err(error) => {
                        assert_eq!(error, SocketError::WouldBlock);
                        break;
                    }
                }
                if done[side] == sent[side].len() {
                    stack.tcp.shutdown(id, Readiness::WRITE).unwrap();
                }
            }
            while !ended[side] {
                match stack.tcp.read(id, &mut buffer, false) {
                    Ok(0) => ended[side] = true,
                    Ok(count) => received[side].extend_from_slice(&buffer[..count]),
                    Err(error) => {
                        assert_eq!(error, SocketError::WouldBlock);
                        break;
                    }
                }
            }
        }
    }
    assert_eq!(ended, [true, true], "only {} and {} bytes came", received[0].len(), received[1].len());
    assert!(received[0] == sent[1] && received[1] == sent[0]);
}

#[test]
fn a_megabyte_each_way_arrives_on_a_good_wire() {
    exchange(Faults::default());
}

#[test]
fn a_megabyte_each_way_arrives_on_a_bad_wire() {
    exchange(Faults { lost: 10, doubled: 10, swapped: 50 });
}

#[test]
fn a_long_path_is_filled() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    let (data, mut buffer) = (vec![1; 1 << 20], vec![0; 1 << 20]);
    let mut received = 0;
    // Round trips of 50 ms, of which a last acknowledgement may wait 10 ms.
    for _ in 0..40 {
        received = 0;
        bed.left.network.now = bed.now;
        let _ = bed.left.tcp.write(client, &data);
        let mut frames = Vec::new();
        while bed.left.deadline() == Some(bed.now) {
            bed.left.poll(bed.now);
            frames.extend(bed.left.take_frames(ETH0, usize::MAX));
        }
        bed.now += Duration::from_millis(40);
        bed.left.network.now = bed.now;
        for frame in frames {
            // They arrive one after the other, and each is a reason to answer.
            let answers = bed.answers(&frame);
            answers.iter().for_each(|answer| bed.left.receive(ETH0, answer));
            received += bed.right.tcp.read(server, &mut buffer, false).unwrap_or_default();
        }
        bed.now += Duration::from_millis(10);
        bed.right.poll(bed.now);
        let answers: Vec<_> = bed.right.take_frames(ETH0, usize::MAX).collect();
        answers.iter().for_each(|answer| bed.left.receive(ETH0, answer));
    }
    assert!(received > 150_000, "{received} bytes in one round trip");
}

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
fn a_port_without_a_listener_refuses() {
    let mut bed = Bed::new();
    let client = bed.connect();
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.connected(client), Err(SocketError::ConnectionRefused));
    assert_eq!(bed.left.tcp.readiness(client), Readiness::BOTH);
}

#[test]
fn a_host_that_is_not_there_is_unreachable() {
    let mut bed = Bed::new();
    let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 99)), PORT);
    let client = bed.left.tcp.connect(None, nobody, Options::default(), &mut bed.left.network).unwrap();
    bed.run(Duration::from_secs(5));
    assert_eq!(bed.left.tcp.connected(client), Err(SocketError::HostUnreachable));
}

#[test]
fn a_network_without_a_route_is_unreachable_at_once() {
    let mut bed = Bed::new();
    let far = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let error =
        bed.left.tcp.connect(None, SocketAddr::new(far, PORT), Options::default(), &mut bed.left.network);
    assert_eq!(error, Err(SocketError::NetworkUnreachable(far)));
}

#[test]
fn a_burst_of_connections_is_accepted_in_order() {
    let mut bed = Bed::new();
    let listener = bed.listen();
    let clients: Vec<_> = (0..100).map(|_| bed.connect()).collect();
    bed.run(Duration::from_secs(5));
    for client in clients {
        assert_eq!(bed.left.tcp.connected(client), Ok(()));
        let server = bed.right.tcp.accept(listener).unwrap();
        let (local, remote) = bed.left.tcp.addresses(client).unwrap();
        assert_eq!(bed.right.tcp.addresses(server), Some((remote, local)));
    }
    assert_eq!(bed.right.tcp.accept(listener), Err(SocketError::WouldBlock));
}

#[test]
fn a_full_backlog_makes_later_clients_wait_not_fail() {
    let mut bed = Bed::new();
    let listener = bed.listen();
    let mut clients: Vec<_> = (0..128).map(|_| bed.connect()).collect();
    bed.run(Duration::from_secs(5));
    clients.extend((0..12).map(|_| bed.connect()));
    bed.run(Duration::from_millis(500));
    let pending = |bed: &mut Bed| {
        clients.iter().filter(|id| bed.left.tcp.connected(**id) == Err(SocketError::WouldBlock)).count()
    };
    assert_eq!(pending(&mut bed), 12);
    assert!(bed.right.network.interface(ETH0).unwrap().counters.listen_overflows >= 12);
    while bed.right.tcp.accept(listener).is_ok() {}
    bed.run(Duration::from_secs(10));
    assert_eq!(pending(&mut bed), 0);
    assert!(clients.iter().all(|id| bed.left.tcp.connected(*id) == Ok(())));
}

#[test]
fn a_burst_larger_than_the_backlog_resets_nobody() {
    let mut bed = Bed::new();
    let listener = bed.listen();
    let clients: Vec<_> = (0..1500).map(|_| bed.connect()).collect();
    for _ in 0..2000 {
        while bed.right.tcp.accept(listener).is_ok() {}
        bed.run(Duration::from_millis(5));
    }
    for client in clients {
        assert_eq!(bed.left.tcp.connected(client), Ok(()));
    }
}

#[test]
fn a_listener_that_closes_resets_whom_it_has_not_accepted() {
    let mut bed = Bed::new();
    let listener = bed.listen();
    let client = bed.connect();
    bed.run(Duration::from_secs(1));
    bed.right.tcp.close_listener(listener, bed.now);
    bed.run(Duration::from_secs(1));
    assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Err(SocketError::ConnectionReset));
    assert_eq!(bed.left.tcp.read(client, &mut [0; 9], false), Ok(0));
    bed.listen();
}

#[test]
fn a_port_is_taken_once_and_free_after_close() {
    let mut bed = Bed::new();
    let first = bed.listen();
    assert_eq!(
        bed.right.tcp.listen(any(PORT), Options::default(), &mut bed.right.network),
        Err(SocketError::AddressInUse(PORT))
    );
    bed.right.tcp.close_listener(first, bed.now);
    bed.listen();
}

#[test]
fn twenty_thousand_connections_use_up_no_ports() {
    let mut bed = Bed::new();
    let local = SocketAddr::new(LEFT, PORT);
    for _ in 0..20_000 {
        let refused = bed.left.tcp.connect(None, local, Options::default(), &mut bed.left.network).unwrap();
        bed.left.poll(bed.now);
        assert_eq!(bed.left.tcp.connected(refused), Err(SocketError::ConnectionRefused));
        bed.left.tcp.close(refused, bed.now);
    }
}

#[test]
fn a_connection_survives_a_driver_that_goes_and_comes_back() {
    let mut bed = Bed::new();
    let (client, server) = bed.pair();
    bed.left.link_down(ETH0);
    assert_eq!(bed.left.tcp.write(client, b"patience"), Ok(8));
    bed.run(Duration::from_secs(30));
    let address = bed.left.network.interface(ETH0).unwrap().ethernet_address().unwrap();
    bed.left.link_up(ETH0, address, 1500);
    bed.run(Duration::from_secs(5));
    let mut received = [0; 20];
    assert_eq!(bed.right.tcp.read(server, &mut received, false), Ok(8));
    assert_eq!(bed.left.network.interface(ETH0).unwrap().addresses.len(), 1);
}

#[test]
fn our_own_addresses_are_reached_without_a_wire() {
    let mut bed = Bed::new();
    bed.right.link_down(ETH0);
    let listener = bed.listen();
    for address in [RIGHT, IpAddr::V4(Ipv4Addr::LOCALHOST)] {
        let to = SocketAddr::new(address, PORT);
        let client = bed.right.tcp.connect(None, to, Options::default(), &mut bed.right.network).unwrap();
        bed.right.poll(bed.now);
        assert_eq!(bed.right.tcp.connected(client), Ok(()));
        let server = bed.right.tcp.accept(listener).unwrap();
        assert_eq!(bed.right.tcp.write(client, b"here"), Ok(4));
        bed.right.poll(bed.now);
        assert_eq!(bed.right.tcp.read(server, &mut [0; 9], false), Ok(4));
    }
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
fn who_waits_for_the_driver_goes_on_when_that_has_room() {
    let mut bed = Bed::new();
    let (client, _) = bed.pair();
    for _ in 0..interface::QUEUE {
        bed.left.network.interface_mut(ETH0).unwrap().enqueue(vec![0; 60].into());
    }
    bed.left.tcp.write(client, b"hello").unwrap();
    bed.left.poll(bed.now);
    assert_ne!(bed.left.deadline(), Some(bed.now), "it is the driver's turn");
    bed.left.take_frames(ETH0, usize::MAX).for_each(drop);
    assert_eq!(bed.left.deadline(), Some(bed.now));
    bed.left.poll(bed.now);
    assert!(bed.left.has_frames(ETH0));
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
