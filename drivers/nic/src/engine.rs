//! Drives a device: interrupts, polling, sending, its watchdog, and its life with the users of the port.

mod deadline;
mod frames;
mod moderation;
mod power;
mod requests;
mod restart;
mod self_test;
mod wake;

use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use hw::{Interrupt, InterruptKind, PciFunction};

use crate::coalesce::Intervals;
use crate::driver::{Causes, Fault, Link, Nic, Settings};
use crate::frame::Frame;
use crate::mac::MacAddress;
use crate::memory::BUDGET;
use crate::port::{Port, SharedPort};
use crate::rings::Rings;
use crate::storm::{Answer, StormGuard};
use moderation::Moderator;
use self_test::SelfTest;

/// How often a running device is looked at without being asked: an interrupt that is lost delays a frame by
/// this much, and no more. Also bounds how late a vanished device is noticed.
const CHECK: Duration = Duration::from_secs(1);

/// How long the last user's frames may take to leave after it has gone.
const LINGER: Duration = Duration::from_secs(5);

/// Drives the device of `function` through `nic`.
///
/// The device runs, and its interrupt is claimed, while the port has users. Frames wait for the link: nothing
/// is given to a device whose link is down.
pub struct Engine<F: PciFunction, N: Nic> {
    nic: N,
    running: Option<Running<F::Interrupt>>,
    port: SharedPort,
    received: Vec<Frame>,
    sent: Vec<Frame>,
    /// The sizes of the device's rings.
    rings: Rings,
    /// Its LED shows which device it is.
    identifies: bool,
    /// When the device is powered down, if it is not used until then.
    power_down_at: Option<Instant>,
    /// For whose magic packets the device wakes the machine.
    armed: Option<MacAddress>,
    /// The kinds of interrupt that may be claimed, best first.
    interrupts: &'static [InterruptKind],
    function: F,
}

/// What there is only while the device runs.
struct Running<I> {
    interrupt: I,
    storm: StormGuard,
    /// When to acknowledge an interrupt during a storm.
    acknowledge_at: Option<Instant>,
    /// Interrupts of the device are masked, and it is asked instead.
    polling: bool,
    /// It had no more frames when it was last asked.
    drained: bool,
    /// The settings that the device works with, and their version.
    settings: Settings,
    settings_version: u64,
    /// New settings need a restart, which waits until then at most for frames to be sent. No more are given meanwhile.
    restart_by: Option<Instant>,
    moderator: Moderator,
    /// The self test that is under way. No other frames are given to the device meanwhile.
    test: Option<SelfTest>,
    /// When to look at the device unasked.
    check_at: Instant,
    /// When the device last sent something, or was given the first frame to send.
    progress: Instant,
    /// The device's ring takes no more frames.
    ring_full: bool,
    /// Somebody waits for frames to be sent; otherwise they are taken back on the way.
    tells_sent: bool,
    /// When to stop waiting for the last user's frames.
    linger_until: Option<Instant>,
}

impl<I> Running<I> {
    /// The device can be given frames to send.
    fn takes_frames(&self) -> bool {
        !self.ring_full && self.restart_by.is_none() && self.test.is_none()
    }

    /// The device works with these settings.
    fn has_settings(&mut self, settings: Settings, version: u64) {
        (self.settings, self.settings_version, self.restart_by) = (settings, version, None);
    }
}

impl<F: PciFunction, N: Nic> Engine<F, N> {
    /// Drives `nic`, which is quiet, for the users of `port`, by the first of `interrupts` that the function has.
    pub fn new(function: F, nic: N, port: SharedPort, interrupts: &'static [InterruptKind]) -> Self {
        let (rings, power_down_at) = {
            let mut port = port.borrow_mut();
            port.info.facilities.power = function.can_power_down();
            (port.settings.rings, Some(port.now + power::IDLE).filter(|_| function.can_power_down()))
        };
        Self {
            nic,
            running: None,
            port,
            received: Vec::new(),
            sent: Vec::new(),
            rings,
            identifies: false,
            power_down_at,
            armed: None,
            interrupts,
            function,
        }
    }

