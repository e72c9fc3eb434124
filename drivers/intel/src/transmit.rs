//! The transmit ring: frames out, and back when they are sent.

use std::collections::VecDeque;
use std::marker::PhantomData;

use hw::dma::{Region, Table};
use nic::frame::{HEADER, VLAN_TAG, is_tagged};
use nic::ring::Entries;
use nic::{Checksum, Frame, Segments};

use crate::descriptors::{self, Context, Place, Segmentation, Transmit, WORDS};

/// The most frames that are taken back at once: the last one's report tells of all of them.
const MOST_IN_BATCH: usize = 32;

/// Gives frames to the device, with descriptors of the format `D`, and takes them back when it has sent them.
pub struct Transmitter<D> {
    entries: Entries,
    descriptors: Table<WORDS>,
    /// What the device has yet to send, oldest first.
    given: VecDeque<Batch>,
    /// How many frames that is.
    unsent: usize,
    /// For frames of batches to come.
    spare: Vec<Vec<Frame>>,
    /// The context that the device was last told, which it keeps.
    told: Context,
    format: PhantomData<D>,
}

/// Frames that the device was given, which it sends in order.
struct Batch {
    /// So many.
    frames: Vec<Frame>,
    count: usize,
    descriptors: usize,
    /// The entry of the last.
    last: usize,
}

/// What a frame's descriptors say beside where it is.
struct Prepared {
    /// What the device shall insert.
    inserted: u64,
    /// Bytes of the frame, or of its data if it is several segments.
    payload: usize,
}

impl Prepared {
    /// A frame that is as it shall leave.
    fn ready(frame: &Frame) -> Self {
        Self { inserted: 0, payload: frame.len() }
    }
}

impl<D: Transmit> Transmitter<D> {
    /// A ring in `descriptors`.
    pub fn new(descriptors: Region) -> Self {
        let descriptors = Table::new(descriptors);
        let entries = descriptors.entries();
        Self {
            entries: Entries::new(entries),
            descriptors,
            given: VecDeque::new(),
            unsent: 0,
            spare: Vec::new(),
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
        self.entries.tail()
    }

    /// How many frames the device has yet to send.
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// Gives the device frames from the front of `frames`, as many as fit. Whether the tail has moved.
    pub fn give(&mut self, frames: &mut VecDeque<Frame>) -> bool {
        // Many are moved out of a vector for little, and all of them for nothing.
        let mut waiting = Vec::from(std::mem::take(frames));
        let (before, mut given) = (self.given.len(), 0);
        while let Some(batch) = waiting.get_mut(given..).and_then(|rest| self.give_batch(rest)) {
            given += batch.count;
            self.given.push_back(batch);
        }
        self.unsent += given;
        self.keep(before, &mut waiting, given);
        *frames = waiting.into();
        given > 0
    }

    /// Appends to `frames` those that the device has sent.
    pub fn reclaim(&mut self, frames: &mut Vec<Frame>) {
        while let Some(mut batch) = self.given.pop_front_if(|batch| is_sent(&self.descriptors, batch)) {
            self.entries.take(batch.descriptors);
            self.unsent -= batch.frames.len();
            frames.append(&mut batch.frames);
            self.spare.push(batch.frames);
        }
    }

    /// Takes all frames back, after the device was made quiet; how many there were.
    pub fn reset(&mut self) -> usize {
        self.entries.reset();
        self.given.clear();
        self.told = Context::default();
        std::mem::take(&mut self.unsent)
    }

    /// Keeps the first `count` of `waiting` for the batches behind `before` others, which they were given in.
    fn keep(&mut self, before: usize, waiting: &mut Vec<Frame>, count: usize) {
        if let Some(all) = self.given.get_mut(before).filter(|batch| batch.count == waiting.len()) {
            std::mem::swap(&mut all.frames, waiting);
            return;
        }
        let mut leaving = waiting.drain(..count);
        for batch in self.given.iter_mut().skip(before) {
            batch.frames.extend(leaving.by_ref().take(batch.count));
        }
    }

    /// Gives the device the first of `waiting`, if there is room for any.
    fn give_batch(&mut self, waiting: &mut [Frame]) -> Option<Batch> {
        let before = self.entries.owned();
        let (mut count, mut last) = (0, None);
        for frame in waiting.iter_mut().take(MOST_IN_BATCH) {
            // It may need a context before it.
            if frame.buffer_count() >= self.entries.room() {
                break;
            }
            last = Some(self.give_frame(frame));
            count += 1;
        }
        let last = last?;
        let frames = self.spare.pop().unwrap_or_default();
        Some(Batch { frames, count, descriptors: self.entries.owned() - before, last })
    }

    /// Writes a frame's descriptors; the entry of the last.
    fn give_frame(&mut self, frame: &mut Frame) -> usize {
        let Prepared { inserted, payload } =
            if frame.metadata.is_ready() { Prepared::ready(frame) } else { self.prepare(frame) };
        let mut buffer = frame.first();
        for next in frame.rest() {
            self.write([buffer.bus_address(), D::data(buffer.len() as u16, payload, false) | inserted]);
            buffer = next;
        }
        self.write([buffer.bus_address(), D::data(buffer.len() as u16, payload, true) | inserted])
    }

    /// Has the device do what is left to be done for a frame.
    #[inline(never)]
    fn prepare(&mut self, frame: &mut Frame) -> Prepared {
        let (place, tag) = (place(frame), frame.metadata.vlan);
        let mut payload = frame.len();
        if let Some(segments) = place.and_then(|place| place.segments) {
            payload = segments.data as usize;
            frame.leave_lengths_out();
        }
        self.tell(Context { place, tag: tag.filter(|_| D::TAG_IN_CONTEXT) });
        Prepared { inserted: place.map_or(0, inserted::<D>) | tag.map_or(0, D::tag), payload }
    }

    /// Tells the device a context, if it is another than before.
    fn tell(&mut self, context: Context) {
        if context != Context::default() && self.told != context {
            self.write(D::context(context));
            self.told = context;
        }
    }

    /// Gives the device a descriptor, for which there is room; says where.
    fn write(&mut self, words: [u64; WORDS]) -> usize {
        let entry = self.entries.tail();
        self.descriptors.write(entry, words);
        self.entries.give();
        entry
    }
}

/// The device has sent the batch: of a frame only the last descriptor reports.
fn is_sent(descriptors: &Table<WORDS>, batch: &Batch) -> bool {
    let status = descriptors.read(batch.last, 1);
    status.is_some_and(|status| status & descriptors::DONE != 0)
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
