//! Moves one driver's frames, by a thread that waits for the driver's events and never inside the driver.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use scheme::vnet::{self, Form};
use scheme::{Event, EventLoop, Interest, Token};

use super::form::{self, Received};
use super::worker::{FRAME, Shared};
use super::{BUDGET, PATIENCE};
use crate::stack::packet::Packet;

const FRAMES: Token = 0;
const OUTGOING: Token = 1;

/// Events without a frame in a row that are nothing special: what was told twice, and room for frames of ours.
const FALSE_ALARMS: u32 = 100;
/// Between two looks at a driver with more of them.
const PAUSE: Duration = Duration::from_millis(10);

/// After so much silence the driver is looked at all the same: a dead one tells nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// Moves frames in this form between `file`, which is nonblocking, and the queues until the worker is to stop.
pub fn run(shared: &Shared, file: File, form: Form) -> Result<(), String> {
    let mut pump =
        Pump::new(shared, file, form).map_err(|error| format!("cannot wait for its frames: {error}"))?;
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

/// Counts the events after which the driver had no frame.
#[derive(Debug, Default)]
struct FalseAlarms(u32);

impl FalseAlarms {
    /// How long to stay away from a driver that always has something to tell and never has it.
    fn pause(&mut self, found: bool) -> Option<Duration> {
        self.0 = if found { 0 } else { self.0.saturating_add(1) };
        (self.0 > FALSE_ALARMS).then_some(PAUSE)
    }
}

struct Pump<'a> {
    shared: &'a Shared,
    events: EventLoop,
    ready: Vec<Event>,
    file: File,
    form: Form,
    buffer: Vec<u8>,
    /// The frame that the driver is given, until it has taken it.
    given: Vec<u8>,
    /// The driver may have frames.
    readable: bool,
    /// The last wait ended with an event of the driver's.
    alarmed: bool,
    /// There was a frame since then.
    found: bool,
    alarms: FalseAlarms,
    /// Frames that the driver has not taken yet.
    outgoing: VecDeque<Packet>,
    /// Since when the driver takes no frames although its link is up.
    refusing: Option<Instant>,
}

impl<'a> Pump<'a> {
    fn new(shared: &'a Shared, file: File, form: Form) -> io::Result<Self> {
        let mut events = EventLoop::new()?;
        events.register(file.as_raw_fd(), FRAMES, Interest::Read)?;
        events.register(shared.outgoing.as_raw_fd(), OUTGOING, Interest::Read)?;
        Ok(Self {
            shared,
            events,
            ready: Vec::new(),
            file,
            form,
            buffer: vec![0; vnet::SIZE + FRAME],
            given: Vec::new(),
            readable: true,
            alarmed: false,
            found: false,
            alarms: FalseAlarms::default(),
            outgoing: VecDeque::new(),
            refusing: None,
        })
    }

    /// Takes what the driver has, up to the budget, and hands it over at once.
    fn receive(&mut self) -> Result<(), String> {
        let mut batch = Vec::new();
        let read = self.read(&mut batch);
        self.found |= !batch.is_empty();
        self.shared.deliver(batch);
        read
    }

    fn read(&mut self, batch: &mut Vec<Received>) -> Result<(), String> {
        while self.readable && batch.len() < BUDGET {
            match self.file.read(&mut self.buffer) {
                Ok(0) => return Err("its frames have ended".to_owned()),
                Ok(length) => {
                    let frame = form::open(self.form, self.buffer.get(..length).unwrap_or_default());
                    let (said, frame) = frame.ok_or("it gives what is no frame")?;
                    batch.push((said, frame.to_vec()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return Err(format!("cannot read a frame: {error}")),
            }
        }
        Ok(())
    }

    /// Gives the driver as many frames as it takes.
    fn send(&mut self) -> Result<(), String> {
        while self.prepare() {
            match self.file.write(&self.given) {
                Ok(_) => (),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.refused(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // One frame that the driver does not take says nothing about the next.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    log::debug!("the driver refused a frame of {} bytes: {error}", self.given.len());
                }
                Err(error) => return Err(format!("cannot write a frame: {error}")),
            }
            self.given.clear();
            if self.refusing.take().is_some() {
                self.wait_for(Interest::Read)?;
            }
        }
        Ok(())
    }

    /// Whether there is a frame to be given.
    fn prepare(&mut self) -> bool {
        while self.given.is_empty()
            && let Some(frame) = self.outgoing.pop_front()
        {
            if form::suits(self.form, &frame) {
                form::append(self.form, frame, &mut self.given);
            }
        }
        !self.given.is_empty()
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
        let found = std::mem::take(&mut self.found);
        if std::mem::take(&mut self.alarmed)
            && let Some(pause) = self.alarms.pause(found)
        {
            thread::sleep(pause);
        }
        self.events.wait(Some(SILENCE), &mut self.ready)?;
        self.readable = self.ready.is_empty();
        for Event { token } in self.ready.drain(..) {
            match token {
                OUTGOING => self.shared.outgoing.take()?,
                _ => (self.readable, self.alarmed) = (true, true),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_is_always_ready_and_has_nothing_is_looked_at_a_hundred_times_a_second() {
        let mut alarms = FalseAlarms::default();
        let pauses: Duration = (0..1000).filter_map(|_| alarms.pause(false)).sum();
        assert_eq!(pauses, 900 * PAUSE);
        assert_eq!(alarms.pause(true), None, "a frame makes it believable again");
        assert_eq!(alarms.pause(false), None);
    }
}
