//! A driver, its device's model and its scheme, turned by hand as the daemon turns them.

use std::time::{Duration, Instant};

use hw::fake::{Function, Slot};
use nic::driver::{Fault, Nic};
use nic::engine::Engine;
use nic::port::{Port, SharedPort};
use nic::serve::NetworkScheme;
use nic::{Memory, Pools};
use scheme::flag::{O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY};
use scheme::{EventFlags, Notifier};

use crate::driven::Driven;

/// What a request to the scheme ends with, or its errno.
pub type Result<T> = std::result::Result<T, i32>;

/// More turns than any step needs: a test that reaches this has found an endless loop.
const MOST_TURNS: usize = 20_000;

/// The driver with its device and its scheme.
pub struct Rig<C: Driven> {
    /// The device.
    pub slot: Slot<C>,
    /// What the driver and its scheme share.
    pub port: SharedPort,
    /// The buffers of frames.
    pub pools: Pools,
    engine: Engine<Function<C>, C::Driver>,
    scheme: NetworkScheme,
    root: usize,
    now: Instant,
}

impl<C: Driven> Rig<C> {
    /// Attaches the driver to a device that it takes.
    pub fn new(model: C) -> Self {
        Self::attach(Slot::new(model)).expect("the driver takes its device")
    }

    /// Attaches the driver to the device in `slot`.
    ///
    /// # Errors
    ///
    /// The driver does not take it.
    pub fn attach(slot: Slot<C>) -> std::result::Result<Self, Fault> {
        let now = Instant::now();
        let mut claimed = slot.claim();
        let driver = C::Driver::DRIVER;
        let memory = Memory::new(&mut claimed, &driver, driver.rings)?;
        let pools = memory.pools.clone();
        let mut nic = C::attach(&mut claimed, memory)?;
        let port = Port::new(nic.info().clone(), pools.clone(), nic.link()?, now);
        let mut scheme = NetworkScheme::new("network.test".to_owned(), port.clone(), Notifier::default());
        let root = scheme.root();
        let engine = Engine::new(claimed, nic, port.clone(), driver.interrupts);
        Ok(Self { slot, port, pools, engine, scheme, root, now })
    }

    /// The device as a driver leaves it that is killed.
    pub fn kill(self) -> C {
        // What the driver's end does, as it is dropped, it does to another device.
        self.slot.with(|model, _| std::mem::replace(model, C::switched_on()))
    }

    /// Turns until nothing is left to do now.
    pub fn settle(&mut self) {
        self.try_settle().expect("the device is well");
    }

    /// Turns until nothing is left to do now.
    ///
    /// # Errors
    ///
    /// The driver gives the device up.
    pub fn try_settle(&mut self) -> std::result::Result<(), Fault> {
        for _ in 0..MOST_TURNS {
            self.turn()?;
            if self.engine.deadline(self.now).is_none_or(|at| at > self.now) {
                return Ok(());
            }
        }
        panic!("there is no end to what the engine has to do");
    }

    /// One turn of the daemon's loop.
    pub fn turn(&mut self) -> std::result::Result<(), Fault> {
        self.port.borrow_mut().now = self.now;
        self.engine.interrupt(self.now)?;
        if self.engine.wants_open() {
            self.engine.open(self.now)?;
        } else if self.engine.wants_close(self.now) {
            self.engine.close(self.now)?;
        }
        self.engine.turn(self.now)?;
        self.scheme.deliver();
        Ok(())
    }

    /// Lets time pass, with a turn whenever the engine wants one.
    pub fn pass(&mut self, time: Duration) -> std::result::Result<(), Fault> {
        let end = self.now + time;
        for _ in 0..MOST_TURNS {
            self.try_settle()?;
            match self.engine.deadline(self.now) {
                Some(at) if at <= end => self.now = at,
                _ => {
                    self.now = end;
                    return self.try_settle();
                }
            }
        }
        panic!("the engine wants more turns than {time:?} can need");
    }

    /// Opens a node as root.
    ///
    /// # Errors
    ///
    /// The scheme's.
    pub fn open(&mut self, path: &str, flags: usize) -> Result<usize> {
        let id = self.scheme.open(self.root, path, flags, 0).map_err(|error| error.errno)?;
        self.settle();
        Ok(id)
    }

