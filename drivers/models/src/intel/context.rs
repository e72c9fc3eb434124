//! What a context has done to the frames behind it.

use intel::descriptors::{IXSM, TXSM, Transmit};

use crate::packets::filled_in;
use crate::wire::{Layout, cut};

/// What a context says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// Where the checksum's cover begins.
    pub start: usize,
    /// Where it stands in that.
    pub offset: usize,
    /// What segments are to be made, if any are.
    pub segments: Layout,
}

impl Context {
    /// The frame, or its segments, as they leave, by the second word of the frame's last descriptor.
    pub fn apply<D: Transmit>(&self, frame: Vec<u8>, word: u64) -> Vec<Vec<u8>> {
        if word & D::TSE != 0 {
            assert_eq!(word & TXSM, TXSM, "segments have checksums of their own");
            assert_eq!(word & IXSM != 0, frame[12..14] == [8, 0], "and so have their IPv4 headers");
            cut(&frame, self.segments)
        } else if word & TXSM != 0 {
            vec![filled_in(&frame, self.start, self.offset)]
        } else {
            vec![frame]
        }
    }
}
