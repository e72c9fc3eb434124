//! Drivers that are nothing but files, some of them bad.

mod orders;
mod pipes;
mod pump;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use super::*;
use crate::stack::{self, Random};

const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

/// A stack and its links to what is in a directory.
struct Bed {
    root: tempfile::TempDir,
    stack: Stack,
    links: Links,
    events: EventLoop,
}

impl Bed {
    fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    /// A netd that starts when its drivers are there.
    fn over(root: tempfile::TempDir) -> Self {
        let mut stack = Stack::new(Random::new([1, 2]), stack::Instant::ZERO);
        let links = Links::new(root.path().to_owned(), &mut stack).unwrap();
        Self { root, stack, links, events: EventLoop::new().unwrap() }
    }

    /// A driver whose frames come through a pipe, which nobody serves before it is opened.
    fn driver(&self, name: &str, mac: &[u8]) -> std::path::PathBuf {
        let scratch = self.root.path().join("new");
        fs::create_dir(&scratch).unwrap();
        fs::write(scratch.join("mac"), mac).unwrap();
        fs::write(scratch.join("mtu"), "1400\n").unwrap();
        fs::write(scratch.join("mtu_limits"), "min 68\nmax 9000\n").unwrap();
        fs::write(scratch.join("address"), "").unwrap();
        fs::write(scratch.join("filter"), "").unwrap();
        fs::write(scratch.join("link"), "state up\nspeed 1000\n").unwrap();
        fs::write(scratch.join("filter"), "").unwrap();
        assert!(Command::new("mkfifo").arg(scratch.join("frame")).status().unwrap().success());
        let directory = self.root.path().join(name);
        fs::rename(scratch, &directory).unwrap();
        directory
    }

    fn poll(&mut self, now: Instant) {
        let events = &mut Events { events: &mut self.events, token: 0 };
        self.links.take_wake().unwrap();
        self.links.poll(&mut self.stack, events, now);
        self.links.send(&mut self.stack, events, now);
    }

    fn give_up(&mut self, reason: &str) {
        let events = &mut Events { events: &mut self.events, token: 0 };
        self.links.ports[0].1.give_up(&mut self.stack, reason, events, Instant::now());
    }

