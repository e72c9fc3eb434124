//! The two threads that speak to one driver, and the queues between them and the event loop.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use scheme::vnet::Form;
use smoltcp::wire::EthernetAddress;

use super::driver::{Orders, Own};
use super::form::Received;
use super::stream::Pipes;
use super::wake::Waker;
use super::{driver, pump};
use crate::stack::hardware::{Panels, Wanted};
use crate::stack::packet::Packet;

/// The threads read, write and queue: their stacks are small.
pub const STACK: usize = 64 * 1024;
/// The longest frame that is taken: jumbo frames and their headers.
pub const FRAME: usize = 16 * 1024;
/// Frames that wait for the event loop, beside one batch. A driver keeps what does not fit, and counts what
/// it loses.
const RECEIVE_QUEUE: usize = 256;
/// Frames that wait for the thread that gives them to the driver.
const TRANSMIT_QUEUE: usize = 128;
/// Between two looks at the driver's link.
const REFRESH: Duration = Duration::from_secs(1);
/// How many of them there are to one at its settings, which few change but netd.
const LOOKS: u32 = 10;

/// How far a driver has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its files are being opened.
    Opening,
    /// Frames move.
    Open {
        /// The NIC's own address.
        own: EthernetAddress,
        /// The address in use.
        address: EthernetAddress,
        /// The longest IP packet, in bytes.
        mtu: usize,
        /// What that can be set to.
        mtu_limits: RangeInclusive<usize>,
    },
    /// No more, and why.
    Closed(String),
}

/// What the event loop has to know.
#[derive(Clone)]
pub struct Status {
    /// How far the driver has come.
    pub phase: Phase,
    /// Whether the link is up.
    pub is_up: bool,
    /// The text of the driver's `link`; empty if it has none.
    pub link_text: String,
    /// What the driver says of its settings.
    pub panels: Panels,
    /// How the driver takes frames.
    pub form: Form,
    /// Names this status; 0 names none.
    pub version: u64,
}

struct State {
    status: Status,
    received: VecDeque<Received>,
    to_send: VecDeque<Packet>,
    /// What the driver is to be told.
    orders: Orders,
    /// The event loop has more to send than there was room for.
    wants_room: bool,
    /// The driver's pipes, until the event loop takes them.
    pipes: Option<Pipes>,
    /// Threads that have not ended.
    threads: usize,
    stop: bool,
}

/// What the threads and the event loop share.
pub struct Shared {
    state: Mutex<State>,
    /// There is room for received frames again, or `stop` is set.
    room: Condvar,
    /// `orders` are others, or `stop` is set.
    called: Condvar,
    /// There are frames for the driver, or `stop` is set.
    pub outgoing: Waker,
    waker: Arc<Waker>,
    /// What of the state the event loop looks at in each turn, so that it need not lock: with Redox's C library each
    /// unlocking is a system call.
    glance: Glance,
}

struct Glance {
    /// [`Status::version`].
    version: AtomicU64,
    /// Since when the driver has not answered, while one of its files is opened or read: nanoseconds since `born`.
    asked: AtomicU64,
    born: Instant,
    /// There are received frames.
    received: AtomicBool,
}

/// No file is opened or read.
const NOT_ASKED: u64 = u64::MAX;

impl Glance {
    fn new(asked: Option<Instant>) -> Self {
        Self {
            version: AtomicU64::new(0),
            asked: AtomicU64::new(if asked.is_some() { 0 } else { NOT_ASKED }),
            born: asked.unwrap_or_else(Instant::now),
            received: AtomicBool::new(false),
        }
    }

    fn ask(&self) {
        let since = u64::try_from(self.born.elapsed().as_nanos()).unwrap_or_default();
        self.asked.store(since, Ordering::Relaxed);
    }

    fn answered(&self) {
        self.asked.store(NOT_ASKED, Ordering::Relaxed);
    }

    fn asked(&self) -> Option<Instant> {
        let since = Some(self.asked.load(Ordering::Relaxed)).filter(|since| *since != NOT_ASKED)?;
        self.born.checked_add(Duration::from_nanos(since))
    }
}

/// One driver's threads.
pub struct Worker {
    name: String,
    shared: Arc<Shared>,
}

