//! The threads that speak to one driver, and the queues between them and the event loop.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use smoltcp::wire::EthernetAddress;

use super::wake::Waker;
use crate::stack::interface::ETHERNET_MTU;

/// The threads read, write and queue: their stacks are small.
pub const STACK: usize = 64 * 1024;
/// Frames that wait for the event loop. A driver keeps what does not fit, and counts what it loses.
const RECEIVE_QUEUE: usize = 256;
/// Frames that wait for the driver.
const TRANSMIT_QUEUE: usize = 128;
/// Room that is worth waking the event loop for.
const TRANSMIT_ROOM: usize = TRANSMIT_QUEUE / 2;
/// The longest frame that is taken: jumbo frames and their headers.
const FRAME: usize = 16 * 1024;
/// From what every host takes (RFC 1122 section 3.3.3) to what the frame buffer holds beside its headers.
const MTU: RangeInclusive<usize> = 576..=FRAME - 18;
/// The longest attribute.
const ATTRIBUTE: u64 = 4096;
/// Between two looks at the driver's attributes.
const REFRESH: Duration = Duration::from_secs(1);

/// How far a driver has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its files are being opened.
    Opening,
    /// Frames move.
    Open {
        /// The NIC's address.
        address: EthernetAddress,
        /// The longest IP packet, in bytes.
        mtu: usize,
    },
    /// No more, and why.
    Closed(String),
}

/// What the event loop has to know.
pub struct Status {
    /// How far the driver has come.
    pub phase: Phase,
    /// Whether the link is up.
    pub is_up: bool,
    /// The text of the driver's `link`; empty if it has none.
    pub link_text: String,
    /// Names this status; 0 names none.
    pub version: u64,
}

struct State {
    phase: Phase,
    is_up: bool,
    link_text: String,
    /// Counts the changes of the three above.
    version: u64,
    received: VecDeque<Vec<u8>>,
    to_send: VecDeque<Vec<u8>>,
    /// The event loop has more to send than there was room for.
    wants_room: bool,
    /// Since when the driver has not answered, while something is asked of it.
    asked: Option<Instant>,
    /// Threads that end as soon as the driver answers: all but the reader, to whom it owes nothing.
    asking: usize,
    /// Whether the reader waits for a frame still.
    reading: bool,
    stop: bool,
}

struct Shared {
    state: Mutex<State>,
    /// For the writer: there are frames to send, or it is the end.
    frames: Condvar,
    /// For the reader: there is room in the queue, or it is the end.
    room: Condvar,
    /// For who watches the link: it is the end.
    end: Condvar,
    waker: Arc<Waker>,
}

impl State {
    /// Takes the text of the driver's `link`, if it has one.
    fn follow_link(&mut self, text: Option<String>, waker: &Waker) {
        let is_up = text.as_ref().is_none_or(|text| text.lines().any(|line| line.trim() == "state up"));
        let text = text.unwrap_or_default();
        if self.is_up == is_up && self.link_text == text {
            return;
        }
        if is_up && !self.is_up && self.asked.is_some() {
            // The driver can answer from now on.
            self.asked = Some(Instant::now());
        }
        (self.is_up, self.link_text) = (is_up, text);
        self.version += 1;
        waker.wake();
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.asked = None;
        self.version += 1;
    }
}

/// One driver's threads.
pub struct Worker {
    name: String,
    shared: Arc<Shared>,
}

