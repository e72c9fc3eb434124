//! An 8254x, from the other side of its registers.

use hw::InterruptKind;

use super::context::Context;
use super::controller::{Controller, Kind};
use super::extended;

/// The device that the shared tests are about.
pub type Card = Controller<E1000>;

/// An 82540EM.
pub struct E1000;

impl Kind for E1000 {
    type Family = e1000::E1000;

    const DEVICE: u16 = 0x100e;
    const LATE_EERD: bool = false;
    const MESSAGES: &'static [InterruptKind] = &[];

    /// Length, checksum, status (DD, EOP, IXSM), errors, special: 3.2.3.
    fn filled(_card: &Card, length: u16, last: bool) -> [u8; 8] {
        let [low, high] = length.to_le_bytes();
        [low, high, 0, 0, if last { 1 | 2 | 4 } else { 1 }, 0, 0, 0]
    }

    const STATUS_AND_ERRORS: [usize; 2] = [4, 5];

    /// 3.3.6.
    fn context(words: [u64; 2]) -> Option<Context> {
        extended::context(words)
    }

    fn tag(_context: [u64; 2], word: u64) -> u16 {
        (word >> 48) as u16
    }

    /// 3.3.7.
    fn command(word: u64) -> (u16, u8) {
        let (kind, command) = (word >> 20 & 0xf, (word >> 24) as u8);
        assert_eq!((kind, command & 0x20), (1, 0x20), "an extended descriptor with data");
        (u16::try_from(word & 0xf_ffff).expect("a buffer is no longer"), command)
    }
}
