//! The way of the C+'s predecessors (RTL8139C data sheet, 5 and 6): one receive buffer, which frames are copied from, and
//! four places to send from, which they are copied to.

use std::collections::VecDeque;

use hw::dma::{Arena, Region};
use hw::{Error, Registers};
use nic::frame::HEADER;
use nic::{Frame, Pool, Statistics};
use realtek::Rings;
use realtek::registers::{CR, Cr};

use crate::registers::{BUFE, CAPR, RBSTART, ReceiveHeader, TSAD0, TSD0, Tsd};

/// RCR.RBLEN of the longest receive buffer, and its bytes. Beyond it there are 16 more.
pub const RBLEN: u8 = 3;
const BUFFER: usize = 0x1_0000;
const BUFFER_MEMORY: usize = BUFFER + 16;

/// Places to send from, and bytes of each: more than any frame has.
const PLACES: usize = 4;
const PLACE: usize = 2048;

/// What the receive buffer and the places begin at a multiple of.
const ALIGNMENT: usize = 256;

/// Bytes of DMA memory.
pub const MEMORY: usize = BUFFER_MEMORY + PLACES * PLACE + 2 * ALIGNMENT;

/// Bytes of a frame's FCS, which the device delivers.
const FCS: usize = 4;

/// CAPR is so much behind what was read last.
const CAPR_LAG: u16 = 16;

/// Frames that are looked at for each one of the budget.
const MOST_BAD: usize = 4;

/// The receive buffer, the places to send from, and what is in them.
pub struct Classic {
    buffer: Region,
    /// Where the next frame begins in the receive buffer.
    next: usize,
    /// What is in the receive buffer cannot be.
    lost: bool,
    places: Region,
    /// What was given to the device, oldest first, and the oldest's place.
    given: VecDeque<Frame>,
    oldest: usize,
    pool: Pool,
    longest: usize,
    counted: Statistics,
}

impl Classic {
    /// With memory in `arena`, and buffers for received frames from `pool`.
    pub fn new(arena: &Arena, pool: Pool) -> Result<Self, Error> {
        Ok(Self {
            buffer: arena.allocate(BUFFER_MEMORY, ALIGNMENT)?,
            next: 0,
            lost: false,
            places: arena.allocate(PLACES * PLACE, ALIGNMENT)?,
            given: VecDeque::with_capacity(PLACES),
            oldest: 0,
            pool,
            longest: 0,
            counted: Statistics::default(),
        })
    }

    /// Copies `frame` to the next place, and has it sent.
    fn send(&mut self, registers: &impl Registers, frame: Frame) {
        let mut bytes = [0; PLACE];
        let length = frame.copy_to(&mut bytes);
        let place = (self.oldest + self.given.len()) % PLACES;
        self.places.copy_from(place * PLACE, &bytes[..length]);
        let address = self.places.bus_address() + (place * PLACE) as u64;
        registers.write32(TSAD0 + 4 * place, address as u32);
        registers.write32(TSD0 + 4 * place, Tsd::new().with_size(length as u16).into());
        self.given.push_back(frame);
    }

    /// The header of the next frame in the receive buffer, if there is one.
    fn next_header(&mut self, registers: &impl Registers) -> Option<ReceiveHeader> {
        if self.lost || registers.read8(CR) & BUFE != 0 {
            return None;
        }
        let header = ReceiveHeader::from(self.buffer.read_u32(self.next)?);
        // Whatever the device says: where the frame after it begins is known only if this is a length.
        self.lost = !(HEADER + FCS..=PLACE).contains(&usize::from(header.length()));
        if self.lost {
            self.counted.rx_length_errors += 1;
        }
        (!self.lost).then_some(header)
    }

