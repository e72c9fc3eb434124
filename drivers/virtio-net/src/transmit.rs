//! The transmit virtqueue: frames out, and back when they are sent (virtio 1.2, 5.1.6.2).

use std::collections::VecDeque;

use nic::{Buffer, Frame};

use crate::header;
use crate::queue::{Areas, Format, Piece, Queue};

/// Gives frames to the device, and takes them back when it has sent them.
pub struct Transmitter {
    queue: Queue<Frame>,
    /// Of the frame that is being given.
    pieces: Vec<Piece>,
}

impl Transmitter {
    /// A virtqueue of this format.
    pub fn new(format: Format) -> Self {
        Self { queue: Queue::new(format), pieces: Vec::new() }
    }

    /// Begins anew, while the device is quiet.
    pub fn start(&mut self, entries: u16) -> Areas {
        self.queue.start(entries)
    }

    /// Drops all frames, after the device was made quiet; how many there were.
    pub fn stop(&mut self) -> usize {
        let unsent = self.unsent();
        self.queue.stop();
        unsent
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.queue.owned().into()
    }

    /// The device has lied about what it sent.
    pub fn is_broken(&self) -> bool {
        self.queue.is_broken()
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether it wants to be notified.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        while frames.front().is_some_and(|frame| frame.buffer_count() <= self.queue.room()) {
            let Some(mut frame) = frames.pop_front() else { break };
            // There is room for it before every frame of the pool, to which no header was added.
            if !frame.prepend(&header::outgoing(frame.metadata)) {
                continue;
            }
            self.pieces.clear();
            self.pieces.extend(frame.buffers().map(piece));
            let _full = self.queue.give(frame, &self.pieces);
        }
        self.queue.show()
    }

    /// Appends to `frames` those that the device has sent.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while let Some((mut frame, _)) = self.queue.take() {
            if frame.strip(header::SIZE) {
                frames.push(frame);
            }
        }
    }

    /// Asks for no interrupts.
    pub fn mask(&mut self) {
        self.queue.mask();
    }

    /// Asks for an interrupt once about half of what the device has is sent, since each takes back all that was. Whether
    /// that has happened already.
    pub fn unmask(&mut self) -> bool {
        self.queue.unmask(self.queue.owned() / 2)
    }
}

fn piece(buffer: &Buffer) -> Piece {
    Piece { address: buffer.bus_address(), len: buffer.len() as u32, writable: false }
}
