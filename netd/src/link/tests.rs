//! Drivers that are nothing but files, some of them bad.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;

use super::*;
use crate::stack::{self, Random};

const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

/// A stack and its links to what is in a directory.
struct Bed {
    root: tempfile::TempDir,
    stack: Stack,
    links: Links,
}

impl Bed {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut stack = Stack::new(Random::new([1, 2]), stack::Instant::ZERO);
        let eth0 = stack.network.add_ethernet("eth0");
        let links = Links::new(root.path().to_owned(), eth0).unwrap();
        Self { root, stack, links }
    }

    /// A driver whose frames come through a pipe, which nobody serves before it is opened.
    fn driver(&self, name: &str, mac: &[u8]) -> std::path::PathBuf {
        let scratch = self.root.path().join("new");
        fs::create_dir(&scratch).unwrap();
        fs::write(scratch.join("mac"), mac).unwrap();
        fs::write(scratch.join("mtu"), "1400\n").unwrap();
        fs::write(scratch.join("link"), "state up\nspeed 1000\n").unwrap();
        assert!(Command::new("mkfifo").arg(scratch.join("frame")).status().unwrap().success());
        let directory = self.root.path().join(name);
        fs::rename(scratch, &directory).unwrap();
        directory
    }

    /// Turns until `done`, for at most 10 s.
    fn turn_until(&mut self, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !done(self) {
            assert!(Instant::now() < end, "it never happened");
            self.links.poll(&mut self.stack, Instant::now());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn interface(&self) -> &stack::interface::Interface {
        self.stack.network.interface(1).unwrap()
    }
}

fn serve(directory: &Path) -> fs::File {
    fs::OpenOptions::new().read(true).write(true).open(directory.join("frame")).unwrap()
}

#[test]
fn a_driver_that_comes_gives_the_interface_its_link_and_frames() {
    let mut bed = Bed::new();
    let mut driver = serve(&bed.driver("network.test", &MAC));
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!(bed.interface().driver.as_deref(), Some("network.test"));
    assert_eq!(bed.interface().ethernet_address().map(|mac| mac.0), Some(MAC));
    assert_eq!(bed.interface().mtu(), 1400);
    driver.write_all(&[0xff; 60]).unwrap();
    bed.turn_until(|bed| bed.interface().counters.rx_packets == 1);
}

#[test]
fn a_link_that_goes_down_costs_the_interface_that_it_runs() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    fs::write(directory.join("link"), "state down\n").unwrap();
    bed.turn_until(|bed| !bed.interface().running);
    assert!(bed.interface().driver.is_some());
    fs::write(directory.join("link"), "state up\n").unwrap();
    bed.turn_until(|bed| bed.interface().running);
}

#[test]
fn a_driver_may_keep_a_frame_while_its_link_is_down() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    let worker = bed.links.current.as_ref().unwrap();
    let wait_until = |done: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(10);
        while !done() {
            assert!(Instant::now() < end, "it never happened");
            // More than the pipe and the queues hold, since nobody takes what comes.
            worker.send(|room| vec![vec![0; 1500]; room]);
            thread::sleep(Duration::from_millis(5));
        }
    };
    wait_until(&|| worker.patience_ends(PATIENCE).is_some_and(|at| at < Instant::now() + PATIENCE * 9 / 10));
    fs::write(directory.join("link"), "state down\n").unwrap();
    wait_until(&|| worker.patience_ends(PATIENCE).is_none());
    let up = Instant::now();
    fs::write(directory.join("link"), "state up\n").unwrap();
    wait_until(&|| worker.patience_ends(PATIENCE).is_some());
    assert!(worker.patience_ends(PATIENCE) >= Some(up + PATIENCE), "it has time from then on");
}

#[test]
fn a_driver_that_fails_again_and_again_leaves_a_bounded_number_of_readers() {
    let mut bed = Bed::new();
    let mut driver = serve(&bed.driver("network.test", &MAC));
    for _ in 0..READERS {
        bed.turn_until(|bed| bed.interface().running);
        bed.links.give_up(&mut bed.stack, "it is a test", Instant::now());
        bed.links.not_before = None;
    }
    bed.turn_until(|bed| !bed.links.abandoned.iter().any(Worker::is_stuck));
    bed.links.poll(&mut bed.stack, Instant::now());
    assert_eq!((bed.links.abandoned.len(), bed.links.current.is_some()), (READERS, false));
    driver.write_all(b"a frame for one of them").unwrap();
    bed.turn_until(|bed| bed.interface().running);
}

#[test]
fn what_a_driver_says_of_its_link_is_news() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    let before = bed.stack.revision;
    fs::write(directory.join("link"), "state up\nduplex half\n").unwrap();
    bed.turn_until(|bed| bed.interface().link_text.contains("half"));
    assert_ne!(bed.stack.revision, before);
    let before = bed.stack.revision;
    bed.links.poll(&mut bed.stack, Instant::now());
    assert_eq!(bed.stack.revision, before, "and once");
}

#[test]
fn an_event_that_comes_twice_is_taken_once() {
    let waker = Waker::new().unwrap();
    waker.wake();
    waker.take().unwrap();
    waker.take().unwrap();
}

#[test]
fn a_driver_that_hangs_or_lies_does_not_stand_in_another_one_s_way() {
    let mut bed = Bed::new();
    let hanging = bed.driver("network.a-hangs", &MAC);
    bed.driver("network.b-lies", &[0xff; 6]);
    let absurd = bed.driver("network.b-lies-too", &MAC);
    fs::write(absurd.join("mtu"), "3\n").unwrap();
    let _driver = serve(&bed.driver("network.c", &MAC));
    bed.turn_until(|bed| bed.links.current.is_some());
    let later = Instant::now() + PATIENCE;
    bed.links.poll(&mut bed.stack, later);
    assert_eq!(bed.links.abandoned.len(), 1, "the one that hangs is left behind");
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!(bed.interface().driver.as_deref(), Some("network.c"));
    let _late = serve(&hanging);
    bed.turn_until(|bed| bed.links.abandoned.is_empty());
}
