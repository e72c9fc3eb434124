//! Which descriptors of a split virtqueue the device owns (virtio 1.2, 2.7).
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
    /// For each descriptor in a chain but the last: the one that follows.
    next: Vec<u16>,
    free: Vec<u16>,
    owned: u16,
    available: u16,
    used: u16,
}

impl<T> Ring<T> {
    /// A ring of `entries` descriptors, all free.
    pub fn new(entries: u16) -> Self {
        Self {
            chains: std::iter::repeat_with(|| None).take(entries.into()).collect(),
            next: vec![0; entries.into()],
            free: (0..entries).rev().collect(),
            owned: 0,
            available: 0,
            used: 0,
        }
    }

    /// How many descriptors there are.
    pub fn entries(&self) -> u16 {
        self.next.len() as u16
    }

    /// How many descriptors are free.
    pub fn room(&self) -> usize {
        self.free.len()
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
    pub fn give(&mut self, what: T, count: u16) -> Result<u16, T> {
        let first_taken = self.free.len().checked_sub(count.into());
        let (Some(first_taken), Some(&head)) = (first_taken.filter(|_| count > 0), self.free.last()) else {
            return Err(what);
        };
        let Some(slot) = self.chains.get_mut(usize::from(head)) else { return Err(what) };
        *slot = Some((what, count));
        let mut previous = None;
        for descriptor in self.free.drain(first_taken..).rev() {
            if let Some(link) = previous.and_then(|previous: u16| self.next.get_mut(usize::from(previous))) {
                *link = descriptor;
            }
            previous = Some(descriptor);
        }
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

    /// Takes back the chain that begins with descriptor `id`, as an element of the used ring says.
    pub fn take(&mut self, id: u32) -> Result<T, Lie> {
        let head = u16::try_from(id).map_err(|_| Lie::Chain(id))?;
        let chain = self.chains.get_mut(usize::from(head)).and_then(Option::take);
        let (what, count) = chain.ok_or(Lie::Chain(id))?;
        self.owned -= 1;
        self.used = self.used.wrapping_add(1);
        let mut descriptor = Some(head);
        for _ in 0..count {
            self.free.extend(descriptor);
            descriptor = descriptor.and_then(|descriptor| self.next(descriptor));
        }
        Ok(what)
    }
}