impl Worker {
    /// Opens the driver `name` under `root`, tells it what is wanted, and then moves its frames.
    pub fn start(
        root: &Path,
        name: String,
        orders: Orders,
        waker: Arc<Waker>,
        now: Instant,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(waker, Some(now))?);
        shared.lock().orders = orders;
        let directory = root.join(&name);
        shared.spawn("link", move |shared| attend(shared, &directory))?;
        Ok(Self { name, shared })
    }

    /// The driver's scheme.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the event loop has to know, if that is another than at `version`.
    pub fn status_since(&self, version: u64) -> Option<Status> {
        let is_news = self.shared.glance.version.load(Ordering::Acquire) != version;
        is_news.then(|| self.shared.lock().status.clone())
    }

    /// When the driver has left a question unanswered for `patience`.
    pub fn patience_ends(&self, patience: Duration) -> Option<Instant> {
        self.shared.glance.asked().map(|asked| asked + patience)
    }

    /// The driver's pipes, once, if it hands any out.
    pub fn take_pipes(&self) -> Option<Pipes> {
        self.shared.lock().pipes.take()
    }

    /// Takes up to `limit` received frames; whether there are more.
    pub fn take_frames(&self, limit: usize) -> (Vec<Received>, bool) {
        self.shared.take_received(limit)
    }

    /// Queues the frames that `give` has, which is told how many there is room for.
    pub fn send(&self, give: impl FnOnce(usize) -> Vec<Packet>) {
        if matches!(self.shared.lock().status.phase, Phase::Open { .. }) {
            self.shared.queue(give);
        }
    }

    /// Has the driver told what it is to do.
    pub fn set_orders(&self, orders: Orders) {
        self.shared.lock().orders = orders;
        self.shared.called.notify_all();
    }

    /// Ends the threads as soon as the driver lets them.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Whether a thread is left.
    pub fn is_left(&self) -> bool {
        self.shared.lock().threads > 0
    }
}

impl Shared {
    /// Empty queues for a driver that is being opened since `asked`.
    pub fn new(waker: Arc<Waker>, asked: Option<Instant>) -> io::Result<Self> {
        let (link_text, panels) = (String::new(), Panels::default());
        let form = Form::Plain;
        let status = Status { phase: Phase::Opening, is_up: false, link_text, panels, form, version: 1 };
        let state = State {
            status,
            received: VecDeque::new(),
            to_send: VecDeque::new(),
            orders: Orders::default(),
            wants_room: false,
            pipes: None,
            threads: 0,
            stop: false,
        };
        Ok(Self {
            state: Mutex::new(state),
            room: Condvar::new(),
            called: Condvar::new(),
            outgoing: Waker::new()?,
            waker,
            glance: Glance::new(asked),
        })
    }

    /// Whether the link is up.
    pub fn is_up(&self) -> bool {
        self.lock().status.is_up
    }

    /// Hands received frames to the event loop, with one wake-up. Waits while it has too many.
    pub fn deliver(&self, batch: Vec<Received>) {
        if batch.is_empty() {
            return;
        }
        let mut state = self.lock();
        while state.received.len() >= RECEIVE_QUEUE && !state.stop {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let was_empty = state.received.is_empty();
        state.received.extend(batch);
        self.glance.received.store(true, Ordering::Release);
        drop(state);
        if was_empty {
            self.waker.wake();
        }
    }

    /// Takes up to `limit` received frames; whether there are more.
    pub fn take_received(&self, limit: usize) -> (Vec<Received>, bool) {
        if !self.glance.received.load(Ordering::Acquire) {
            return (Vec::new(), false);
        }
        let mut state = self.lock();
        let was_full = state.received.len() >= RECEIVE_QUEUE;
        let count = state.received.len().min(limit);
        let frames = state.received.drain(..count).collect();
        if was_full {
            self.room.notify_one();
        }
        self.glance.received.store(!state.received.is_empty(), Ordering::Release);
        (frames, !state.received.is_empty())
    }

    /// Queues the frames that `give` has, which is told how many there is room for.
    pub fn queue(&self, give: impl FnOnce(usize) -> Vec<Packet>) {
        let mut state = self.lock();
        let room = TRANSMIT_QUEUE.saturating_sub(state.to_send.len());
        let frames = give(room);
        state.wants_room = frames.len() == room;
        if !frames.is_empty() {
            state.to_send.extend(frames);
            drop(state);
            self.outgoing.wake();
        }
    }

    /// Moves what the event loop has to send to `outgoing`, if that is empty. False at the end.
    pub fn take_outgoing(&self, outgoing: &mut VecDeque<Packet>) -> bool {
        let mut state = self.lock();
        if outgoing.is_empty() {
            std::mem::swap(&mut state.to_send, outgoing);
            if std::mem::take(&mut state.wants_room) {
                self.waker.wake();
            }
        }
        !state.stop
    }

    /// Changes what the event loop has to know. Every change is an answer of the driver.
    pub fn update(&self, change: impl FnOnce(&mut Status)) {
        let mut state = self.lock();
        self.glance.answered();
        change(&mut state.status);
        state.status.version += 1;
        self.glance.version.store(state.status.version, Ordering::Release);
        drop(state);
        self.waker.wake();
    }

    /// Ends the threads as soon as the driver lets them.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.room.notify_all();
        self.called.notify_all();
        self.outgoing.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, reason: String) {
        self.update(|status| {
            if !matches!(status.phase, Phase::Closed(_)) {
                status.phase = Phase::Closed(reason);
            }
        });
        self.stop();
    }

