//! Numbers that a stranger cannot guess, from a seed given by the caller.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A keyed sequence: SipHash of the seed and a counter.
#[derive(Debug)]
pub struct Random {
    seed: [u64; 2],
    counter: u64,
}

impl Random {
    /// The same seed gives the same numbers; in production it comes from the system's entropy.
    pub fn new(seed: [u64; 2]) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        let mut hasher = DefaultHasher::new();
        for word in [self.seed[0], self.counter, self.seed[1]] {
            hasher.write_u64(word);
        }
        hasher.finish()
    }

    /// A number for `what`, always the same one.
    pub fn keyed(&self, what: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed[0]);
        what.hash(&mut hasher);
        hasher.write_u64(self.seed[1]);
        hasher.finish()
    }

    /// One of `all` that is chosen by `what`; the same one as long as there are the same.
    pub fn one_of<'a, T>(&self, all: &'a [T], what: &impl Hash) -> Option<&'a T> {
        match all {
            [] | [_] => all.first(),
            all => all.get((self.keyed(what) % all.len() as u64) as usize),
        }
    }

    /// The next number, 16 bits of it.
    pub fn next_u16(&mut self) -> u16 {
        (self.next_u64() >> 48) as u16
    }
}