    /// Turns until `done`, for at most 10 s.
    fn turn_until(&mut self, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !done(self) {
            assert!(Instant::now() < end, "it never happened");
            self.poll(Instant::now());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn interface(&self) -> &stack::interface::Interface {
        self.stack.network.interface(1).unwrap()
    }

    /// The first NIC.
    fn port(&self) -> &Port {
        &self.links.ports[0].1
    }

    fn driver_of(&self, interface: &str) -> Option<&str> {
        self.stack.network.interface(self.stack.network.find(interface)?)?.driver.as_deref()
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
fn a_driver_that_is_given_up_is_tried_again_without_its_former_threads() {
    let mut bed = Bed::new();
    let _driver = serve(&bed.driver("network.test", &MAC));
    bed.turn_until(|bed| bed.interface().running);
    bed.give_up("it is a test");
    bed.turn_until(|bed| bed.interface().running);
    assert!(bed.port().abandoned.is_empty(), "none waits for a frame");
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
    bed.poll(Instant::now());
    assert_eq!(bed.stack.revision, before, "and once");
}

#[test]
fn an_interface_that_is_switched_off_lets_go_of_its_driver_after_its_last_frame() {
    let mut bed = Bed::new();
    let mut driver = serve(&bed.driver("network.test", &MAC));
    bed.turn_until(|bed| bed.interface().running);
    bed.stack.network.interface_mut(1).unwrap().queue.push_back(vec![7; 60].into());
    bed.stack.set_up(1, false);
    bed.turn_until(|bed| bed.port().current.is_none() && bed.port().abandoned.is_empty());
    assert_eq!((bed.interface().running, bed.interface().driver.as_deref()), (false, None));
    let mut frames = [0; 200];
    let length = driver.read(&mut frames).unwrap();
    assert!(frames[..length].windows(60).any(|frame| frame == [7; 60]));
    bed.stack.set_up(1, true);
    bed.turn_until(|bed| bed.interface().running);
}

#[test]
fn interfaces_are_named_by_the_bus_and_keep_their_names() {
    let mut bed = Bed::new();
    assert!(bed.stack.network.find("eth0").is_some(), "one is there before its NIC");
    let nodes = ["network.pci-0000-00-04.0_e1000", "network.pci-0000-00-03.0_virtio_net"];
    let _drivers = nodes.map(|node| serve(&bed.driver(node, &MAC)));
    bed = Bed::over(bed.root);
    bed.turn_until(|bed| bed.driver_of("eth0").is_some() && bed.driver_of("eth1").is_some());
    assert_eq!((bed.driver_of("eth0"), bed.driver_of("eth1")), (Some(nodes[1]), Some(nodes[0])));

    // One goes, a new one comes, and the one that went comes back with another driver.
    let first = bed.root.path().join(nodes[1]);
    fs::remove_file(first.join("mac")).unwrap();
    fs::remove_file(first.join("link")).unwrap();
    fs::create_dir(first.join("link")).unwrap();
    bed.turn_until(|bed| bed.driver_of("eth0").is_none());
    fs::rename(first, bed.root.path().join("gone")).unwrap();
    let third = "network.pci-0000-00-01.0_e1000";
    let _third = serve(&bed.driver(third, &MAC));
    bed.turn_until(|bed| bed.driver_of("eth2") == Some(third));
    assert_eq!(bed.driver_of("eth0"), None);
    let back = "network.pci-0000-00-03.0_e1000";
    let _back = serve(&bed.driver(back, &MAC));
    bed.turn_until(|bed| bed.driver_of("eth0") == Some(back));
    assert_eq!(bed.stack.network.interfaces().count(), 4);
}

#[test]
fn each_nic_s_frames_reach_its_own_interface() {
    let mut bed = Bed::new();
    let [mut one, mut two] = ["network.1", "network.2"].map(|node| serve(&bed.driver(node, &MAC)));
    bed.turn_until(|bed| bed.stack.network.interfaces().filter(|own| own.driver.is_some()).count() == 2);
    one.write_all(&[0xff; 60]).unwrap();
    two.write_all(&[0xff; 60]).unwrap();
    two.write_all(&[0xff; 60]).unwrap();
    let counts =
        |bed: &Bed| bed.stack.network.interfaces().map(|own| own.counters.rx_packets).collect::<Vec<_>>();
    bed.turn_until(|bed| counts(bed).iter().sum::<u64>() >= 2);
    assert!(counts(&bed)[1] > 0 && counts(&bed)[2] > 0, "{:?}", counts(&bed));
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
    // Nobody answers who reads the address.
    let hanging = bed.driver("network.nic_a-hangs", &MAC).join("mac");
    fs::remove_file(&hanging).unwrap();
    assert!(Command::new("mkfifo").arg(&hanging).status().unwrap().success());
    bed.driver("network.nic_b-lies", &[0xff; 6]);
    let absurd = bed.driver("network.nic_b-lies-too", &MAC);
    fs::write(absurd.join("mtu"), "3\n").unwrap();
    let _driver = serve(&bed.driver("network.nic_c", &MAC));
    bed.turn_until(|bed| bed.port().current.is_some());
    let later = Instant::now() + PATIENCE;
    bed.poll(later);
    assert_eq!(bed.port().abandoned.len(), 1, "the one that hangs is left behind");
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!(bed.interface().driver.as_deref(), Some("network.nic_c"));
    fs::OpenOptions::new().write(true).open(&hanging).unwrap().write_all(&MAC).unwrap();
    bed.turn_until(|bed| bed.port().abandoned.is_empty());
}

#[test]
fn a_driver_whose_link_cannot_be_read_is_given_up_within_two_seconds() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    let (start, revision) = (Instant::now(), bed.stack.revision);
    fs::remove_file(directory.join("link")).unwrap();
    // It opens, and cannot be read: EISDIR.
    fs::create_dir(directory.join("link")).unwrap();
    bed.turn_until(|bed| bed.interface().driver.is_none());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(bed.stack.revision > revision, "those who follow netcfg are told");
}

#[test]
fn a_driver_without_a_link_node_has_a_link_that_is_up() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    fs::remove_file(directory.join("link")).unwrap();
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
}

#[test]
fn a_name_that_is_kept_for_a_nic_is_not_given_to_another() {
    let root = tempfile::tempdir().unwrap();
    let mut stack = Stack::new(Random::new([1, 2]), stack::Instant::ZERO);
    stack.network.reserved = ["eth0".to_owned(), "eth2".to_owned()].into();
    let mut links = Links::new(root.path().to_owned(), &mut stack).unwrap();
    links.add_port(Some("pci-0000-00-04.0".to_owned()), &mut stack);
    let names: Vec<_> = stack.network.interfaces().map(stack::interface::Interface::name).collect();
    assert_eq!(names, ["lo", "eth1", "eth3"]);
}
