//! Bytes that look random and are the same for the same seed.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// An endless source of bytes (xorshift64*), made from a seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero; the product spreads seeds that are near to each other.
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next number below `limit` (0 if that is 0).
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = limit.max(1) as u64;
        (self.number() % limit) as usize
    }
}

impl Read for Random {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.number().to_le_bytes();
            chunk.copy_from_slice(bytes.get(..chunk.len()).unwrap_or_default());
        }
        Ok(buffer.len())
    }
}

/// Passes bytes on and keeps their number and hash.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    bytes: u64,
    hash: Sha256,
}

impl Sum {
    /// Takes these bytes into account.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// The number of bytes, and their SHA-256 in hexadecimal: `20 0a1b..`.
    pub fn finish(self) -> String {
        let hash: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{} {hash}", self.bytes)
    }
}

/// The sum of the first `bytes` bytes that belong to `seed`.
pub fn sum_of(seed: u64, bytes: u64) -> io::Result<String> {
    let mut sum = Sum::default();
    let mut source = Random::new(seed).take(bytes);
    let mut buffer = [0; 4096];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(sum.finish()),
            count => sum.add(buffer.get(..count).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
        assert_eq!(sum_of(1, 10_000).unwrap(), sum_of(1, 10_000).unwrap());
        assert_ne!(sum_of(1, 10_000).unwrap(), sum_of(2, 10_000).unwrap());
    }

    #[test]
    fn a_sum_is_length_and_sha256() {
        let mut sum = Sum::default();
        sum.add(b"a");
        sum.add(b"bc");
        assert_eq!(sum.finish(), "3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
