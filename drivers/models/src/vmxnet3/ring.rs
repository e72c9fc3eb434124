//! A ring of descriptors, or of completions.

/// A ring of descriptors, from the device's end.
#[derive(Clone, Copy, Default)]
pub(super) struct Ring {
    /// Where it is in memory.
    pub(super) base: u64,
    /// How many descriptors it has.
    pub(super) entries: u64,
    /// The descriptor that comes next.
    pub(super) next: u64,
    /// The bit of the round before, inverted.
    second_round: bool,
}

impl Ring {
    /// A ring whose first round begins.
    pub(super) fn new(base: u64, entries: u32) -> Self {
        Self { base, entries: entries.into(), next: 0, second_round: false }
    }

    /// Where the next descriptor is in memory.
    pub(super) fn at(&self) -> u64 {
        self.base + self.next * 16
    }

    /// The generation bit of this round.
    pub(super) fn generation(&self) -> u64 {
        u64::from(!self.second_round)
    }

    /// To the next descriptor; after the last one, to the first of the next round.
    pub(super) fn advance(&mut self) {
        self.next += 1;
        if self.next == self.entries {
            self.next = 0;
            self.second_round = !self.second_round;
        }
    }
}
