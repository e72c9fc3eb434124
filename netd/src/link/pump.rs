//! Moves one driver's frames, by a thread that waits for the driver's events and never inside the driver.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use scheme::{Event, EventLoop, Interest, Token};

use super::worker::{FRAME, Shared};
use super::{BUDGET, PATIENCE};

const FRAMES: Token = 0;
const OUTGOING: Token = 1;

/// After so much silence the driver is looked at all the same: a dead one tells nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// Moves frames between `file`, which is nonblocking, and the queues until the worker is to stop.
pub fn run(shared: &Shared, file: File) -> Result<(), String> {
    let mut pump = Pump::new(shared, file).map_err(|error| format!("cannot wait for its frames: {error}"))?;
    while shared.take_outgoing(&mut pump.outgoing) {
        pump.send()?;
        pump.receive()?;
        if !pump.readable {
            pump.wait().map_err(|error| format!("cannot wait for its frames: {error}"))?;
        }
    }
    // What was queued before the end, a lease's return for instance, leaves if the driver takes it at once.
    pump.send()
}

struct Pump<'a> {
    shared: &'a Shared,
    events: EventLoop,
    ready: Vec<Event>,
    file: File,
    buffer: Vec<u8>,
    /// The driver may have frames.
    readable: bool,
    /// Frames that the driver has not taken yet.
    outgoing: VecDeque<Vec<u8>>,
    /// Since when the driver takes no frames although its link is up.
    refusing: Option<Instant>,
}

impl<'a> Pump<'a> {
    fn new(shared: &'a Shared, file: File) -> io::Result<Self> {
        let mut events = EventLoop::new()?;
        events.register(file.as_raw_fd(), FRAMES, Interest::Read)?;
        events.register(shared.outgoing.as_raw_fd(), OUTGOING, Interest::Read)?;
        Ok(Self {
            shared,
            events,
            ready: Vec::new(),
            file,
            buffer: vec![0; FRAME],
            readable: true,
            outgoing: VecDeque::new(),
            refusing: None,
        })
    }

    /// Takes what the driver has, up to the budget, and hands it over at once.
    fn receive(&mut self) -> Result<(), String> {
        let mut batch = Vec::new();
        while self.readable && batch.len() < BUDGET {
            match self.file.read(&mut self.buffer) {
                Ok(0) => return Err("its frames have ended".to_owned()),
                Ok(length) => batch.push(self.buffer.get(..length).unwrap_or_default().to_vec()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(format!("cannot read a frame: {error}")),
            }
        }
        self.shared.deliver(batch);
        Ok(())
    }

    /// Gives the driver as many frames as it takes.
    fn send(&mut self) -> Result<(), String> {
        while let Some(frame) = self.outgoing.front() {
            match self.file.write(frame) {
                Ok(_) => (),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.refused(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // One frame that the driver does not take says nothing about the next.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    log::debug!("the driver refused a frame of {} bytes: {error}", frame.len());
                }
                Err(error) => return Err(format!("cannot write a frame: {error}")),
            }
            self.outgoing.pop_front();
            if self.refusing.take().is_some() {
                self.wait_for(Interest::Read)?;
            }
        }
        Ok(())
    }

    /// A driver rightly keeps its full queue while there is no link, but not for long while there is one.
    fn refused(&mut self) -> Result<(), String> {
        let now = Instant::now();
        match self.refusing {
            None => self.wait_for(Interest::ReadWrite)?,
            Some(_) if !self.shared.is_up() => (),
            Some(since) if now.saturating_duration_since(since) < PATIENCE => return Ok(()),
            Some(_) => return Err("it takes no frames".to_owned()),
        }
        self.refusing = Some(now);
        Ok(())
    }

    fn wait_for(&mut self, interest: Interest) -> Result<(), String> {
        let fd = self.file.as_raw_fd();
        let changed = self.events.deregister(fd).and_then(|()| self.events.register(fd, FRAMES, interest));
        changed.map_err(|error| format!("cannot wait for its frames: {error}"))
    }

    /// Waits for frames of either direction.
    fn wait(&mut self) -> io::Result<()> {
        self.events.wait(Some(SILENCE), &mut self.ready)?;
        self.readable = self.ready.is_empty();
        for Event { token } in self.ready.drain(..) {
            match token {
                OUTGOING => self.shared.outgoing.take()?,
                _ => self.readable = true,
            }
        }
        Ok(())
    }
}