impl Worker {
    /// Opens the driver `name` under `root`, and moves its frames.
    pub fn start(root: &Path, name: String, waker: Arc<Waker>, now: Instant) -> io::Result<Self> {
        let state = State {
            phase: Phase::Opening,
            is_up: false,
            link_text: String::new(),
            version: 1,
            received: VecDeque::new(),
            to_send: VecDeque::new(),
            wants_room: false,
            asked: Some(now),
            asking: 0,
            reading: false,
            stop: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            frames: Condvar::new(),
            room: Condvar::new(),
            end: Condvar::new(),
            waker,
        });
        let directory = root.join(&name);
        spawn_asking("link", &shared, move |shared| attend(shared, &directory))?;
        Ok(Self { name, shared })
    }

    /// The driver's scheme.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the event loop has to know, if that is another than at `version`.
    pub fn status_since(&self, version: u64) -> Option<Status> {
        let state = self.shared.lock();
        (state.version != version).then(|| Status {
            phase: state.phase.clone(),
            is_up: state.is_up,
            link_text: state.link_text.clone(),
            version: state.version,
        })
    }

    /// When the driver has left a question unanswered for `patience`. One whose link is down rightly keeps a
    /// frame until it is up.
    pub fn patience_ends(&self, patience: Duration) -> Option<Instant> {
        let state = self.shared.lock();
        let waits_for_link = matches!(state.phase, Phase::Open { .. }) && !state.is_up;
        state.asked.filter(|_| !waits_for_link).map(|asked| asked + patience)
    }

    /// Takes up to `limit` received frames; whether there are more.
    pub fn take_frames(&self, limit: usize) -> (Vec<Vec<u8>>, bool) {
        let mut state = self.shared.lock();
        let was_full = state.received.len() >= RECEIVE_QUEUE;
        let count = state.received.len().min(limit);
        let frames = state.received.drain(..count).collect();
        if was_full {
            self.shared.room.notify_one();
        }
        (frames, !state.received.is_empty())
    }

    /// Queues the frames that `give` has, which is told how many there is room for.
    pub fn send(&self, give: impl FnOnce(usize) -> Vec<Vec<u8>>) {
        let mut state = self.shared.lock();
        if !matches!(state.phase, Phase::Open { .. }) {
            return;
        }
        let room = TRANSMIT_QUEUE.saturating_sub(state.to_send.len());
        let frames = give(room);
        if frames.is_empty() && room > 0 {
            return;
        }
        state.wants_room = frames.len() == room;
        state.to_send.extend(frames);
        self.shared.frames.notify_one();
    }

    /// Ends the threads as soon as the driver lets them.
    pub fn stop(&self) {
        self.shared.end(&mut self.shared.lock());
    }

    /// Whether a thread waits for an answer of the driver still.
    pub fn is_stuck(&self) -> bool {
        self.shared.lock().asking > 0
    }

    /// Whether any thread is left.
    pub fn is_left(&self) -> bool {
        let state = self.shared.lock();
        state.asking > 0 || state.reading
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, reason: String) {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Closed(_)) {
            state.enter(Phase::Closed(reason));
        }
        self.end(&mut state);
        self.waker.wake();
    }

    /// Tells all threads to end.
    fn end(&self, state: &mut State) {
        state.stop = true;
        self.frames.notify_all();
        self.room.notify_all();
        self.end.notify_all();
    }
}

/// Starts a thread that asks the driver for something.
fn spawn_asking(
    name: &str,
    shared: &Arc<Shared>,
    body: impl FnOnce(&Arc<Shared>) -> Result<(), String> + Send + 'static,
) -> io::Result<()> {
    shared.lock().asking += 1;
    let started = spawn(name, shared, move |shared| {
        let result = body(shared);
        shared.lock().asking -= 1;
        // A driver that had hung may be tried again.
        shared.waker.wake();
        result
    });
    if started.is_err() {
        shared.lock().asking -= 1;
    }
    started
}

fn spawn(
    name: &str,
    shared: &Arc<Shared>,
    body: impl FnOnce(&Arc<Shared>) -> Result<(), String> + Send + 'static,
) -> io::Result<()> {
    let own = shared.clone();
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    let started = thread.spawn(move || {
        if let Err(reason) = body(&own) {
            own.close(reason);
        }
    });
    started.map(|_| ())
}

/// Opens the driver, starts its reader and writer, and keeps an eye on its link.
fn attend(shared: &Arc<Shared>, directory: &Path) -> Result<(), String> {
    let address = read_address(&directory.join("mac"))?;
    let mtu = read_mtu(&directory.join("mtu"))?;
    let (reader, writer) = open_frames(directory)?;
    if shared.lock().stop {
        return Ok(());
    }
    shared.lock().reading = true;
    let started = spawn("reader", shared, move |shared| {
        let result = receive(shared, reader);
        shared.lock().reading = false;
        shared.waker.wake();
        result
    });
    if let Err(error) = started {
        shared.lock().reading = false;
        return Err(error.to_string());
    }
    spawn_asking("writer", shared, move |shared| transmit(shared, writer))
        .map_err(|error| error.to_string())?;
    shared.lock().enter(Phase::Open { address, mtu });
    watch(shared, &directory.join("link"));
    Ok(())
}

