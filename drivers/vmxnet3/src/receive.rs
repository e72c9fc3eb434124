//! A receive queue: empty buffers out, frames in. A frame begins in a buffer of ring 0, and goes on in those of
//! ring 1.

use hw::dma::Region;
use nic::buffer::CAPACITY;
use nic::frame::HEADER;
use nic::{Buffer, Checksum, Frame, Pool, Segments, Statistics, vnet};

use crate::descriptors::{RXCOMP_LRO, Receive, ReceiveDone, ReceivePlace};
use crate::ring::{Commands, Completions};
use crate::shared::QUEUES;

/// Buffers of the longest frame as it was on the wire. A device that chains more lies.
pub const MOST_PIECES: usize = 5;

/// Buffers of the longest one that the device has joined.
pub const MOST_JOINED: usize = vnet::LONGEST_RECEIVED.div_ceil(CAPACITY);

/// Gives empty buffers to the device and takes frames from it.
pub struct Receiver {
    queue: u16,
    /// Buffers in which frames begin, and those in which they go on.
    rings: [Commands<Buffer>; 2],
    completions: Completions,
    pool: Pool,
    assembly: Assembly,
    longest: usize,
    /// The device joins segments.
    joined: bool,
    broken: bool,
    counted: Statistics,
}

/// A frame that comes in several buffers.
enum Assembly {
    /// None has begun.
    Idle,
    /// Its beginning, and what it was, if the device has joined it.
    Begun(Frame, Option<Joined>),
    /// It is bad; the rest of it is thrown away.
    Discarding,
}

/// What the device says of a frame that it has joined, with the first buffer.
#[derive(Clone, Copy)]
struct Joined {
    /// How many segments it was.
    count: u8,
    /// Bytes of data in each but the last; 0 if the device does not say.
    size: u16,
}

impl Receiver {
    /// The queue of this number, with its rings in `rings` and `completions`, which has as many entries as both of them, and buffers
    /// from `pool`.
    pub fn new(queue: u16, rings: [Region; 2], completions: Region, pool: Pool) -> Self {
        Self {
            queue,
            rings: rings.map(Commands::new),
            completions: Completions::new(completions),
            pool,
            assembly: Assembly::Idle,
            longest: 0,
            joined: false,
            broken: false,
            counted: Statistics::default(),
        }
    }

    /// Where the device finds the two rings and the completion ring, and how many entries they have.
    pub fn locations(&self) -> [(u64, u32); 3] {
        let [heads, bodies] = &self.rings;
        [heads.location(), bodies.location(), self.completions.location()]
    }

    /// Values for the two producer registers.
    pub fn tails(&self) -> [usize; 2] {
        let [heads, bodies] = &self.rings;
        [heads.tail(), bodies.tail()]
    }

    /// The device has said what cannot be.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The device has said something that was not looked at yet.
    pub fn has_news(&self) -> bool {
        !self.broken && self.completions.peek().is_some()
    }

    /// Drops frames that are longer than `bytes`, or whose segments are if the device joins them.
    pub fn set_longest(&mut self, bytes: usize, joined: bool) {
        (self.longest, self.joined) = (bytes, joined);
    }

    /// Gives empty buffers to the device while there are any. Buffers to go on in are only given while a frame can be
    /// longer than one.
    pub fn fill(&mut self) {
        let [heads, bodies] = &mut self.rings;
        fill(heads, &self.pool, false);
        if self.longest > CAPACITY || self.joined {
            fill(bodies, &self.pool, true);
        }
    }

    /// Appends to `frames` at most `budget` that the device has received.
    pub fn take(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        let enough = frames.len() + budget;
        // A bound beside the budget: a device that finishes nothing but bad frames would have no end.
        for _ in 0..budget * MOST_PIECES {
            if frames.len() == enough || self.broken {
                break;
            }
            let Some((first, second)) = self.completions.take() else { break };
            let (place, done) = (ReceivePlace::from(first), ReceiveDone::from(second));
            match self.take_buffer(place) {
                Some(buffer) => frames.extend(self.assemble(place, done, buffer)),
                None => self.broken = true,
            }
        }
    }

    /// Takes all buffers back, after the device was made quiet.
    pub fn reset(&mut self) {
        self.assembly = Assembly::Idle;
        self.broken = false;
        self.rings.iter_mut().for_each(Commands::reset);
        self.completions.reset();
    }

    /// Adds to `statistics` what was counted since the last call.
    pub fn collect(&mut self, statistics: &mut Statistics) {
        let counted = std::mem::take(&mut self.counted);
        statistics.rx_errors += counted.rx_errors;
        statistics.rx_length_errors += counted.rx_length_errors;
    }

