//! Which entries of a descriptor ring the device owns.
//!
//! No registers, no memory, no system: this only keeps account. The device is never asked what it owns, so it
//! cannot lie about it.

/// The entries of a ring of which the device owns a contiguous part, from the oldest entry up to the tail.
///
/// One entry always stays the driver's: where a device goes by head and tail, they would be equal for a full ring
/// and for an empty one (8254x SDM, 3.2.6 and 3.4).
#[derive(Debug)]
pub struct Entries {
    /// The first that the device owns, if it owns any.
    oldest: usize,
    /// The first that it does not.
    tail: usize,
    owned: usize,
    size: usize,
}

impl Entries {
    /// A ring of `size` entries, all the driver's.
    pub fn new(size: usize) -> Self {
        Self { oldest: 0, tail: 0, owned: 0, size }
    }

    /// How many entries the driver can give.
    pub fn room(&self) -> usize {
        self.size.saturating_sub(1 + self.owned)
    }

    /// How many entries the device owns.
    pub fn owned(&self) -> usize {
        self.owned
    }

    /// The entry that is given next: the value for the tail register.
    pub fn tail(&self) -> usize {
        self.tail
    }

    /// The oldest entry that the device owns.
    pub fn oldest(&self) -> Option<usize> {
        (self.owned > 0).then_some(self.oldest)
    }

    /// The entry that the device owns behind `count` older ones, if it owns as many.
    pub fn behind(&self, count: usize) -> Option<usize> {
        (count < self.owned).then(|| self.after(self.oldest, count))
    }

    /// The entry `count` after this one; there are more in the ring.
    fn after(&self, entry: usize, count: usize) -> usize {
        // A division would cost more than all else here.
        let entry = entry + count;
        if entry < self.size { entry } else { entry - self.size }
    }

    /// The entry after this one.
    fn next(&self, entry: usize) -> usize {
        let next = entry.wrapping_add(1);
        if next == self.size { 0 } else { next }
    }

    /// Gives the entry at the tail to the device, if there is room, and says which that was.
    #[inline]
    pub fn give(&mut self) -> Option<usize> {
        self.give_if(|_| Some(())).map(|(entry, ())| entry)
    }

    /// The same, if something is made for the entry, which is told, too.
    #[inline]
    fn give_if<T>(&mut self, make: impl FnOnce(usize) -> Option<T>) -> Option<(usize, T)> {
        let given = self.tail;
        let made = if self.room() > 0 { make(given)? } else { return None };
        self.tail = self.next(given);
        self.owned += 1;
        Some((given, made))
    }

    /// Takes the oldest entry back.
    #[inline]
    fn take_one(&mut self) {
        self.oldest = self.next(self.oldest);
        self.owned = self.owned.saturating_sub(1);
    }

    /// Takes the `count` oldest entries back, or all if there are less.
    #[inline]
    pub fn take(&mut self, count: usize) {
        let count = count.min(self.owned);
        self.oldest = self.after(self.oldest, count);
        self.owned -= count;
    }

    /// Takes all back and begins again at entry 0, as the device does after its head and tail are cleared.
    pub fn reset(&mut self) {
        *self = Self::new(self.size);
    }
}

/// The entries of a ring, and with each what the device was given there, until it is done with it.
#[derive(Debug)]
pub struct Ring<T> {
    entries: Entries,
    owned: Box<[Option<T>]>,
}

impl<T> Ring<T> {
    /// A ring of `size` entries, all the driver's.
    pub fn new(size: usize) -> Self {
        Self { entries: Entries::new(size), owned: (0..size).map(|_| None).collect() }
    }

    /// How many entries the driver can give.
    pub fn room(&self) -> usize {
        self.entries.room()
    }

    /// The entry that is given next: the value for the tail register.
    pub fn tail(&self) -> usize {
        self.entries.tail()
    }

    /// Gives the entry at the tail to the device. It is the caller's again if there is no room.
    #[inline]
    pub fn give(&mut self, what: T) -> Result<(), T> {
        if self.room() == 0 {
            return Err(what);
        }
        self.give_made(|_| Some(what));
        Ok(())
    }

    /// Gives the entry at the tail to the device, with what `make` makes for it. `false`, if that is nothing, or if there is no
    /// room for it.
    #[inline]
    pub fn give_made(&mut self, make: impl FnOnce(usize) -> Option<T>) -> bool {
        let Some(made) = self.entries.give_if(make) else { return false };
        let (entry, what) = made;
        if let Some(place) = self.owned.get_mut(entry) {
            *place = Some(what);
        }
        true
    }

    /// The oldest entry that the device owns.
    pub fn oldest(&self) -> Option<usize> {
        self.entries.oldest()
    }

    /// Takes the oldest entry back.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.take_done(|_| Some(())).map(|(what, ())| what)
    }

    /// Takes the oldest entry back, if `done` says something of it; with that.
    #[inline]
    pub fn take_done<D>(&mut self, done: impl FnOnce(usize) -> Option<D>) -> Option<(T, D)> {
        let oldest = self.entries.oldest()?;
        let place = self.owned.get_mut(oldest)?;
        let done = done(oldest)?;
        let what = place.take()?;
        self.entries.take_one();
        Some((what, done))
    }

    /// Takes all back and begins again at entry 0, as the device does after its head and tail are cleared.
    pub fn reset(&mut self) -> impl Iterator<Item = T> {
        let all: Vec<T> = std::iter::from_fn(|| self.take()).collect();
        self.entries.reset();
        all.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

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

    #[test]
    fn several_entries_come_back_at_once() {
        let mut entries = Entries::new(8);
        for round in 0..100 {
            let given: Vec<_> = (0..5).filter_map(|_| entries.give()).collect();
            assert_eq!(given, (0..5).map(|count| (5 * round + count) % 8).collect::<Vec<_>>());
            entries.take(3);
            assert_eq!((entries.owned(), entries.oldest()), (2, Some(given[3])));
            entries.take(100);
            assert_eq!((entries.owned(), entries.oldest(), entries.room()), (0, None, 7));
        }
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
                let owned = (0..).map_while(|count| ring.entries.behind(count));
                prop_assert!(owned.eq(model.iter().map(|&(place, _)| place)));
                prop_assert_eq!(ring.oldest(), model.front().map(|&(place, _)| place));
            }
        }
    }
}
