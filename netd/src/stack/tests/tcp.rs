//! TCP between two stacks.

use super::*;
use crate::stack::tcp::{Change, ConnectionId, ListenerId, Options};

/// Where the right host listens.
pub const PORT: u16 = 80;

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
