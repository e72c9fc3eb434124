//! The transmit ring: frames out, and back when they are sent.

use std::collections::VecDeque;
use std::marker::PhantomData;

use hw::dma::Region;
use nic::frame::{HEADER, VLAN_TAG, is_tagged};
use nic::ring::Ring;
use nic::{Checksum, Frame, Segments};

use crate::descriptors::{self, Context, Place, Segmentation, Transmit};

/// Gives frames to the device, with descriptors of the format `D`, and takes them back when it has sent them.
pub struct Transmitter<D> {
    ring: Ring<()>,
    descriptors: Region,
    /// The frames that the device has, oldest first.
    given: VecDeque<Given>,
    /// The context that the device was last told, which it keeps.
    told: Context,
    format: PhantomData<D>,
}

/// A frame that the device was given with so many descriptors.
struct Given {
    frame: Frame,
    descriptors: usize,
}

impl<D: Transmit> Transmitter<D> {
    /// A ring in `descriptors`.
    pub fn new(descriptors: Region) -> Self {
        let entries = descriptors.size() / descriptors::SIZE;
        Self {
            ring: Ring::new(entries),
            descriptors,
            given: VecDeque::with_capacity(entries),
            told: Context::default(),
            format: PhantomData,
        }
    }

    /// Where the device finds the ring, and how long it is in bytes.
    pub fn location(&self) -> (u64, usize) {
        (self.descriptors.bus_address(), self.descriptors.size())
    }

    /// Value for the tail register.
    pub fn tail(&self) -> usize {
        self.ring.tail()
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.given.len()
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether the tail has moved.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        let mut moved = false;
        // A frame may need a context before it.
        while frames.front().is_some_and(|frame| frame.buffer_count() < self.ring.room()) {
            let Some(frame) = frames.pop_front() else { break };
            self.give_frame(frame);
            moved = true;
        }
        moved
    }

    /// Appends to `frames` those that the device has sent.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while self.given.front().is_some_and(|given| self.is_sent(given)) {
            let Some(Given { frame, descriptors }) = self.given.pop_front() else { break };
            for _ in 0..descriptors {
                self.ring.take();
            }
            frames.push(frame);
        }
    }

    /// Takes all frames back, after the device was made quiet; how many there were.
    pub fn reset(&mut self) -> usize {
        self.ring.reset().for_each(drop);
        self.told = Context::default();
        self.given.drain(..).len()
    }

    fn give_frame(&mut self, mut frame: Frame) {
        let last = frame.buffer_count() - 1;
        let (place, tag) = (place(&frame), frame.metadata.vlan);
        let segments = place.and_then(|place| place.segments);
        let payload = segments.map_or(frame.len(), |segments| segments.data as usize);
        if segments.is_some() {
            frame.leave_lengths_out();
        }
        let mut descriptors = 0;
        let context = Context { place, tag: tag.filter(|_| D::TAG_IN_CONTEXT) };
        if (context.place.is_some() || context.tag.is_some()) && self.told != context {
            self.write(descriptors, D::context(context));
            descriptors += 1;
            self.told = context;
        }
        let inserted = place.map_or(0, inserted::<D>) | tag.map_or(0, D::tag);
        for (index, buffer) in frame.buffers().enumerate() {
            let data = D::data(buffer.len() as u16, payload, index == last);
            self.write(descriptors, [buffer.bus_address(), data | inserted]);
            descriptors += 1;
        }
        for _ in 0..descriptors {
            // There is room: a frame's buffers and its context were counted.
            let _ = self.ring.give(());
        }
        self.given.push_back(Given { frame, descriptors });
    }

    /// Writes the descriptor that is given after `count` others.
    fn write(&self, count: usize, [first, second]: [u64; 2]) {
        let at = self.ring.ahead(count) * descriptors::SIZE;
        self.descriptors.write_word(at, first);
        self.descriptors.write_word(at + 8, second);
    }

    /// Only the descriptor of a frame's last buffer reports.
    fn is_sent(&self, oldest: &Given) -> bool {
        let last = self.ring.behind(oldest.descriptors - 1);
        let status = last.and_then(|place| self.descriptors.read_word(place * descriptors::SIZE + 8));
        status.is_some_and(|status| status & descriptors::DONE != 0)
    }
}

/// What the device shall do for a frame.
fn inserted<D: Transmit>(place: Place) -> u64 {
    let checksum = descriptors::TXSM;
    match (place.segments, place.is_ipv4) {
        (None, _) => checksum,
        (Some(_), false) => checksum | D::TSE,
        (Some(_), true) => checksum | D::TSE | descriptors::IXSM,
    }
}

/// Where the checksum of a frame stands that the device shall fill in, and what segments it shall make of it.
fn place(frame: &Frame) -> Option<Place> {
    let Checksum::Partial { start, offset } = frame.metadata.transport_checksum else { return None };
    let mut header = [0; HEADER + VLAN_TAG];
    frame.copy_to(&mut header);
    let ethernet = HEADER + if is_tagged(&header) { VLAN_TAG } else { 0 };
    let is_ipv4 = header.get(ethernet - 2..ethernet) == Some(&[0x08, 0x00]);
    let segments = frame.metadata.segments.map(|Segments { header, size, .. }| {
        let data = frame.len().saturating_sub(header.into()) as u32;
        Segmentation { header, size, data }
    });
    Some(Place { ethernet: ethernet as u16, is_ipv4, start, offset, segments })
}