    /// The frame behind `header`, if it is a good one; an error where there is no buffer for it.
    fn copy(&mut self, header: ReceiveHeader) -> Result<Option<Frame>, ()> {
        let length = usize::from(header.length()) - FCS;
        if !header.rok() || header.is_bad() {
            self.counted.rx_errors += 1;
            return Ok(None);
        }
        if length > self.longest {
            self.counted.rx_length_errors += 1;
            return Ok(None);
        }
        let mut buffer = self.pool.take().ok_or(())?;
        let mut bytes = [0; PLACE];
        let begin = (self.next + size_of::<u32>()) % BUFFER;
        let (first, rest) = bytes[..length].split_at_mut(length.min(BUFFER - begin));
        self.buffer.copy_to(begin, first);
        self.buffer.copy_to(0, rest);
        buffer.append(&bytes[..length]);
        Ok(Some(Frame::new(buffer)))
    }
}

impl Rings for Classic {
    fn start(&mut self, registers: &impl Registers) {
        registers.write32(RBSTART, self.buffer.bus_address() as u32);
    }

    /// The receiver begins anew with the first byte of its buffer: not all devices go on where they were.
    fn filtered(&mut self, registers: &impl Registers) {
        registers.write8(CR, Cr::TE.bits());
        registers.write32(RBSTART, self.buffer.bus_address() as u32);
        registers.write8(CR, (Cr::TE | Cr::RE).bits());
        registers.write16(CAPR, 0u16.wrapping_sub(CAPR_LAG));
        self.next = 0;
    }

    fn set_longest(&mut self, bytes: usize) {
        self.longest = bytes;
    }

    /// Each of them is told of by itself.
    fn give(&mut self, registers: &impl Registers, frames: &mut VecDeque<Frame>) -> bool {
        while self.given.len() < PLACES
            && let Some(frame) = frames.pop_front()
        {
            self.send(registers, frame);
        }
        false
    }

    fn unsent(&self) -> usize {
        self.given.len()
    }

    fn reclaim(&mut self, registers: &impl Registers, frames: &mut Vec<Frame>) {
        while !self.given.is_empty() {
            let word = registers.read32(TSD0 + 4 * self.oldest);
            let status = Tsd::from(word);
            if word == u32::MAX || !(status.tok() || status.tun() || status.tabt()) {
                break;
            }
            count(status, &mut self.counted);
            self.oldest = (self.oldest + 1) % PLACES;
            frames.extend(self.given.pop_front());
        }
    }

    fn receive(&mut self, registers: &impl Registers, budget: usize, frames: &mut Vec<Frame>) {
        let enough = frames.len() + budget;
        for _ in 0..budget * MOST_BAD {
            if frames.len() == enough {
                break;
            }
            let Some(header) = self.next_header(registers) else { break };
            let Ok(frame) = self.copy(header) else { break };
            frames.extend(frame);
            let length = size_of::<u32>() + usize::from(header.length());
            self.next = (self.next + length.next_multiple_of(4)) % BUFFER;
            registers.write16(CAPR, (self.next as u16).wrapping_sub(CAPR_LAG));
        }
    }

    fn is_lost(&self) -> bool {
        self.lost
    }

    fn reset(&mut self) -> usize {
        let unsent = self.given.len();
        self.given.clear();
        (self.oldest, self.next, self.lost) = (0, 0, false);
        unsent
    }

    fn collect(&mut self, statistics: &mut Statistics) {
        let counted = std::mem::take(&mut self.counted);
        statistics.rx_errors += counted.rx_errors;
        statistics.rx_length_errors += counted.rx_length_errors;
        statistics.collisions += counted.collisions;
        statistics.tx_aborted_errors += counted.tx_aborted_errors;
        statistics.tx_carrier_errors += counted.tx_carrier_errors;
        statistics.tx_window_errors += counted.tx_window_errors;
        statistics.tx_fifo_errors += counted.tx_fifo_errors;
    }
}

/// Counts what has happened to a frame on its way.
fn count(status: Tsd, counted: &mut Statistics) {
    counted.collisions += u64::from(status.ncc());
    counted.tx_aborted_errors += u64::from(status.tabt());
    counted.tx_carrier_errors += u64::from(status.crs());
    counted.tx_window_errors += u64::from(status.owc());
    counted.tx_fifo_errors += u64::from(status.tun());
}