/// `frame` of our drivers, the scheme's root of stock ones.
fn open_frames(directory: &Path) -> Result<(File, File), String> {
    let frame = directory.join("frame");
    let failure = |path: &Path, error: io::Error| format!("cannot open {}: {error}", path.display());
    match File::open(&frame) {
        Ok(reader) => {
            let writer =
                OpenOptions::new().write(true).open(&frame).map_err(|error| failure(&frame, error))?;
            Ok((reader, writer))
        }
        Err(error) if is_unknown(&error) => {
            let root = OpenOptions::new().read(true).write(true).open(directory);
            let root = root.map_err(|error| failure(directory, error))?;
            let other = root.try_clone().map_err(|error| failure(directory, error))?;
            Ok((root, other))
        }
        Err(error) => Err(failure(&frame, error)),
    }
}

fn read_address(path: &Path) -> Result<EthernetAddress, String> {
    let mut bytes = [0; 6];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let address = EthernetAddress(bytes);
    match address.is_unicast() && bytes != [0; 6] {
        true => Ok(address),
        false => Err(format!("{} says {address}, which no NIC can have", path.display())),
    }
}

/// A driver without the node has a plain Ethernet link.
fn read_mtu(path: &Path) -> Result<usize, String> {
    let text = read_text(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let Some(text) = text else { return Ok(ETHERNET_MTU) };
    let mtu = text.trim().parse().ok().filter(|mtu| MTU.contains(mtu));
    mtu.ok_or_else(|| format!("{} says {:?}, which no link can have", path.display(), text.trim()))
}

/// The text of an attribute; `None` if the driver has no such node.
fn read_text(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_unknown(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(ATTRIBUTE).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Whether a driver says by `error` that it has no such node; stock's do with `EINVAL`.
fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput)
}

/// Follows the driver's `link`. A driver without one has a link that is always up; what cannot be read just
/// now says nothing.
fn watch(shared: &Shared, path: &Path) {
    loop {
        let text = read_text(path);
        let mut state = shared.lock();
        match text {
            Ok(text) => state.follow_link(text, &shared.waker),
            Err(error) => log::debug!("cannot read {}: {error}", path.display()),
        }
        let until = Instant::now() + REFRESH;
        while !state.stop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = shared.end.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.stop {
            return;
        }
    }
}

/// Moves frames from the driver to the event loop.
fn receive(shared: &Shared, mut file: File) -> Result<(), String> {
    let mut buffer = vec![0; FRAME];
    loop {
        let length = match file.read(&mut buffer) {
            Ok(0) => return Err("its frames have ended".to_owned()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("cannot read a frame: {error}")),
        };
        let frame = buffer.get(..length).unwrap_or_default().to_vec();
        let mut state = shared.lock();
        while state.received.len() >= RECEIVE_QUEUE && !state.stop {
            state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stop {
            return Ok(());
        }
        let was_empty = state.received.is_empty();
        state.received.push_back(frame);
        drop(state);
        if was_empty {
            shared.waker.wake();
        }
    }
}

/// Moves frames from the event loop to the driver.
fn transmit(shared: &Shared, mut file: File) -> Result<(), String> {
    while let Some(frame) = next_to_send(shared) {
        match file.write(&frame) {
            Ok(_) => (),
            // One frame that the driver does not take says nothing about the next.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                log::debug!("the driver refused a frame of {} bytes: {error}", frame.len());
            }
            Err(error) => return Err(format!("cannot write a frame: {error}")),
        }
    }
    Ok(())
}

/// Waits for the next frame; `None` at the end.
fn next_to_send(shared: &Shared) -> Option<Vec<u8>> {
    let mut state = shared.lock();
    state.asked = None;
    if state.wants_room && TRANSMIT_QUEUE - state.to_send.len() >= TRANSMIT_ROOM {
        state.wants_room = false;
        shared.waker.wake();
    }
    loop {
        if state.stop {
            return None;
        }
        if let Some(frame) = state.to_send.pop_front() {
            state.asked = Some(Instant::now());
            return Some(frame);
        }
        state = shared.frames.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}
