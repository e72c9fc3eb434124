//! The two threads that speak to one driver, and the queues between them and the event loop.

mod attendant;

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use scheme::vnet;
use scheme::vnet::Form;
use smoltcp::wire::EthernetAddress;

use super::driver::Orders;
use super::form::Received;
use super::stream::Pipes;
use super::wake::Waker;
use crate::stack::hardware::Panels;
use crate::stack::packet::Packet;

/// The threads read, write and queue: their stacks are small.
pub const STACK: usize = 64 * 1024;
/// The longest frame that is taken: what a driver may have joined.
pub const FRAME: usize = vnet::LONGEST_RECEIVED;
/// Frames that wait for the event loop, beside one batch. A driver keeps what does not fit, and counts what
/// it loses.
const RECEIVE_QUEUE: usize = 256;
/// Frames that wait for the thread that gives them to the driver.
const TRANSMIT_QUEUE: usize = 128;
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
        shared.spawn("link", move |shared| attendant::attend(shared, &directory))?;
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
}
