//! Drivers that hand out pipes for their frames.

use scheme::client::{self, OpenOptions};
use scheme::vnet::{Checksum, Header};

use super::*;
use crate::stack::packet::Packet;

/// The names of a driver's pipes.
const PLAIN: [&str; 2] = ["receive", "transmit"];
const WITH_HEADERS: [&str; 2] = ["vnet_receive", "vnet_transmit"];

/// A driver that hands out pipes, and its ends of them.
fn with_pipes(bed: &Bed, [receive, transmit]: [&str; 2]) -> (fs::File, fs::File) {
    let scratch = tempfile::tempdir_in(bed.root.path()).unwrap();
    let open = |pipe: &str| {
        let path = scratch.path().join(pipe);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let both = OpenOptions { read: true, write: true, nonblocking: true };
        client::open_path(&path, both).unwrap()
    };
    let ends = (open(receive), open(transmit));
    fs::write(scratch.path().join("mac"), MAC).unwrap();
    fs::rename(scratch.keep(), bed.root.path().join("network.test")).unwrap();
    ends
}

/// A frame as it stands in a pipe.
fn encoded(frame: &[u8]) -> Vec<u8> {
    [&(frame.len() as u16).to_le_bytes()[..], frame].concat()
}

/// A datagram of ours that waits for the driver.
fn unfinished() -> Packet {
    let (from, to) = ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:53".parse().unwrap());
    stack::udp::datagram(from, to, &[0xaa; 18])
}

#[test]
fn a_driver_that_takes_headers_is_told_what_is_left_to_be_done() {
    let mut bed = Bed::new();
    let (mut receive, mut transmit) = with_pipes(&bed, WITH_HEADERS);
    bed.turn_until(|bed| bed.interface().running);
    let header = Header { checksum: Checksum::Good, ..Header::default() }.bytes();
    receive.write_all(&encoded(&[&header[..], &[0xff; 60]].concat())).unwrap();
    bed.turn_until(|bed| bed.interface().counters.rx_packets == 1);

    let frame = unfinished();
    bed.stack.network.interface_mut(1).unwrap().queue.clear();
    bed.stack.network.interface_mut(1).unwrap().enqueue(frame.clone());
    bed.poll(Instant::now());
    let mut stream = Vec::new();
    while stream.len() < 74 {
        let mut buffer = [0; 4096];
        let count = transmit.read(&mut buffer).unwrap();
        stream.extend_from_slice(&buffer[..count]);
    }
    let header = frame.left().bytes();
    assert_eq!(header[0], 1, "the checksum is to be filled in");
    let wanted = encoded(&[&header[..], &frame].concat());
    assert!(stream.ends_with(&wanted), "{stream:x?}");
}

#[test]
fn a_driver_of_plain_frames_is_given_whole_ones() {
    let mut bed = Bed::new();
    let (_receive, mut transmit) = with_pipes(&bed, PLAIN);
    bed.turn_until(|bed| bed.interface().running);
    bed.stack.network.interface_mut(1).unwrap().queue.clear();
    bed.stack.network.interface_mut(1).unwrap().enqueue(unfinished());
    bed.poll(Instant::now());
    let mut stream = Vec::new();
    while stream.len() < 62 {
        let mut buffer = [0; 4096];
        let count = transmit.read(&mut buffer).unwrap();
        stream.extend_from_slice(&buffer[..count]);
    }
    assert!(stream.ends_with(&encoded(&unfinished().finished())), "{stream:x?}");
}

#[test]
fn a_driver_whose_headers_lie_is_given_up() {
    let mut bed = Bed::new();
    let (mut receive, _transmit) = with_pipes(&bed, WITH_HEADERS);
    bed.turn_until(|bed| bed.interface().running);
    receive.write_all(&encoded(&[0xff; 72])).unwrap();
    bed.turn_until(|bed| !bed.interface().running);
}

#[test]
fn frames_come_and_go_by_pipes_where_the_driver_hands_them_out() {
    let mut bed = Bed::new();
    let (mut receive, mut transmit) = with_pipes(&bed, PLAIN);
    bed.turn_until(|bed| bed.interface().running);
    let stream = [encoded(&[0xff; 60]), encoded(&[0xff; 1514]), encoded(&[0xff; 60])].concat();
    let (begin, rest) = stream.split_at(100);
    receive.write_all(begin).unwrap();
    bed.turn_until(|bed| bed.interface().counters.rx_packets == 1);
    receive.write_all(rest).unwrap();
    bed.turn_until(|bed| bed.interface().counters.rx_packets == 3);
    let id = bed.stack.network.find("eth0").unwrap();
    bed.stack.network.interface_mut(id).unwrap().enqueue(vec![0xaa; 60].into());
    bed.poll(Instant::now());
    let mut sent = vec![0; 65536];
    let count = transmit.read(&mut sent).unwrap();
    assert!(sent[..count].ends_with(&encoded(&[0xaa; 60])));
}

#[test]
fn a_pipe_with_nonsense_in_it_costs_the_driver_its_link() {
    let mut bed = Bed::new();
    let (mut receive, _transmit) = with_pipes(&bed, PLAIN);
    bed.turn_until(|bed| bed.interface().running);
    receive.write_all(&[0xff; 2]).unwrap();
    bed.turn_until(|bed| bed.interface().driver.is_none());
}

#[test]
fn a_driver_that_leaves_its_pipe_full_is_given_up_if_its_link_is_up() {
    let mut bed = Bed::new();
    let (_receive, mut transmit) = with_pipes(&bed, PLAIN);
    bed.turn_until(|bed| bed.interface().running);
    let id = bed.stack.network.find("eth0").unwrap();
    let mut now = Instant::now();
    for _ in 0..100 {
        bed.stack.network.interface_mut(id).unwrap().enqueue(vec![0; 1514].into());
        bed.poll(now);
    }
    assert!(bed.interface().queue.len() > 10, "the pipe is full, and sockets wait");
    for _ in 0..10 {
        while transmit.read(&mut [0; 65536]).is_ok() {}
        bed.poll(now);
    }
    assert!(bed.interface().queue.is_empty(), "it has room again");
    for _ in 0..100 {
        bed.stack.network.interface_mut(id).unwrap().enqueue(vec![0; 1514].into());
        bed.poll(now);
    }
    now += PATIENCE;
    bed.poll(now);
    assert_eq!(bed.interface().driver, None);
}

#[test]
fn at_the_end_drivers_are_let_go_of_after_the_last_frame() {
    let mut bed = Bed::new();
    let (_receive, mut transmit) = with_pipes(&bed, PLAIN);
    bed.turn_until(|bed| bed.interface().running);
    bed.poll(Instant::now());
    let id = bed.stack.network.find("eth0").unwrap();
    bed.stack.network.interface_mut(id).unwrap().enqueue(vec![0xaa; 60].into());
    let start = Instant::now();
    bed.links.end(&mut bed.stack, &mut Events { events: &mut bed.events, token: 0 }, start);
    assert!(start.elapsed() < Duration::from_secs(5), "nobody is waited for without end");
    let mut sent = vec![0; 65536];
    let count = transmit.read(&mut sent).unwrap();
    assert!(sent[..count].ends_with(&encoded(&[0xaa; 60])));
}
