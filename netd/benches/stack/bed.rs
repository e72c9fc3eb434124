//! Two hosts on a wire in memory, which loses nothing and takes 10 µs a trip.

use std::hint::black_box;
use std::str::FromStr;

use netd::stack::packet::Packet;
use netd::stack::tcp::{ConnectionId, ListenerId, Options};
use netd::stack::{Instant, InterfaceId, Random, SocketError, Stack};
use scheme::vnet::{Checksum, Header};
use smoltcp::time::Duration;
use smoltcp::wire::EthernetAddress;

/// Where the near host listens.
pub const PORT: u16 = 80;
/// How long a trip takes.
const TRIP: Duration = Duration::from_micros(10);
/// Connections that one far host opens before the next one has its turn: fewer than it has ports.
const CROWD: usize = 10_000;
/// Connections opened at once: fewer than a listener's backlog.
const BURST: usize = 100;

/// What is measured, where instructions are counted: everything else is not the near host's work.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut()) {
    black_box(work)();
}

/// A host with one Ethernet interface.
pub struct Host {
    pub stack: Stack,
    eth0: InterfaceId,
}

impl Host {
    /// The host 10.0.0.`number`.
    pub fn new(number: u8, now: Instant) -> Self {
        let mut stack = Stack::new(Random::new([number.into(), 0]), now);
        let eth0 = stack.network.add_ethernet("eth0");
        stack.network.stop_dhcp(eth0);
        stack.link_up(eth0, EthernetAddress([2, 0, 0, 0, 0, number]), 1500);
        stack.network.add_address(eth0, parse(&format!("10.0.0.{number}/24")));
        Self { stack, eth0 }
    }

    /// Takes the frames that came, does what is due, and gives the frames that go. Checksums are the driver's work if it
    /// `offloads` them.
    fn turn(&mut self, arrived: &[Vec<u8>], offloads: bool, now: Instant) -> Vec<Packet> {
        self.stack.network.now = now;
        let checksum = if offloads { Checksum::Good } else { Checksum::Unknown };
        let said = Header { checksum, ..Header::default() };
        self.stack.receive_together(|stack| {
            for frame in arrived {
                stack.receive_with(self.eth0, frame, said);
            }
        });
        self.stack.poll(now);
        let packets = self.stack.take_packets(self.eth0, usize::MAX);
        let finish = |mut packet: Packet| {
            if !offloads {
                packet.finish();
            }
            packet
        };
        packets.map(finish).collect()
    }

    /// Leaves segments to the driver.
    pub fn hand_segments_over(&mut self) {
        self.stack.set_segments(self.eth0, true);
    }

    /// Connects to the near host, as [`Bed::new`] calls it.
    pub fn connect(&mut self) -> Result<ConnectionId, SocketError> {
        self.stack.tcp.connect(
            None,
            parse(&format!("10.0.0.1:{PORT}")),
            Options::default(),
            &mut self.stack.network,
        )
    }
}

/// The near host, whose work is measured, and the far one.
pub struct Bed {
    pub near: Host,
    pub far: Host,
    /// Checksums are the work of near's driver.
    pub offloads: bool,
    now: Instant,
    to_near: Vec<Vec<u8>>,
    to_far: Vec<Vec<u8>>,
}

impl Bed {
    pub fn new() -> Self {
        let now = Instant::from_secs(1000);
        let (near, far) = (Host::new(1, now), Host::new(2, now));
        Self { near, far, offloads: false, now, to_near: Vec::new(), to_far: Vec::new() }
    }

    /// Lets near listen.
    pub fn listen(&mut self) -> ListenerId {
        let Stack { tcp, network, .. } = &mut self.near.stack;
        tcp.listen(parse(&format!("0.0.0.0:{PORT}")), Options::default(), network).expect("the port is free")
    }

    /// One trip both ways; time passes to the next deadline if nothing moves.
    pub fn turn(&mut self) {
        let (now, near, arrived, offloads) = (self.now, &mut self.near, &self.to_near, self.offloads);
        let mut leaving = Vec::new();
        counted(&mut || leaving = near.turn(arrived, offloads, now));
        self.to_far = finished(leaving);
        self.to_near = finished(self.far.turn(&self.to_far, false, now));
        self.now += TRIP;
        if self.to_near.is_empty() && self.to_far.is_empty() {
            let deadlines = [self.near.stack.deadline(), self.far.stack.deadline()];
            self.now = deadlines.into_iter().flatten().min().unwrap_or(self.now).max(self.now);
        }
    }

    /// Opens `count` connections to the listener of near, whose other ends then fall silent.
    pub fn add_idle(&mut self, listener: ListenerId, count: usize) -> Vec<ConnectionId> {
        let mut accepted = Vec::with_capacity(count);
        let mut number = 2;
        while accepted.len() < count {
            number += 1;
            let mut far = Host::new(number, self.now);
            let wanted = (accepted.len() + CROWD).min(count);
            while accepted.len() < wanted {
                for _ in 0..BURST.min(wanted - accepted.len()) {
                    far.connect().expect("the far host has ports");
                }
                let mut to_near = finished(far.turn(&[], false, self.now));
                while !to_near.is_empty() {
                    self.now += TRIP;
                    let to_far = finished(self.near.turn(&to_near, false, self.now));
                    to_near = finished(far.turn(&to_far, false, self.now));
                }
                while let Ok(connection) = self.near.stack.tcp.accept(listener) {
                    accepted.push(connection);
                }
            }
        }
        accepted
    }
}

fn finished(packets: Vec<Packet>) -> Vec<Vec<u8>> {
    packets.into_iter().map(Packet::finished).collect()
}

/// An address or a network that is written here.
pub fn parse<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is well-formed"))
}