    /// The device shall run, and does not: call [`open`](Self::open).
    pub fn wants_open(&self) -> bool {
        let port = self.port.borrow();
        // A user may have come, written and gone at once.
        self.running.is_none() && (port.is_needed() || !port.transmit.is_empty())
    }

    /// The device runs, and nobody needs it any more: call [`close`](Self::close).
    pub fn wants_close(&mut self, now: Instant) -> bool {
        let Some(running) = &mut self.running else { return false };
        let port = self.port.borrow();
        if port.is_needed() {
            running.linger_until = None;
            return false;
        }
        let given_up = now >= *running.linger_until.get_or_insert(now + LINGER);
        self.is_drained(&port) || given_up
    }

    /// Claims the interrupt and starts the device. The results become readable when it interrupts.
    pub fn open(&mut self, now: Instant) -> Result<Vec<RawFd>, Fault> {
        self.power_up(now)?;
        self.disarm()?;
        let interrupt = self.function.interrupt(self.interrupts)?;
        let kind = interrupt.kind();
        let event_fds = (0..kind.vectors()).filter_map(|vector| interrupt.event_fd(vector)).collect();
        log::info!("starts the device: interrupts by {kind}");
        self.fit_rings()?;
        let (settings, settings_version) = {
            let port = self.port.borrow();
            (port.settings.clone(), port.settings_version)
        };
        self.running = Some(Running {
            interrupt,
            storm: StormGuard::new(now),
            acknowledge_at: None,
            polling: false,
            drained: false,
            settings: settings.clone(),
            settings_version,
            restart_by: None,
            moderator: Moderator::new(now),
            test: None,
            check_at: now + CHECK,
            progress: now,
            ring_full: false,
            tells_sent: false,
            linger_until: None,
        });
        self.function.set_bus_master(true)?;
        self.nic.tell_sent(false);
        self.nic.start(&settings, kind)?;
        self.update_link()?;
        Ok(event_fds)
    }

    /// Makes the device quiet and gives the interrupt back. Frames not sent yet are dropped, and counted.
    pub fn close(&mut self, now: Instant) -> Result<(), Fault> {
        if self.running.is_none() {
            return Ok(());
        }
        self.abandon_test();
        let unsent = self.nic.stop();
        self.function.set_bus_master(false)?;
        self.running = None;
        self.rest_later(now);
        let mut port = self.port.borrow_mut();
        let dropped = unsent + port.transmit.len();
        port.transmit.clear();
        port.intervals = Intervals::default();
        port.statistics.tx_dropped += dropped as u64;
        self.nic.collect(&mut port.statistics);
        if dropped > 0 {
            log::warn!("{dropped} frames were still unsent when the last user had gone, and are dropped");
        }
        drop(port);
        self.arm(now)
    }

