//! Drivers that are nothing but files, some of them bad.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;

use config::netd::{Panel, Setting};
use scheme::client::{self, OpenOptions};
use scheme::vnet::{Checksum, Form, Header};
use smoltcp::wire::EthernetAddress;

use super::worker::{FRAME, Shared};
use super::*;
use crate::stack::packet::Packet;
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
fn a_driver_is_told_what_is_wanted_and_its_successor_before_frames_move() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!(bed.interface().mtu_limits(), 576..=9000);
    let told = |node: &str| fs::read_to_string(directory.join(node)).unwrap();
    assert_eq!(told("address"), "", "nothing is wanted");
    bed.stack.set_ethernet_address(1, Some(EthernetAddress([2, 0, 0, 0, 0, 7])));
    bed.stack.set_mtu(1, Some(1300));
    bed.stack.network.interface_mut(1).unwrap().wanted.promiscuous = true;
    let is_promiscuous = || told("filter").starts_with("promisc on\nallmulti off\n");
    bed.turn_until(|_| is_promiscuous());
    assert_eq!(bed.interface().mtu(), 1300);
    let all = ("02:00:00:00:00:07\n".to_owned(), "1300\n".to_owned(), true);
    assert_eq!((told("address"), told("mtu"), is_promiscuous()), all);
    assert_eq!(bed.interface().ethernet_address().map(|mac| mac.0), Some(MAC), "what the driver says counts");

    for (node, text) in [("address", ""), ("mtu", "1400\n"), ("filter", "")] {
        fs::write(directory.join(node), text).unwrap();
    }
    bed.give_up("it died");
    bed.turn_until(|bed| bed.interface().running);
    assert_eq!((told("address"), told("mtu"), is_promiscuous()), all);
    bed.stack.set_ethernet_address(1, None);
    bed.stack.set_mtu(1, None);
    bed.turn_until(|bed| bed.interface().mtu() == 1400);
    assert!(told("address").starts_with("own\n"));
}

#[test]
fn a_driver_is_told_of_settings_that_are_not_so_already() {
    const ON: Option<Setting> = Some(Setting::Switch(true));
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let features = directory.join("features");
    fs::write(&features, "tso off\nrx-checksum on\n").unwrap();
    bed.stack.set_setting(1, Panel::Features, "rx-checksum", ON);
    bed.stack.set_setting(1, Panel::Features, "tso", ON);
    bed.stack.set_setting(1, Panel::Coalesce, "rx-usecs", Some(Setting::Number(50)));
    let _driver = serve(&directory);
    bed.turn_until(|bed| bed.interface().running);
    // A plain file keeps what is written at its beginning; a driver would take the line.
    assert_eq!(fs::read_to_string(&features).unwrap(), "tso on\n\nrx-checksum on\n");
    let panels = &bed.interface().panels;
    assert_eq!(panels.texts[&Panel::Features], "tso on\n\nrx-checksum on\n");
    assert_eq!(panels.told, 3);
    let refused: Vec<_> = panels.refused.keys().map(|(panel, name)| (*panel, name.as_str())).collect();
    assert_eq!(refused, [(Panel::Coalesce, "rx-usecs")], "there is no such file");
}

#[test]
fn a_setting_that_is_not_wanted_any_more_is_the_driver_s_own_again() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    fs::write(directory.join("coalesce"), "rx-usecs 50\n").unwrap();
    let _driver = serve(&directory);
    let says = |bed: &Bed, text: &str| {
        bed.interface().panels.texts.get(&Panel::Coalesce).is_some_and(|own| own == text)
    };
    bed.turn_until(|bed| says(bed, "rx-usecs 50\n"));
    bed.stack.set_setting(1, Panel::Coalesce, "rx-usecs", Some(Setting::Number(20)));
    bed.turn_until(|bed| says(bed, "rx-usecs 20\n"));
    bed.stack.set_setting(1, Panel::Coalesce, "rx-usecs", None);
    bed.turn_until(|bed| says(bed, "rx-usecs 50\n"));
    bed.give_up("it died");
    assert!(bed.interface().panels.texts.is_empty());
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
    let length = io::Read::read(&mut driver, &mut frames).unwrap();
    assert!(frames[..length].windows(60).any(|frame| frame == [7; 60]));
    bed.stack.set_up(1, true);
    bed.turn_until(|bed| bed.interface().running);
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

