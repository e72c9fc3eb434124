//! The daemon around a driver: one thread, one event loop, one device, one scheme.

use std::io;
use std::os::fd::RawFd;
use std::process::ExitCode;
use std::time::Instant;

use hw::{PciFunction, SystemFunction};
use scheme::daemon::{self, Readiness};
use scheme::{Event, EventLoop, Interest, Notifier, ServeError, Server, Token};

use crate::arguments::{self, Refused};
use crate::capture::Captures;
use crate::driver::{Fault, Nic};
use crate::engine::Engine;
use crate::memory::Memory;
use crate::port::{Port, SharedPort};
use crate::serve::NetworkScheme;

const SCHEME: Token = 0;
const INTERRUPT: Token = 1;
const STREAM: Token = 2;
const TERMINATION: Token = 3;

/// Why a driver ended.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line.
    #[error(transparent)]
    Arguments(#[from] Refused),
    /// The device.
    #[error(transparent)]
    Device(#[from] Fault),
    /// The scheme.
    #[error(transparent)]
    Scheme(#[from] ServeError),
    /// The event loop.
    #[error("cannot wait for events: {0}")]
    Events(#[from] io::Error),
}

/// Runs the driver for the function that the environment names until it is asked to end or its device fails.
/// `attach` makes the [`Nic`] of a claimed function.
pub fn run<N: Nic>(attach: fn(&mut SystemFunction, Memory) -> Result<N, Fault>) -> ExitCode {
    let readiness = daemon::start_with_heir(N::DRIVER.daemon, put_to_rest);
    match serve(attach, readiness) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Stops the DMA of a function whose driver was killed: it is off while a function is not driven.
fn put_to_rest() {
    if let Err(error) = hw::claim() {
        log::error!("cannot put the device of a driver that was killed to rest: {error}");
    }
}

fn serve<N: Nic>(
    attach: fn(&mut SystemFunction, Memory) -> Result<N, Fault>,
    readiness: Readiness,
) -> Result<(), Failure> {
    let interrupts = arguments::interrupts(std::env::args().skip(1), N::DRIVER.interrupts)?;
    let mut function = hw::claim().map_err(Fault::System)?;
    let memory = Memory::new(&mut function, &N::DRIVER, N::DRIVER.rings).map_err(Fault::System)?;
    let pools = memory.pools.clone();
    let mut nic = attach(&mut function, memory)?;
    let info = nic.info().clone();
    let name = format!("network.{}_{}", hw::scheme_name_of(function.location()), N::DRIVER.name);
    log::info!("{} at {} with address {} serves {name}", info.model, function.location(), info.mac);

    let now = Instant::now();
    let port = Port::new(info, pools, nic.link()?, now);
    port.borrow_mut().captures = Captures::new(now, daemon::wall_clock());
    let notifier = Notifier::default();
    let network = NetworkScheme::new(name.clone(), port.clone(), notifier.clone());
    let mut daemon = Daemon {
        events: EventLoop::new()?,
        server: Server::new(&name, network, notifier)?,
        engine: Engine::new(function, nic, port.clone(), interrupts),
        port,
        interrupt_fds: Vec::new(),
    };
    daemon.events.register(daemon.server.as_raw_fd(), SCHEME, Interest::Read)?;
    daemon.events.register_termination(TERMINATION)?;
    readiness.tell();
    daemon.run()
}

struct Daemon<N: Nic> {
    events: EventLoop,
    server: Server<NetworkScheme>,
    engine: Engine<SystemFunction, N>,
    port: SharedPort,
    interrupt_fds: Vec<RawFd>,
}

impl<N: Nic> Daemon<N> {
    fn run(mut self) -> Result<(), Failure> {
        let mut events = Vec::new();
        let mut now = Instant::now();
        loop {
            let more = self.server.scheme().streams_have_more().then_some(now);
            let deadlines = [self.server.deadline(), self.engine.deadline(now), more];
            let deadline = deadlines.into_iter().flatten().min();
            self.events.wait_until(deadline, now, &mut events)?;
            now = Instant::now();
            self.port.borrow_mut().now = now;
            self.server.resume(now)?;
            for Event { token } in events.drain(..) {
                match token {
                    SCHEME => self.server.process(now)?,
                    INTERRUPT => self.engine.interrupt(now)?,
                    STREAM => self.server.scheme().resume_streams(),
                    _ => return self.end(now),
                }
            }
            self.follow_users(now)?;
            self.server.scheme().read_streams();
            self.engine.turn(now)?;
            self.server.scheme().deliver();
            self.server.scheme().watch_streams(&mut self.events, STREAM)?;
            self.server.flush(now)?;
        }
    }

    /// Starts the device for its first user, and stops it after its last.
    fn follow_users(&mut self, now: Instant) -> Result<(), Failure> {
        if self.engine.wants_open() {
            self.interrupt_fds = self.engine.open(now)?;
            for fd in &self.interrupt_fds {
                self.events.register(*fd, INTERRUPT, Interest::Read)?;
            }
            // What has fired since the device was started posts no event on Redox, and a line stays masked.
            self.engine.interrupt(now)?;
        } else if self.engine.wants_close(now) {
            self.close(now)?;
        }
        Ok(())
    }

    fn close(&mut self, now: Instant) -> Result<(), Failure> {
        for fd in self.interrupt_fds.drain(..) {
            self.events.deregister(fd)?;
        }
        Ok(self.engine.close(now)?)
    }

    fn end(mut self, now: Instant) -> Result<(), Failure> {
        log::info!("asked to end");
        self.close(now)
    }
}