    /// Answers an interrupt, if there is one.
    pub fn interrupt(&mut self, now: Instant) -> Result<(), Fault> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let count = take(&mut running.interrupt)?;
        if count == 0 {
            return Ok(());
        }
        let causes = self.nic.take_causes()?;
        self.port.borrow_mut().statistics.interrupts += count;
        if causes.is_empty() && !running.polling {
            running.polling = self.nic.unmask();
            return self.unclaimed_interrupt(now);
        }
        running.polling = true;
        acknowledge(&mut running.interrupt)?;
        self.note(causes)
    }

    /// Does what there is to do, a bounded part of it at a time.
    pub fn turn(&mut self, now: Instant) -> Result<(), Fault> {
        self.arm(now)?;
        self.identify(now)?;
        self.report(now)?;
        self.power_down(now);
        let Some(running) = &mut self.running else { return Ok(()) };
        if running.acknowledge_at.is_some_and(|at| now >= at) {
            running.acknowledge_at = None;
            running.polling = true;
            acknowledge(&mut running.interrupt)?;
        }
        if now >= running.check_at {
            running.check_at = now + CHECK;
            running.polling = true;
            self.check(now)?;
        }
        self.apply_settings(now)?;
        self.moderate(now);
        self.poll(now)?;
        self.test_itself(now)?;
        self.transmit(now);
        self.follow_senders();
        Ok(())
    }

    /// No frame is still to be sent.
    fn is_drained(&self, port: &Port) -> bool {
        port.transmit.is_empty() && self.nic.unsent() == 0
    }

    fn unclaimed_interrupt(&mut self, now: Instant) -> Result<(), Fault> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let mut port = self.port.borrow_mut();
        port.statistics.interrupts_unclaimed += 1;
        let was_storm = running.storm.is_storm();
        match running.storm.unclaimed(now) {
            Answer::Acknowledge => acknowledge(&mut running.interrupt),
            Answer::AcknowledgeAt(at) => {
                if !was_storm {
                    port.statistics.interrupt_storms += 1;
                    log::warn!("the interrupt fires without end and without a cause; it is slowed down");
                }
                running.acknowledge_at = Some(at);
                Ok(())
            }
        }
    }

    fn note(&mut self, causes: Causes) -> Result<(), Fault> {
        if causes.contains(Causes::LINK) { self.update_link() } else { Ok(()) }
    }

    fn update_link(&mut self) -> Result<(), Fault> {
        let link = self.nic.link()?;
        let mut port = self.port.borrow_mut();
        if port.link == link {
            return Ok(());
        }
        if port.link.is_up() != link.is_up() {
            port.statistics.link_changes += 1;
        }
        port.link = link;
        match link {
            Link::Down => log::warn!("the link is down"),
            Link::Up { speed, full_duplex } => {
                let speed = speed.map(|speed| format!("{speed} Mbit/s, ")).unwrap_or_default();
                log::info!("the link is up: {speed}{} duplex", if full_duplex { "full" } else { "half" });
            }
        }
        // What waited for the link has not waited for the device.
        if let Some(running) = &mut self.running {
            running.progress = port.now;
        }
        Ok(())
    }

    /// Takes one budget of frames if the device is being polled; back to interrupts when it has no more.
    fn poll(&mut self, now: Instant) -> Result<(), Fault> {
        if !self.running.as_ref().is_some_and(|running| running.polling) {
            return Ok(());
        }
        self.reclaim(now);
        if self.held_until(now).is_some() {
            return Ok(());
        }
        let drained = self.receive() < BUDGET;
        if let Some(running) = &mut self.running {
            running.drained = drained;
        }
        if !drained || self.reader_until(now).is_some() {
            return Ok(());
        }
        let happened = self.nic.unmask();
        // A frame may have come between the last look and the unmasking.
        let more = self.receive() > 0 || happened;
        if more {
            let causes = self.nic.take_causes()?;
            self.note(causes)?;
        }
        if let Some(running) = &mut self.running {
            running.polling = more;
        }
        Ok(())
    }
}

impl<F: PciFunction, N: Nic> Drop for Engine<F, N> {
    fn drop(&mut self) {
        // The device must be quiet before its memory is freed, whatever ends the engine.
        let now = self.port.borrow().now;
        if let Err(error) = self.close(now) {
            log::error!("cannot stop the device: {error}");
        }
        // It forgets that it is armed when it is powered up, as whoever comes next must find it.
        let is_armed = self.armed.is_some() && self.is_powered_down();
        if let Err(error) = if is_armed { self.power_up(now).and_then(|()| self.arm(now)) } else { Ok(()) } {
            log::error!("the device does not wake the machine: {error}");
        }
    }
}

/// How often the interrupt has fired since the last call, by any of its vectors.
fn take(interrupt: &mut impl Interrupt) -> Result<u64, Fault> {
    let vectors = 0..interrupt.kind().vectors();
    let counts = vectors.map(|vector| interrupt.take(vector));
    counts.sum::<Result<u64, _>>().map_err(|source| Fault::Interrupt { action: "read the count of", source })
}

/// Lets a line fire again; messages need no leave.
fn acknowledge(interrupt: &mut impl Interrupt) -> Result<(), Fault> {
    interrupt.acknowledge(0).map_err(|source| Fault::Interrupt { action: "acknowledge", source })
}