    /// Opens a node as somebody.
    ///
    /// # Errors
    ///
    /// The scheme's.
    pub fn open_as(&mut self, path: &str, flags: usize, uid: u32) -> Result<usize> {
        self.scheme.open(self.root, path, flags, uid).map_err(|error| error.errno)
    }

    /// Opens `frame` both ways.
    pub fn open_frames(&mut self) -> usize {
        self.open("frame", O_RDWR | O_NONBLOCK).expect("`frame` opens")
    }

    /// Closes a handle.
    pub fn close(&mut self, id: usize) {
        self.scheme.close(id);
        self.settle();
    }

    /// Reads once: a frame, or a text as far as it goes.
    ///
    /// # Errors
    ///
    /// The scheme's.
    pub fn read(&mut self, id: usize) -> Result<Vec<u8>> {
        self.read_up_to(id, 20_000)
    }

    /// Reads up to `most` bytes.
    ///
    /// # Errors
    ///
    /// The scheme's.
    pub fn read_up_to(&mut self, id: usize, most: usize) -> Result<Vec<u8>> {
        let mut buf = vec![0; most];
        let count = self.scheme.read(id, &mut buf, 0).map_err(|error| error.errno)?;
        buf.truncate(count);
        Ok(buf)
    }

    /// All frames that wait for reader `id`.
    pub fn read_all(&mut self, id: usize) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.read(id).ok()).collect()
    }

    /// All frames that wait for reader `id`, and those that the device holds back for it.
    pub fn drain(&mut self, id: usize) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| {
            self.settle();
            self.read(id).ok()
        })
        .collect()
    }

    /// Writes, and turns until all of it is done.
    ///
    /// # Errors
    ///
    /// The scheme's.
    pub fn write(&mut self, id: usize, bytes: &[u8]) -> Result<usize> {
        let result = self.scheme.write(id, bytes).map_err(|error| error.errno);
        self.settle();
        result
    }

    /// Writes without a turn afterwards.
    pub fn write_only(&mut self, id: usize, bytes: &[u8]) -> Result<usize> {
        self.scheme.write(id, bytes).map_err(|error| error.errno)
    }

    /// How many frames reader `id` has lost.
    pub fn lost(&mut self, id: usize) -> u64 {
        let lost = self.scheme.open_lost(id).expect("a reader has a count of losses");
        let text = String::from_utf8(self.read(lost).expect("it can be read")).expect("it is text");
        self.scheme.close(lost);
        text.trim().parse().expect("it is a number")
    }

    /// What handle `id` is ready for.
    pub fn ready(&mut self, id: usize) -> EventFlags {
        self.scheme.ready(id, EventFlags::EVENT_READ | EventFlags::EVENT_WRITE).expect("the handle is open")
    }

    /// What `cat` shows of a text node.
    pub fn cat(&mut self, node: &str) -> String {
        String::from_utf8(self.contents(node)).expect("it is text")
    }

    /// What a node holds, text or not.
    pub fn contents(&mut self, node: &str) -> Vec<u8> {
        let id = self.open(node, O_RDONLY).expect("the node opens");
        // The first read of a report asks for it, as a parked read of the server does.
        let bytes = self.read(id).or_else(|_| {
            self.settle();
            self.read(id)
        });
        self.scheme.close(id);
        bytes.expect("the node can be read")
    }

    /// What `echo` does to a node.
    ///
    /// # Errors
    ///
    /// The scheme's.
    pub fn echo(&mut self, node: &str, text: &str) -> Result<usize> {
        let id = self.open(node, O_WRONLY)?;
        let result = self.write(id, text.as_bytes());
        self.close(id);
        result
    }

    /// One of the counters in `stats`.
    pub fn stat(&mut self, name: &str) -> u64 {
        let stats = self.cat("stats");
        let line = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect("there is such a counter").parse().expect("it is a number")
    }

    /// Frames arrive from the wire.
    pub fn arrive(&mut self, frame: &[u8]) {
        self.slot.with(|model, bus| model.comes(bus, frame));
    }

    /// Takes the frames that are on the wire.
    pub fn sent(&mut self) -> Vec<Vec<u8>> {
        self.slot.with(|model, _| model.take_sent())
    }
}

/// A frame of `len` bytes for `destination`, filled with a pattern that `seed` chooses.
pub fn frame(destination: [u8; 6], len: usize, seed: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|index| (index * 7 + seed * 13) as u8).collect();
    frame[..6].copy_from_slice(&destination);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[12..14].copy_from_slice(&[0x88, 0xb5]);
    frame
}
