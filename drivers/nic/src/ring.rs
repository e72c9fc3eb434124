//! Which entries of a descriptor ring the device owns.
//!
//! No registers, no memory, no system: this only keeps account. The device is never asked what it owns, so it
//! cannot lie about it.

use std::collections::VecDeque;

/// A ring of which the device owns a contiguous part, from the oldest entry up to the tail. With each entry it
/// keeps what the device was given there, until the device is done with it.
///
/// One entry always stays the driver's: where a device goes by head and tail, they would be equal for a full ring
/// and for an empty one (8254x SDM, 3.2.6 and 3.4).
#[derive(Debug)]
pub struct Ring<T> {
    owned: VecDeque<T>,
    oldest: usize,
    entries: usize,
}

impl<T> Ring<T> {
    /// A ring of `entries` entries, all the driver's.
    pub fn new(entries: usize) -> Self {
        Self { owned: VecDeque::with_capacity(entries), oldest: 0, entries }
    }

    /// How many entries the driver can give.
    pub fn room(&self) -> usize {
        self.entries.saturating_sub(1 + self.owned.len())
    }

    /// The entry that is given next: the value for the tail register.
    pub fn tail(&self) -> usize {
        self.wrapped(self.oldest + self.owned.len())
    }

    /// The entry that is given after `count` others.
    pub fn ahead(&self, count: usize) -> usize {
        self.wrapped(self.tail() + count)
    }

    /// The entry that the device owns behind `count` older ones, if it owns as many.
    pub fn behind(&self, count: usize) -> Option<usize> {
        (count < self.owned.len()).then(|| self.wrapped(self.oldest + count))
    }

    /// Gives the entry at the tail to the device. It is the caller's again if there is no room.
    #[inline]
    pub fn give(&mut self, what: T) -> Result<(), T> {
        if self.room() == 0 {
            return Err(what);
        }
        self.owned.push_back(what);
        Ok(())
    }

    /// The oldest entry that the device owns.
    pub fn oldest(&self) -> Option<usize> {
        (!self.owned.is_empty()).then_some(self.oldest)
    }

    /// What the device owns, oldest first, with the numbers of the entries.
    pub fn owned(&self) -> impl ExactSizeIterator<Item = (usize, &T)> {
        self.owned.iter().enumerate().map(|(index, what)| (self.wrapped(self.oldest + index), what))
    }

    /// Takes the oldest entry back.
    pub fn take(&mut self) -> Option<T> {
        let what = self.owned.pop_front()?;
        self.oldest = self.wrapped(self.oldest + 1);
        Some(what)
    }

    /// Takes all back and begins again at entry 0, as the device does after its head and tail are cleared.
    pub fn reset(&mut self) -> impl Iterator<Item = T> {
        self.oldest = 0;
        self.owned.drain(..)
    }

    /// The entry with this number, of less than two rounds. A division would cost more than all else here.
    fn wrapped(&self, number: usize) -> usize {
        number.checked_sub(self.entries).unwrap_or(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_entry_always_stays_the_drivers() {
        let mut ring = Ring::new(4);
        for what in 0..3 {
            assert_eq!(ring.give(what), Ok(()));
        }
        assert_eq!(ring.room(), 0);
        assert_eq!(ring.give(3), Err(3));
        assert_eq!((ring.oldest(), ring.tail()), (Some(0), 3));
    }

    #[test]
    fn entries_come_back_in_order_and_the_ring_wraps() {
        let mut ring = Ring::new(4);
        for what in 0..1000 {
            assert_eq!(ring.tail(), what % 4);
            assert_eq!(ring.give(what), Ok(()));
            assert_eq!(ring.oldest(), Some(what % 4));
            assert_eq!(ring.take(), Some(what));
        }
        assert_eq!((ring.take(), ring.oldest()), (None, None));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Give(u32),
        Take,
        Reset,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![6 => any::<u32>().prop_map(Step::Give), 5 => Just(Step::Take), 1 => Just(Step::Reset)]
    }

    proptest! {
        #[test]
        fn it_is_a_bounded_queue_with_numbered_places(
            entries in 2usize..20,
            steps in prop::collection::vec(step(), 0..200),
        ) {
            let mut ring = Ring::new(entries);
            let mut model: VecDeque<(usize, u32)> = VecDeque::new();
            let mut next = 0;
            for step in steps {
                match step {
                    Step::Give(what) if model.len() == entries - 1 => prop_assert_eq!(ring.give(what), Err(what)),
                    Step::Give(what) => {
                        prop_assert_eq!(ring.give(what), Ok(()));
                        model.push_back((next, what));
                        next = (next + 1) % entries;
                    }
                    Step::Take => prop_assert_eq!(ring.take(), model.pop_front().map(|(_, what)| what)),
                    Step::Reset => {
                        let expected: Vec<u32> = model.drain(..).map(|(_, what)| what).collect();
                        prop_assert_eq!(ring.reset().collect::<Vec<_>>(), expected);
                        next = 0;
                    }
                }
                prop_assert_eq!(ring.tail(), next);
                prop_assert_eq!(ring.room(), entries - 1 - model.len());
                prop_assert!(ring.owned().map(|(place, &what)| (place, what)).eq(model.iter().copied()));
                prop_assert_eq!(ring.oldest(), model.front().map(|&(place, _)| place));
                let count = model.len() / 2;
                prop_assert_eq!(ring.behind(count), model.get(count).map(|&(place, _)| place));
                prop_assert_eq!(ring.ahead(entries - 1), (next + entries - 1) % entries);
            }
        }
    }
}