    /// The buffer that the device is done with; none if it is not the one whose turn it is.
    fn take_buffer(&mut self, place: ReceivePlace) -> Option<Buffer> {
        // All rings 0 are numbered, and behind them all rings 1.
        let which = match place.rq_id().checked_sub(self.queue)? {
            0 => 0,
            queues if usize::from(queues) == QUEUES => 1,
            _ => return None,
        };
        let ring = self.rings.get_mut(which)?;
        if ring.oldest() != Some(place.index().into()) {
            return None;
        }
        ring.take()
    }

    /// The frame that ends with this piece, if one does and it is good.
    fn assemble(&mut self, place: ReceivePlace, done: ReceiveDone, mut buffer: Buffer) -> Option<Frame> {
        let assembly = std::mem::replace(&mut self.assembly, Assembly::Idle);
        let has_length = done.len() > 0 && buffer.set_len(done.len().into());
        let begun = match assembly {
            Assembly::Discarding if !place.sop() => None,
            _ if done.err() => {
                self.counted.rx_errors += 1;
                None
            }
            Assembly::Idle | Assembly::Discarding if has_length && place.sop() => {
                Some((Frame::new(buffer), self.joined.then(|| joined(place, done)).flatten()))
            }
            Assembly::Begun(mut frame, joined) if has_length && !place.sop() => {
                frame.push(buffer);
                Some((frame, joined))
            }
            _ => {
                self.counted.rx_length_errors += 1;
                None
            }
        };
        let begun = begun.filter(|(frame, joined)| self.has_possible_length(frame, joined.is_some()));
        if !place.eop() {
            self.assembly =
                begun.map_or(Assembly::Discarding, |(frame, joined)| Assembly::Begun(frame, joined));
            return None;
        }
        let (frame, joined) = begun?;
        self.complete(frame, joined, place, done)
    }

    /// The whole frame with all that the device says of it, if it is good.
    fn complete(
        &mut self,
        mut frame: Frame,
        joined: Option<Joined>,
        place: ReceivePlace,
        done: ReceiveDone,
    ) -> Option<Frame> {
        (frame.metadata.ip_checksum, frame.metadata.transport_checksum) = checksums(place, done);
        frame.metadata.vlan = done.ts().then_some(done.tci());
        if let Some(Joined { count, size }) = joined {
            // The segments get new checksums: nothing bad must come to look good by that.
            let is_good = done.tcp() && frame.metadata.transport_checksum == Checksum::Good;
            if !is_good || !frame.was_joined(done.v6(), count, size) {
                self.counted.rx_errors += 1;
                return None;
            }
        }
        let part = match frame.metadata.segments {
            Some(Segments { header, size, .. }) => usize::from(header) + usize::from(size),
            None => frame.len(),
        };
        let possible = part <= self.longest && frame.len() >= HEADER;
        self.counted.rx_length_errors += u64::from(!possible);
        possible.then_some(frame)
    }

    /// It can be so long, be there more of it or not.
    fn has_possible_length(&mut self, frame: &Frame, joined: bool) -> bool {
        let (longest, pieces) =
            if joined { (vnet::LONGEST_RECEIVED, MOST_JOINED) } else { (self.longest, MOST_PIECES) };
        let possible = frame.len() <= longest && frame.buffer_count() <= pieces;
        self.counted.rx_length_errors += u64::from(!possible);
        possible
    }
}

/// What a frame was that begins with this completion, if the device has joined it.
fn joined(place: ReceivePlace, done: ReceiveDone) -> Option<Joined> {
    let joined = Joined { count: place.seg_cnt(), size: done.mss() };
    (done.kind() == RXCOMP_LRO && joined.count > 1).then_some(joined)
}

fn fill(ring: &mut Commands<Buffer>, pool: &Pool, body: bool) {
    while ring.room() > 0 {
        let Some(buffer) = pool.take() else { break };
        let word =
            Receive::new().with_len(CAPACITY as u16).with_body(body).with_generation(ring.generation());
        let address = buffer.bus_address();
        ring.give(buffer, address, word.into());
    }
}

/// What the device says of the IP and of the TCP or UDP checksum.
fn checksums(place: ReceivePlace, done: ReceiveDone) -> (Checksum, Checksum) {
    let verdict = |looked_at: bool, right: bool| match (looked_at && !place.cnc(), right) {
        (false, _) => Checksum::Unknown,
        (true, true) => Checksum::Good,
        (true, false) => Checksum::Bad,
    };
    let transport = (done.tcp() || done.udp()) && !done.frg();
    (verdict(done.v4(), done.ipc()), verdict(transport, done.tuc()))
}
