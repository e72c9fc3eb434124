//! The receive virtqueue: empty buffers out, frames in (virtio 1.2, 5.1.6.3 and 5.1.6.4).

use nic::buffer::CAPACITY;
use nic::frame::HEADER;
use nic::{Buffer, Checksum, Frame, Pool, Segments, Statistics, vnet};

use crate::header::{self, Header};
use crate::queue::{Areas, Format, Piece, Queue};
use crate::registers::Features;

/// Most buffers of a frame as it was on the wire. A device that says more lies.
pub const MOST_PIECES: usize = 8;

/// Most buffers of one that the device has joined.
pub const MOST_JOINED: usize = (header::SIZE + vnet::LONGEST_RECEIVED).div_ceil(CAPACITY);

/// Gives empty buffers to the device and takes frames from it.
pub struct Receiver {
    queue: Queue<Buffer>,
    pool: Pool,
    /// VIRTIO_NET_F_MRG_RXBUF is negotiated.
    mergeable: bool,
    /// VIRTIO_NET_F_GUEST_CSUM is negotiated.
    unfinished: bool,
    /// So is VIRTIO_NET_F_GUEST_TSO4 or VIRTIO_NET_F_GUEST_TSO6.
    joined: bool,
    assembly: Assembly,
    longest: usize,
    counted: Statistics,
}

/// A frame that comes in several buffers.
enum Assembly {
    /// None has begun.
    Idle,
    /// Its beginning, and how many buffers are to come.
    Begun(Frame, u16),
    /// It is bad; so many buffers of it are still to be thrown away.
    Discarding(u16),
}

/// What is wrong with a frame.
enum Bad {
    /// Its length, or the number of its buffers.
    Length,
    /// It has no checksum yet where that was not asked for, nor a place for it; or it is several where that was not asked
    /// for, or cannot be.
    Unfinished,
}

impl Receiver {
    /// A virtqueue of this format, with buffers from `pool`.
    pub fn new(format: Format, pool: Pool) -> Self {
        Self {
            queue: Queue::new(format),
            pool,
            mergeable: false,
            unfinished: false,
            joined: false,
            assembly: Assembly::Idle,
            longest: 0,
            counted: Statistics::default(),
        }
    }

    /// Begins anew, while the device is quiet, with what was negotiated.
    pub fn start(&mut self, entries: u16, features: Features) -> Areas {
        self.mergeable = features.contains(Features::MRG_RXBUF);
        self.unfinished = features.contains(Features::GUEST_CSUM);
        self.joined = features.intersects(Features::GUEST_TSO4 | Features::GUEST_TSO6);
        self.queue.start(entries)
    }

    /// Takes all buffers back, after the device was made quiet.
    pub fn stop(&mut self) {
        self.assembly = Assembly::Idle;
        self.queue.stop();
    }

    /// Drops frames that are longer than `bytes`.
    pub fn set_longest(&mut self, bytes: usize) {
        self.longest = bytes;
    }

    /// The device has lied about what it received.
    pub fn is_broken(&self) -> bool {
        self.queue.is_broken()
    }

    /// Gives empty buffers to the device while there are any. Whether it wants to be notified.
    pub fn fill(&mut self) -> bool {
        while self.queue.room() > 0 && !self.queue.is_broken() {
            let Some(buffer) = self.pool.take() else { break };
            let piece = Piece { address: buffer.bus_address(), len: CAPACITY as u32, writable: true };
            let _full = self.queue.give(buffer, &[piece]);
        }
        self.queue.show()
    }

    /// Appends to `frames` at most `budget` that the device has received.
    pub fn take(&mut self, budget: usize, frames: &mut Vec<Frame>) {
        // So many buffers, that is: those of long frames would be missing in the ring before it is filled again.
        for _ in 0..budget {
            let Some((buffer, len)) = self.queue.take() else { break };
            frames.extend(self.assemble(buffer, len as usize));
        }
    }

    /// Asks for no interrupts.
    pub fn mask(&mut self) {
        self.queue.mask();
    }

    /// Asks for an interrupt at the next frame. Whether there is one already.
    pub fn unmask(&mut self) -> bool {
        self.queue.unmask(0)
    }

