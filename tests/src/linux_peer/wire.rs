//! The wire between a guest's device and a tap interface: frames pass, are lost, late or out of order.
//!
//! What `tc netem` does in kernels that have it; not all do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use probe::data::Random;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use tempfile::TempDir;
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::namespace::Namespace;
use crate::nic::{Link, Nic};
use crate::{Context, Result};

/// Longer than any frame.
const LONGEST: usize = 65536;

/// How long a guest's device may take no frame until one is lost.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much later than others a frame comes that is overtaken.
const HELD_BACK: Duration = Duration::from_millis(10);

/// What happens to frames on their way, in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// How many of a thousand frames are lost.
    pub lost: usize,
    /// How many of a thousand are overtaken by those behind them.
    pub overtaken: usize,
    /// How long each takes.
    pub delay: Duration,
}

/// What becomes of a frame that comes at `now`: when it arrives, if it does.
fn fate(weather: Weather, random: &mut Random, now: Instant) -> Option<Instant> {
    if random.below(1000) < weather.lost {
        return None;
    }
    let held_back = if random.below(1000) < weather.overtaken { HELD_BACK } else { Duration::ZERO };
    Some(now + weather.delay + held_back)
}

/// A wire with a tap interface at one end and a guest's device at the other. Dropping it takes the interface away.
#[derive(Debug)]
pub struct Wire {
    weather: Arc<Mutex<Weather>>,
    /// Holds the sockets of the guest's end; its path is short, as a socket's must be.
    folder: TempDir,
    end: Arc<OwnedFd>,
    carriers: Vec<JoinHandle<()>>,
}

impl Wire {
    /// A wire to a new interface of this name.
    pub fn new(namespace: &Namespace, interface: &str) -> Result<Self> {
        let device = Path::new("/dev/net/tun");
        let make = || DeviceBuilder::new().name(interface).layer(Layer::L2).build_sync();
        let tap = namespace.enter(make).and_then(|made| made).context("make an interface with", device)?;
        tap.set_nonblocking(true).context("use", device)?;
        let folder = tempfile::tempdir().context("create a folder in", &std::env::temp_dir())?;
        let path = folder.path().join("peer");
        let socket = UnixDatagram::bind(&path).context("bind", &path)?;
        socket.set_write_timeout(Some(PATIENCE)).context("bound the writes to", &path)?;
        let end =
            Arc::new(eventfd(0, EventfdFlags::CLOEXEC).map_err(io::Error::from).context("watch", &path)?);
        let mut wire = Self { weather: Arc::default(), folder, end, carriers: Vec::new() };
        wire.carry(tap, socket);
        Ok(wire)
    }

    /// A device of this model at the wire's other end.
    pub fn nic(&self, model: &str) -> Nic {
        let link = Link::Datagram {
            local: self.folder.path().join("guest"),
            remote: self.folder.path().join("peer"),
        };
        Nic { model: model.to_owned(), link }
    }

    /// Changes what happens to the frames that come from now on.
    pub fn set_weather(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    fn carry(&mut self, tap: SyncDevice, socket: UnixDatagram) {
        let (tap, socket) = (Arc::new(tap), Arc::new(socket));
        let guest = self.folder.path().join("guest");
        for (seed, outwards) in [(1, true), (2, false)] {
            let (tap, socket, guest) = (tap.clone(), socket.clone(), guest.clone());
            let mut carrier = Carrier {
                weather: self.weather.clone(),
                random: Random::new(seed),
                way: BinaryHeap::new(),
                count: 0,
            };
            let end = self.end.clone();
            self.carriers.push(thread::spawn(move || {
                // It fails when the interface is gone, and then there is nothing to carry.
                let _ = if outwards {
                    let receive = |buffer: &mut [u8]| tap.recv(buffer);
                    // Without a guest, or with one that takes nothing, frames are lost.
                    carrier
                        .run(tap.as_fd(), end.as_fd(), receive, |frame| drop(socket.send_to(frame, &guest)))
                } else {
                    let receive = |buffer: &mut [u8]| socket.recv(buffer);
                    carrier.run(socket.as_fd(), end.as_fd(), receive, |frame| drop(tap.send(frame)))
                };
            }));
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Both fail only where the carriers have ended already.
        let _ = rustix::io::write(&self.end, &1_u64.to_ne_bytes());
        for carrier in self.carriers.drain(..) {
            let _ = carrier.join();
        }
    }
}

/// One direction of a wire.
struct Carrier {
    weather: Arc<Mutex<Weather>>,
    random: Random,
    /// The frames that are under way, by when they arrive and in which order they came.
    way: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    count: u64,
}

impl Carrier {
    /// Carries frames until `end` can be read.
    fn run(
        &mut self,
        from: BorrowedFd<'_>,
        end: BorrowedFd<'_>,
        receive: impl Fn(&mut [u8]) -> io::Result<usize>,
        deliver: impl Fn(&[u8]),
    ) -> io::Result<()> {
        let mut buffer = vec![0; LONGEST];
        loop {
            let now = Instant::now();
            while self.way.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
                self.way.pop().iter().for_each(|Reverse((.., frame))| deliver(frame));
            }
            let pause = self.way.peek().map(|Reverse((due, ..))| due.saturating_duration_since(now));
            let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
            let mut fds =
                [PollFd::from_borrowed_fd(from, PollFlags::IN), PollFd::from_borrowed_fd(end, PollFlags::IN)];
            poll(&mut fds, pause.as_ref())?;
            let [from_ready, end_ready] = fds.map(|fd| !fd.revents().is_empty());
            if end_ready {
                return Ok(());
            }
            if from_ready {
                let length = receive(&mut buffer)?;
                self.take(buffer.get(..length).unwrap_or_default());
            }
        }
    }

    fn take(&mut self, frame: &[u8]) {
        let weather = *self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = fate(weather, &mut self.random, Instant::now()) {
            self.count += 1;
            self.way.push(Reverse((due, self.count, frame.to_vec())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of 10,000 frames: how many are lost, and how many are overtaken by the one behind them.
    fn tally(weather: Weather) -> (usize, usize) {
        let (mut random, start) = (Random::new(1), Instant::now());
        let fates: Vec<_> = (0..10_000).map(|_| fate(weather, &mut random, start)).collect();
        let lost = fates.iter().filter(|fate| fate.is_none()).count();
        let arrived: Vec<_> = fates.into_iter().flatten().collect();
        (lost, arrived.windows(2).filter(|pair| pair[0] > pair[1]).count())
    }

    #[test]
    fn frames_are_lost_and_overtaken_as_often_as_it_says() {
        assert_eq!(tally(Weather::default()), (0, 0));
        let (lost, overtaken) = tally(Weather { lost: 10, overtaken: 100, ..Weather::default() });
        assert!((50..200).contains(&lost), "{lost} of 10,000");
        assert!((500..1500).contains(&overtaken), "{overtaken} of 10,000");
    }

    #[test]
    fn each_frame_takes_its_time() {
        let (delay, now) = (Duration::from_millis(50), Instant::now());
        let fate = fate(Weather { delay, ..Weather::default() }, &mut Random::new(1), now);
        assert_eq!(fate, Some(now + delay));
    }
}
