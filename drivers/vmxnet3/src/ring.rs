//! Rings whose entries tell by a bit, the generation, in which round they were written: what the device has not reached
//! yet carries the bit of the round before.

use hw::dma::Region;
use nic::ring::Ring;

use crate::descriptors;

/// Descriptors that the driver gives to the device, each with what it keeps of it.
pub struct Commands<T> {
    ring: Ring<T>,
    memory: Region,
    /// The bit of the round that the tail is in.
    generation: bool,
}

impl<T> Commands<T> {
    /// A ring in `memory`.
    pub fn new(memory: Region) -> Self {
        let ring = Ring::new(memory.size() / descriptors::SIZE);
        Self { ring, memory, generation: true }
    }

    /// Where the device finds the ring, and how many entries it has.
    pub fn location(&self) -> (u64, u32) {
        (self.memory.bus_address(), (self.memory.size() / descriptors::SIZE) as u32)
    }

    /// How many entries the driver can give.
    pub fn room(&self) -> usize {
        self.ring.room()
    }

    /// The entry that is given next.
    pub fn tail(&self) -> usize {
        self.ring.tail()
    }

    /// The bit of the entry that is given next.
    pub fn generation(&self) -> bool {
        self.generation
    }

    /// Gives the device the entry at the tail: the two words of it, in the order that shows it the generation last.
    pub fn give(&mut self, what: T, address: u64, word: u64) {
        let at = self.ring.tail() * descriptors::SIZE;
        if self.ring.give(what).is_ok() {
            self.memory.write_word(at, address);
            self.memory.write_word(at + 8, word);
            self.generation ^= self.ring.tail() == 0;
        }
    }

    /// Writes the second word of entry `place` again.
    pub fn rewrite(&self, place: usize, word: u64) {
        self.memory.write_word(place * descriptors::SIZE + 8, word);
    }

    /// The oldest entry that the device owns.
    pub fn oldest(&self) -> Option<usize> {
        self.ring.oldest()
    }

    /// Takes the oldest entry back.
    pub fn take(&mut self) -> Option<T> {
        self.ring.take()
    }

    /// Takes all back and begins the first round again, after the device was made quiet.
    pub fn reset(&mut self) {
        self.ring.reset().for_each(drop);
        self.generation = true;
        clear(&self.memory);
    }
}

/// Descriptors by which the device says what it is done with.
pub struct Completions {
    memory: Region,
    next: usize,
    /// The bit of the round that `next` is in.
    generation: bool,
}

impl Completions {
    /// A ring in `memory`.
    pub fn new(memory: Region) -> Self {
        Self { memory, next: 0, generation: true }
    }

    /// Where the device finds the ring, and how many entries it has.
    pub fn location(&self) -> (u64, u32) {
        (self.memory.bus_address(), (self.memory.size() / descriptors::SIZE) as u32)
    }

    /// The next completion's two words, if the device has written it.
    pub fn peek(&self) -> Option<(u64, u64)> {
        let at = self.next * descriptors::SIZE;
        let second = self.memory.read_word(at + 8)?;
        if (second >> 63 == 1) != self.generation {
            return None;
        }
        self.memory.read_word(at).map(|first| (first, second))
    }

    /// Takes the next completion.
    pub fn take(&mut self) -> Option<(u64, u64)> {
        let words = self.peek()?;
        self.next += 1;
        if self.next * descriptors::SIZE == self.memory.size() {
            self.next = 0;
            self.generation = !self.generation;
        }
        Some(words)
    }

    /// Begins the first round again, after the device was made quiet.
    pub fn reset(&mut self) {
        self.next = 0;
        self.generation = true;
        clear(&self.memory);
    }
}

/// Nothing of an earlier life must look like a descriptor of the first round.
fn clear(memory: &Region) {
    for at in (0..memory.size()).step_by(8) {
        memory.write_word(at, 0);
    }
}
