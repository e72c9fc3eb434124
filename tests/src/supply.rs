//! A peer that sends the frames that its guest orders.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use probe::order::{self, Order};

use crate::peer::Peer;
use crate::station;

/// How long the end of it all may take to be noticed.
const POLL: Duration = Duration::from_millis(100);

/// Before the end of an order whose frames have a rate: whoever has not read them by then has lost them.
const SETTLE: Duration = Duration::from_millis(500);

/// Answers orders until it is dropped.
pub struct Supply {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Supply {
    /// Answers what comes from `peer`.
    pub fn start(peer: Peer) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let own = stop.clone();
        let thread = thread::spawn(move || {
            while !own.load(Ordering::Relaxed) {
                // A guest that goes is seen in what it measured, or did not.
                if let Ok(Some(order)) = next_order(&peer) {
                    let _ = fill(&peer, order);
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Supply {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn next_order(peer: &Peer) -> io::Result<Option<Order>> {
    Ok(peer.receive(POLL)?.and_then(|frame| Order::parse(&frame)))
}

/// As many frames as wait where the link does not take them in time, as in a switch. The link itself holds ten on most
/// hosts, which is less than a busy host may keep QEMU waiting.
const MOST_WAITING: u32 = 64;

/// Sends what was ordered, and the end. A frame that has its time waits with others if the link does not take it then,
/// and one too many is lost.
fn fill(peer: &Peer, order: Order) -> io::Result<()> {
    let frame = order::filling(station::MAC, order.length as usize);
    let start = Instant::now();
    let mut waiting = 0;
    for number in 0..order.count {
        if order.interval.is_zero() {
            peer.send(&frame)?;
            continue;
        }
        let due = start + order.interval * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        waiting = MOST_WAITING.min(waiting + 1);
        while waiting > 0 && peer.try_send(&frame)? {
            waiting -= 1;
        }
    }
    for _ in 0..waiting {
        peer.send(&frame)?;
    }
    if !order.interval.is_zero() {
        thread::sleep(SETTLE);
    }
    peer.send(&order::end(station::MAC))
}