/// What the pump shares with the event loop, and both ends of a driver that keeps frames apart.
fn pump_bed() -> (Arc<Waker>, Arc<Shared>, fs::File, UnixDatagram) {
    let waker = Arc::new(Waker::new().unwrap());
    let shared = Arc::new(Shared::new(waker.clone(), None).unwrap());
    let (driver, ours) = UnixDatagram::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (waker, shared, fs::File::from(OwnedFd::from(ours)), driver)
}

#[test]
fn a_batch_costs_one_wake_up() {
    let (waker, shared, frames, driver) = pump_bed();
    for number in 0..5 {
        driver.send(&[number; 60]).unwrap();
    }
    let own = shared.clone();
    let pump = thread::spawn(move || pump::run(&own, frames, Form::Plain));
    let mut events = scheme::EventLoop::new().unwrap();
    let mut ready = Vec::new();
    events.register(waker.as_raw_fd(), 0, scheme::Interest::Read).unwrap();
    events.wait(Some(PATIENCE), &mut ready).unwrap();
    waker.take().unwrap();
    let (batch, more) = shared.take_received(BUDGET);
    assert_eq!(batch, [0, 1, 2, 3, 4].map(|number| (Header::default(), vec![number; 60])));
    assert!(!more);
    events.wait(Some(Duration::from_millis(50)), &mut ready).unwrap();
    assert_eq!(ready, [], "the five frames were told once");
    shared.stop();
    assert_eq!(pump.join().unwrap(), Ok(()));
}

#[test]
fn a_driver_that_dies_ends_the_pump() {
    let (_waker, shared, ..) = pump_bed();
    let (driver, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let pump = thread::spawn(move || pump::run(&shared, fs::File::from(OwnedFd::from(ours)), Form::Plain));
    let start = Instant::now();
    drop(driver);
    assert_eq!(pump.join().unwrap(), Err("its frames have ended".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn what_a_driver_sent_before_it_died_is_not_lost() {
    let (_waker, shared, ..) = pump_bed();
    let (mut driver, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    driver.write_all(&[7; 60]).unwrap();
    drop(driver);
    assert!(pump::run(&shared, fs::File::from(OwnedFd::from(ours)), Form::Plain).is_err());
    assert_eq!(shared.take_received(BUDGET).0, [(Header::default(), vec![7; 60])]);
}

#[test]
fn a_driver_may_keep_its_queue_full_while_its_link_is_down() {
    for (is_up, expected) in [(false, Ok(())), (true, Err("it takes no frames".to_owned()))] {
        let (_waker, shared, mut frames, _driver) = pump_bed();
        shared.update(|status| status.is_up = is_up);
        let full = loop {
            if let Err(error) = frames.write(&[0; FRAME]) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        shared.queue(|_| vec![vec![0; 60].into()]);
        let own = shared.clone();
        let pump = thread::spawn(move || pump::run(&own, frames, Form::Plain));
        thread::sleep(PATIENCE + 3 * RETRY);
        shared.stop();
        assert_eq!(pump.join().unwrap(), expected, "with is_up {is_up}");
    }
}

#[test]
fn a_driver_is_told_which_groups_to_let_through_and_its_successor_too() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    let filter = directory.join("filter");
    let told = || fs::read_to_string(&filter).unwrap().contains("+multicast 33:33:ff:12:34:56\n");
    bed.turn_until(|_| told());
    fs::write(&filter, "").unwrap();
    bed.give_up("it died");
    bed.turn_until(|_| told());
}

#[test]
fn a_driver_is_told_which_vlans_to_let_through() {
    let mut bed = Bed::new();
    let directory = bed.driver("network.test", &MAC);
    let _driver = serve(&directory);
    let filter = directory.join("filter");
    let told = |text: &str| fs::read_to_string(&filter).unwrap().contains(text);
    bed.turn_until(|_| told("+multicast"));
    fs::write(&filter, "").unwrap();
    bed.stack.add_vlan(1, 10);
    bed.turn_until(|_| told("+vlan 10\n"));
    bed.stack.remove_vlan(1, 10);
    bed.turn_until(|_| told("-vlan 10\n"));
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
