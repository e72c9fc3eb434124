//! Every reader gets every frame, and a slow reader delays nobody.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use slab::Slab;

use crate::frame::{Form, Frame};

/// Received frames in order, kept until the last reader has read them. Readers are positions in it, so a frame
/// that many wait for is there once. When it grows beyond its limit, the oldest frame goes, and those who
/// had not read it have lost it.
pub struct Taps {
    frames: VecDeque<Frame>,
    /// The number of the first frame in `frames`; frames are numbered from 0 as they come.
    first: u64,
    buffers: usize,
    limit: usize,
    readers: Slab<Reader>,
}

struct Reader {
    /// The number of the frame that it reads next.
    next: u64,
    /// What is left of a frame that is several on the wire, for a reader of those.
    parts: VecDeque<Vec<u8>>,
    lost: Lost,
}

/// How many frames a reader has lost; it outlives the reader.
pub type Lost = Rc<Cell<u64>>;

impl Taps {
    /// No readers, and at most `limit` buffers of frames.
    pub fn new(limit: usize) -> Self {
        Self { frames: VecDeque::new(), first: 0, buffers: 0, limit, readers: Slab::new() }
    }

    /// A reader of every frame from now on.
    pub fn open(&mut self) -> usize {
        self.readers.insert(Reader { next: self.end(), parts: VecDeque::new(), lost: Lost::default() })
    }

    /// Forgets reader `tap`.
    pub fn close(&mut self, tap: usize) {
        if self.readers.try_remove(tap).is_some() {
            self.forget_read();
        }
    }

    /// How many readers there are.
    pub fn readers(&self) -> usize {
        self.readers.len()
    }

    /// A frame for all readers. How many frames were lost for it, counted once a reader.
    pub fn push(&mut self, frame: Frame) -> u64 {
        if self.readers.is_empty() {
            return 0;
        }
        self.buffers += frame.buffer_count();
        self.frames.push_back(frame);
        let mut lost = 0;
        while self.buffers > self.limit && self.frames.len() > 1 {
            self.forget_first();
            for (_, reader) in self.readers.iter_mut().filter(|(_, reader)| reader.next < self.first) {
                reader.next = self.first;
                reader.lost.set(reader.lost.get() + 1);
                lost += 1;
            }
        }
        lost
    }

    /// Copies the next frame of reader `tap` into `buf`, in this form, as much as fits; `None` if there is none.
    pub fn read(&mut self, tap: usize, buf: &mut [u8], form: Form) -> Option<usize> {
        self.cut(tap, form);
        let reader = self.readers.get_mut(tap)?;
        if let Some(part) = reader.parts.pop_front() {
            buf.iter_mut().zip(&part).for_each(|(to, from)| *to = *from);
            return Some(part.len().min(buf.len()));
        }
        let frame = self.frames.get(usize::try_from(reader.next - self.first).ok()?)?;
        let count = frame.read(buf, form);
        self.pass(tap);
        Some(count)
    }

    /// How many bytes the next frame of reader `tap` has in this form, if there is one.
    pub fn next_length(&mut self, tap: usize, form: Form) -> Option<usize> {
        self.cut(tap, form);
        let reader = self.readers.get(tap)?;
        if let Some(part) = reader.parts.front() {
            return Some(part.len());
        }
        let frame = self.frames.get(usize::try_from(reader.next - self.first).ok()?)?;
        Some(frame.length(form))
    }

    /// Makes parts of the next frame of reader `tap` where it is several, and the reader wants frames as they are on the
    /// wire.
    fn cut(&mut self, tap: usize, form: Form) {
        let Some(reader) = self.readers.get_mut(tap).filter(|reader| reader.parts.is_empty()) else { return };
        let frame = usize::try_from(reader.next - self.first).ok().and_then(|index| self.frames.get(index));
        if let Some(parts) = frame.filter(|_| form == Form::Plain).and_then(Frame::parts) {
            reader.parts = parts;
            self.pass(tap);
        }
    }

    /// Reader `tap` has its next frame.
    fn pass(&mut self, tap: usize) {
        let Some(reader) = self.readers.get_mut(tap) else { return };
        let was_first = reader.next == self.first;
        reader.next += 1;
        if was_first {
            self.forget_read();
        }
    }

    /// A frame waits for reader `tap`.
    pub fn is_ready(&self, tap: usize) -> bool {
        self.readers.get(tap).is_some_and(|reader| !reader.parts.is_empty() || reader.next < self.end())
    }

    /// Even the quickest reader has frames before it.
    pub fn are_all_behind(&self) -> bool {
        self.least_unread() > 0
    }

    /// Half of the room is taken, and even the quickest reader has most of it before it.
    pub fn is_congested(&self) -> bool {
        self.buffers * 2 >= self.limit && self.least_unread() * 2 >= self.frames.len()
    }

    /// How many frames the quickest reader has before it.
    fn least_unread(&self) -> usize {
        let quickest = self.readers.iter().map(|(_, reader)| reader.next).max().unwrap_or(self.end());
        (self.end() - quickest) as usize
    }

    /// What reader `tap` has lost.
    pub fn lost(&self, tap: usize) -> Option<Lost> {
        self.readers.get(tap).map(|reader| reader.lost.clone())
    }

    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// Drops the frames that every reader has read.
    fn forget_read(&mut self) {
        let oldest = self.readers.iter().map(|(_, reader)| reader.next).min().unwrap_or(self.end());
        while self.first < oldest {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.buffers -= frame.buffer_count();
            self.first += 1;
        }
    }
}