    /// Starts a thread. An error of its body closes the driver.
    fn spawn(
        self: &Arc<Self>,
        name: &str,
        body: impl FnOnce(&Arc<Self>) -> Result<(), String> + Send + 'static,
    ) -> io::Result<()> {
        self.lock().threads += 1;
        let own = self.clone();
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
        let started = thread.spawn(move || {
            if let Err(reason) = body(&own) {
                own.close(reason);
            }
            own.lock().threads -= 1;
            // A driver that had hung may be tried again.
            own.waker.wake();
        });
        if started.is_err() {
            self.lock().threads -= 1;
        }
        started.map(|_| ())
    }

    /// Waits until the next look at the driver is due, or there is something else than `told` to tell it. False at
    /// the end.
    fn rest(&self, told: &Orders) -> bool {
        let is_idle = |state: &mut State| !state.stop && state.orders == *told;
        let rested = self.called.wait_timeout_while(self.lock(), REFRESH, is_idle);
        !rested.unwrap_or_else(PoisonError::into_inner).0.stop
    }
}

/// What a driver works with.
#[derive(Clone, Copy)]
struct Settings {
    address: EthernetAddress,
    mtu: usize,
}

/// Opens the driver, tells it what is wanted, and attends to it.
fn attend(shared: &Arc<Shared>, directory: &Path) -> Result<(), String> {
    let first = look(directory)?;
    let own = Own { mtu: first.mtu, texts: driver::read_panels(directory)? };
    let told = shared.lock().orders.clone();
    let refused = driver::tell(directory, &Orders::default(), &told, &own);
    let settings = if told.wanted == Wanted::default() { first } else { look(directory)? };
    let phase = open(directory, first.address, settings)?;
    let panels = Panels { texts: driver::read_panels(directory)?, told: told.wanted.version, refused };
    let form = open_frames(shared, directory)?;
    shared.update(|status| (status.phase, status.panels, status.form) = (phase, panels, form));
    watch(shared, directory, told, first.address, &own)
}

/// Frames come and go by pipes, or else by a thread that moves them.
fn open_frames(shared: &Arc<Shared>, directory: &Path) -> Result<Form, String> {
    if let Some(pipes) = driver::open_pipes(directory)? {
        let form = pipes.form;
        shared.lock().pipes = Some(pipes);
        return Ok(form);
    }
    let (frames, form) = driver::open_frames(directory)?;
    if shared.lock().stop {
        return Ok(form);
    }
    let pump = shared.spawn("frames", move |shared| pump::run(shared, frames, form));
    pump.map(|()| form).map_err(|error| error.to_string())
}

/// The address and the MTU that a driver works with.
fn look(directory: &Path) -> Result<Settings, String> {
    let address = driver::read_address(&directory.join("mac"))?;
    Ok(Settings { address, mtu: driver::read_mtu(&directory.join("mtu"))? })
}

fn open(
    directory: &Path,
    own: EthernetAddress,
    Settings { address, mtu }: Settings,
) -> Result<Phase, String> {
    let mtu_limits = driver::read_mtu_limits(&directory.join("mtu_limits"), mtu)?;
    Ok(Phase::Open { own, address, mtu, mtu_limits })
}

/// Follows the driver's `link` and settings, and tells the driver what becomes another than it was `told`.
fn watch(
    shared: &Shared,
    directory: &Path,
    mut told: Orders,
    address: EthernetAddress,
    own: &Own,
) -> Result<(), String> {
    let link = directory.join("link");
    let mut looks = 0;
    loop {
        looks = (looks + 1) % LOOKS;
        shared.glance.ask();
        let mut panels = shared.lock().status.panels.clone();
        let orders = shared.lock().orders.clone();
        if orders != told {
            panels.refused = driver::tell(directory, &told, &orders, own);
            panels.told = orders.wanted.version;
            let is_other = orders.wanted != told.wanted;
            (told, looks) = (orders, 0);
            if is_other {
                let phase = open(directory, address, look(directory)?)?;
                shared.update(|status| status.phase = phase);
            }
        }
        if looks == 0 {
            panels.texts = driver::read_panels(directory)?;
        }
        let (is_up, link_text) = driver::read_link(&link)?;
        shared.glance.answered();
        let known = shared.lock().status.clone();
        if (known.is_up, &known.link_text, &known.panels) != (is_up, &link_text, &panels) {
            shared.update(|status| {
                (status.is_up, status.link_text, status.panels) = (is_up, link_text, panels);
            });
        }
        if !shared.rest(&told) {
            return Ok(());
        }
    }
}
