//! Which descriptors of a virtqueue the device owns (virtio 1.2, 2.7 and 2.8).
//!
//! No registers, no memory, no system: this only keeps account. What the device says that it has used is held against
//! this account, so a lie is found out.

#[cfg(test)]
mod tests;

/// What the device said that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// It has used more chains than it had.
    #[error("it has used {used} descriptor chains and had {owned}")]
    Count {
        /// How many it says.
        used: u16,
        /// How many it had.
        owned: u16,
    },
    /// It has used a chain that it did not have.
    #[error("it has used descriptor chain {0}, which it did not have")]
    Chain(u32),
}

/// The descriptors of a virtqueue, in chains that the device owns or free. With each chain it keeps what the device was
/// given there, until the device has used it, in whatever order.
#[derive(Debug)]
pub struct Ring<T> {
    /// For each descriptor that a chain begins with: what was given, and with how many descriptors.
    chains: Vec<Option<(T, u16)>>,
    /// For each descriptor the one that follows, in its chain or among the free ones.
    next: Vec<u16>,
    /// The first of the free ones, and how many there are.
    free: u16,
    room: u16,
    owned: u16,
    available: u16,
    used: u16,
}

impl<T> Ring<T> {
    /// A ring of `entries` descriptors (fewer than 2^16), all free.
    pub fn new(entries: u16) -> Self {
        Self {
            chains: std::iter::repeat_with(|| None).take(entries.into()).collect(),
            next: (1..=entries).collect(),
            free: 0,
            room: entries,
            owned: 0,
            available: 0,
            used: 0,
        }
    }

    /// How many descriptors are free.
    pub fn room(&self) -> usize {
        self.room.into()
    }

    /// How many chains the device owns.
    pub fn owned(&self) -> u16 {
        self.owned
    }

    /// How many chains were given so far, modulo 2^16: the available ring's `idx`.
    pub fn available(&self) -> u16 {
        self.available
    }

    /// How many chains were taken back so far, modulo 2^16: what the used ring's `idx` was.
    pub fn used(&self) -> u16 {
        self.used
    }

    /// Gives the device a chain of `count` descriptors (at least 1); the first of them. It is the caller's again if there
    /// are not so many.
    #[inline]
    pub fn give(&mut self, what: T, count: u16) -> Result<u16, T> {
        let head = self.free;
        let is_possible = count > 0 && count <= self.room;
        let Some(slot) = self.chains.get_mut(usize::from(head)).filter(|_| is_possible) else {
            return Err(what);
        };
        *slot = Some((what, count));
        for _ in 0..count {
            self.free = self.next(self.free).unwrap_or_default();
        }
        self.room -= count;
        self.owned += 1;
        self.available = self.available.wrapping_add(1);
        Ok(head)
    }

    /// The descriptor that follows `descriptor` in a chain that goes on.
    pub fn next(&self, descriptor: u16) -> Option<u16> {
        self.next.get(usize::from(descriptor)).copied()
    }

    /// How many chains the device has used that were not taken back, if the used ring's `idx` is `index`.
    pub fn pending(&self, index: u16) -> Result<u16, Lie> {
        let used = index.wrapping_sub(self.used);
        if used > self.owned { Err(Lie::Count { used, owned: self.owned }) } else { Ok(used) }
    }

    /// How many descriptors the chain has that the device calls `id`, if it has one.
    pub fn count(&self, id: u32) -> Option<u16> {
        let chain = self.chains.get(usize::try_from(id).ok()?)?.as_ref();
        chain.map(|(_, count)| *count)
    }

    /// Takes back the chain that begins with descriptor `id`, as the device says: what was given, and with how many
    /// descriptors.
    #[inline]
    pub fn take(&mut self, id: u32) -> Result<(T, u16), Lie> {
        let head = u16::try_from(id).map_err(|_| Lie::Chain(id))?;
        let chain = self.chains.get_mut(usize::from(head)).and_then(Option::take);
        let (what, count) = chain.ok_or(Lie::Chain(id))?;
        let mut last = head;
        for _ in 1..count {
            last = self.next(last).unwrap_or_default();
        }
        if let Some(link) = self.next.get_mut(usize::from(last)) {
            *link = std::mem::replace(&mut self.free, head);
        }
        self.room += count;
        self.owned -= 1;
        self.used = self.used.wrapping_add(1);
        Ok((what, count))
    }
}
