//! The daemon: one event loop around the stack, its schemes and the links to drivers.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use config::netd::{self, Config, Loaded};
use scheme::daemon::Readiness;
use scheme::{Event, EventLoop, Interest, Notifier, SchemeSync, ServeError, Server, Token};

use crate::link::{Events, Links};
use crate::memory::Memory;
use crate::resolver::Resolver;
use crate::schemes::icmp::Icmp;
use crate::schemes::ip::Ip;
use crate::schemes::netcfg::Netcfg;
use crate::schemes::socket_scheme::{Protocol, SharedStack, SocketScheme};
use crate::schemes::tcp::Tcp;
use crate::schemes::udp::Udp;
use crate::stack::{self, Random, Stack};

const TCP: Token = 0;
const UDP: Token = 1;
const ICMP: Token = 2;
const IP: Token = 3;
const NETCFG: Token = 4;
const LINK: Token = 5;
const TERMINATION: Token = 6;

/// How often an answer may cause another one before the wires have their turn again.
const ROUNDS: usize = 8;

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A scheme.
    #[error(transparent)]
    Scheme(#[from] ServeError),
    /// The event loop, or a thread.
    #[error("cannot wait for events: {0}")]
    Events(#[from] io::Error),
}

/// Serves the schemes until the process is asked to end. `readiness` is told of when all are registered.
pub fn run(readiness: Readiness) -> Result<(), Failure> {
    Daemon::new()?.run(readiness)
}

struct Daemon {
    events: EventLoop,
    /// The stack's time 0.
    epoch: Instant,
    stack: SharedStack,
    links: Links,
    resolver: Resolver,
    memory: Memory,
    /// The stack's revision when what outlives it was written last.
    written: u64,
    tcp: Server<SocketScheme<Tcp>>,
    udp: Server<SocketScheme<Udp>>,
    icmp: Server<SocketScheme<Icmp>>,
    ip: Server<SocketScheme<Ip>>,
    netcfg: Server<Netcfg>,
}

impl Daemon {
    fn new() -> Result<Self, Failure> {
        let mut events = EventLoop::new()?;
        let mut stack = Stack::new(Random::new(seed()), stack::Instant::ZERO);
        stack.network.hostname = hostname();
        let now = scheme::daemon::wall_clock();
        let memory = Memory::load(now);
        stack.network.former_leases = memory.former();
        let config = configuration();
        stack.network.reserved = config.names().map(ToString::to_string).collect();
        let links = Links::new(scheme::root(), &mut stack)?;
        let stack = Rc::new(RefCell::new(stack));
        let notifier = Notifier::default();
        let netcfg = Netcfg::new(stack.clone(), notifier.clone(), config, now);
        let daemon = Self {
            tcp: serve(&mut events, TCP, &stack)?,
            udp: serve(&mut events, UDP, &stack)?,
            icmp: serve(&mut events, ICMP, &stack)?,
            ip: serve(&mut events, IP, &stack)?,
            netcfg: register(&mut events, NETCFG, "netcfg", netcfg, notifier)?,
            links,
            resolver: Resolver::default(),
            memory,
            written: 0,
            epoch: Instant::now(),
            events,
            stack,
        };
        Ok(daemon)
    }

    fn run(mut self, readiness: Readiness) -> Result<(), Failure> {
        self.events.register(self.links.as_raw_fd(), LINK, Interest::Read)?;
        self.events.register_termination(TERMINATION)?;
        readiness.tell();
        let mut events = Vec::new();
        let mut more = false;
        let mut now = Instant::now();
        loop {
            let deadline = match more {
                true => Some(now),
                false => self.deadline(now),
            };
            self.events.wait_until(deadline, now, &mut events)?;
            now = Instant::now();
            self.stack.borrow_mut().network.now = self.stack_time(now);
            self.resume(now)?;
            for Event { token } in events.drain(..) {
                match token {
                    TCP => self.tcp.process(now)?,
                    UDP => self.udp.process(now)?,
                    ICMP => self.icmp.process(now)?,
                    IP => self.ip.process(now)?,
                    NETCFG => self.netcfg.process(now)?,
                    LINK => self.links.take_wake()?,
                    _ => {
                        self.end(now);
                        return Ok(());
                    }
                }
            }
            more = self.turn(now)?;
        }
    }

    /// Goes on with the requests that busy clients left waiting.
    fn resume(&mut self, now: Instant) -> Result<(), ServeError> {
        self.tcp.resume(now)?;
        self.udp.resume(now)?;
        self.icmp.resume(now)?;
        self.ip.resume(now)?;
        self.netcfg.resume(now)
    }

    /// Moves what can be moved: frames in, answers, frames out. Whether frames are left.
    fn turn(&mut self, now: Instant) -> Result<bool, Failure> {
        let time = self.stack_time(now);
        let mut pipes = Events { events: &mut self.events, token: LINK };
        let mut more = self.links.poll(&mut self.stack.borrow_mut(), &mut pipes, now);
        self.netcfg.scheme().follow();
        for round in 0..=ROUNDS {
            self.stack.borrow_mut().poll(time);
            if round == ROUNDS {
                more = true;
            } else if !self.answer(now)? {
                break;
            }
        }
        let mut events = Events { events: &mut self.events, token: LINK };
        self.links.send(&mut self.stack.borrow_mut(), &mut events, now);
        self.write();
        Ok(more)
    }

    /// Writes what outlives the stack, if that may have changed.
    fn write(&mut self) {
        let stack = self.stack.borrow();
        if std::mem::replace(&mut self.written, stack.revision) != stack.revision {
            self.resolver.update(&stack.resolvers());
            self.memory.update(&stack);
        }
    }

    /// Tells the schemes' users what has become ready. Whether there was anything to tell.
    fn answer(&mut self, now: Instant) -> Result<bool, Failure> {
        self.netcfg.scheme().post_changes();
        self.netcfg.flush(now)?;
        let changed = [
            tell(&mut self.tcp, now)?,
            tell(&mut self.udp, now)?,
            tell(&mut self.icmp, now)?,
            tell(&mut self.ip, now)?,
        ];
        Ok(changed.contains(&true))
    }

    /// Gives back what is not ours any more, and lets go of the drivers after the last frames.
    fn end(&mut self, now: Instant) {
        self.netcfg.scheme().leave();
        self.write();
        let mut events = Events { events: &mut self.events, token: LINK };
        self.links.end(&mut self.stack.borrow_mut(), &mut events, now);
    }

    fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let intent = self.netcfg.scheme().deadline();
        let stack = self.stack.borrow().deadline().into_iter().chain(intent).min();
        let stack = stack.map(|at| self.system_time(at));
        let servers = [
            self.tcp.deadline(),
            self.udp.deadline(),
            self.icmp.deadline(),
            self.ip.deadline(),
            self.netcfg.deadline(),
        ];
        servers.into_iter().chain([stack, self.links.deadline(now)]).flatten().min()
    }

    fn stack_time(&self, now: Instant) -> stack::Instant {
        let elapsed = now.saturating_duration_since(self.epoch).as_micros();
        stack::Instant::from_micros(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }

    fn system_time(&self, at: stack::Instant) -> Instant {
        self.epoch + Duration::from_micros(u64::try_from(at.total_micros()).unwrap_or_default())
    }
}

fn serve<P: Protocol>(
    events: &mut EventLoop,
    token: Token,
    stack: &SharedStack,
) -> Result<Server<SocketScheme<P>>, Failure> {
    let notifier = Notifier::default();
    register(events, token, P::NAME, SocketScheme::new(stack.clone(), notifier.clone()), notifier)
}

fn register<S: SchemeSync>(
    events: &mut EventLoop,
    token: Token,
    name: &str,
    scheme: S,
    notifier: Notifier,
) -> Result<Server<S>, Failure> {
    let server = Server::new(name, scheme, notifier)?;
    events.register(server.as_raw_fd(), token, Interest::Read)?;
    Ok(server)
}

fn tell<P: Protocol>(server: &mut Server<SocketScheme<P>>, now: Instant) -> Result<bool, ServeError> {
    let changed = server.scheme().post_changes();
    server.flush(now)?;
    server.scheme().drop_unclaimed();
    Ok(changed)
}

/// What the files in `/etc/net` say. What is wrong with them never keeps the network down.
fn configuration() -> Config {
    let Loaded { config, sources, errors } = netd::load(Path::new(netd::DIRECTORY));
    for error in errors {
        log::error!("{error}: the file is left out");
    }
    match sources.as_slice() {
        [] => log::info!("no configuration in {}: DHCP on every NIC", netd::DIRECTORY),
        sources => log::info!(
            "configured by {}",
            sources.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
    config
}

/// As the system calls itself; empty if it does not say.
fn hostname() -> String {
    std::fs::read_to_string("/etc/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// From the system's entropy, which the standard library's hash maps are keyed with.
fn seed() -> [u64; 2] {
    [RandomState::new().build_hasher().finish(), RandomState::new().build_hasher().finish()]
}