    /// Adds to `statistics` what was counted since the last call.
    pub fn collect(&mut self, statistics: &mut Statistics) {
        let counted = std::mem::take(&mut self.counted);
        statistics.rx_errors += counted.rx_errors;
        statistics.rx_length_errors += counted.rx_length_errors;
    }

    /// The frame that ends with this buffer, of which the device has written `len` bytes, if one does and it is good.
    fn assemble(&mut self, mut buffer: Buffer, len: usize) -> Option<Frame> {
        let has_length = buffer.set_len(len);
        let (frame, to_come) = match std::mem::replace(&mut self.assembly, Assembly::Idle) {
            Assembly::Idle => self.begin(buffer, has_length),
            Assembly::Begun(mut frame, to_come) => {
                let empty = buffer.is_empty();
                frame.push(buffer);
                (if has_length && !empty { Ok(frame) } else { Err(Some(Bad::Length)) }, to_come - 1)
            }
            Assembly::Discarding(to_come) => (Err(None), to_come - 1),
        };
        let frame = frame.and_then(|frame| self.checked(frame, to_come == 0));
        match (frame, to_come) {
            (Ok(frame), 0) => return Some(frame),
            (Ok(frame), _) => self.assembly = Assembly::Begun(frame, to_come),
            (Err(bad), _) => {
                self.count(bad);
                if to_come > 0 {
                    self.assembly = Assembly::Discarding(to_come);
                }
            }
        }
        None
    }

    /// The frame that begins in `buffer`, and how many buffers of it are to come.
    fn begin(&self, mut buffer: Buffer, has_length: bool) -> (Result<Frame, Option<Bad>>, u16) {
        let mut bytes = [0; header::SIZE];
        if !has_length || buffer.copy_to(0, &mut bytes) < bytes.len() || !buffer.strip(bytes.len()) {
            return (Err(Some(Bad::Length)), 0);
        }
        let Header { said, num_buffers } = Header::from(bytes);
        let is_joined = matches!(said, Some((_, Some(_)))) && self.joined;
        let most = if is_joined { MOST_JOINED } else { MOST_PIECES };
        let pieces = if self.mergeable { num_buffers } else { 1 };
        let frame = match (1..=most).contains(&pieces.into()) {
            true => self.as_said(Frame::new(buffer), said),
            false => Err(Some(Bad::Length)),
        };
        (frame, pieces.saturating_sub(1))
    }

    /// The frame with what its header says of the checksum and of segments.
    fn as_said(
        &self,
        mut frame: Frame,
        said: Option<(Checksum, Option<Segments>)>,
    ) -> Result<Frame, Option<Bad>> {
        let (checksum, segments) = said.ok_or(Some(Bad::Unfinished))?;
        let is_known = self.unfinished || !matches!(checksum, Checksum::Partial { .. });
        let is_possible = match segments {
            None => true,
            // Where the device says that the data begin is a hint, and Linux's means something else (5.1.6.4.1).
            Some(Segments { is_ipv6, size, .. }) => self.joined && frame.was_several(is_ipv6, size),
        };
        if !is_known || !is_possible {
            return Err(Some(Bad::Unfinished));
        }
        frame.metadata.transport_checksum = checksum;
        Ok(frame)
    }

    fn checked(&self, frame: Frame, complete: bool) -> Result<Frame, Option<Bad>> {
        let len = frame.len();
        let (most, part) = match frame.metadata.segments {
            Some(Segments { size, header, .. }) => {
                (vnet::LONGEST_RECEIVED, usize::from(header) + usize::from(size))
            }
            None => (self.longest, 0),
        };
        match len <= most && part <= self.longest && (!complete || len >= HEADER) {
            false => Err(Some(Bad::Length)),
            true if complete && !frame.metadata.transport_checksum.fits(len) => Err(Some(Bad::Unfinished)),
            true => Ok(frame),
        }
    }

    /// Counts a bad frame, once.
    fn count(&mut self, bad: Option<Bad>) {
        match bad {
            Some(Bad::Length) => self.counted.rx_length_errors += 1,
            Some(Bad::Unfinished) => self.counted.rx_errors += 1,
            None => {}
        }
    }
}
