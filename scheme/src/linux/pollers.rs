//! Who waits for which handle to become ready.

use std::collections::HashMap;

use crate::EventFlags;

/// The kernel's poll handles, by the scheme's handle that they wait for.
///
/// A wait ends with its first edge: the kernel polls again, and says then whether somebody waits on.
/// So a busy handle costs one wake per look at it, however often it changes.
#[derive(Debug, Default)]
pub(super) struct Pollers {
    waiting: HashMap<usize, Vec<(u64, EventFlags)>>,
}

impl Pollers {
    /// The file with poll handle `kh` waits for one of `interest` on `handle`.
    pub(super) fn add(&mut self, handle: usize, kh: u64, interest: EventFlags) {
        let waiting = self.waiting.entry(handle).or_default();
        match waiting.iter_mut().find(|(known, _)| *known == kh) {
            Some((_, known)) => *known |= interest,
            None => waiting.push((kh, interest)),
        }
    }

    /// Takes out the poll handles that an edge of `flags` on `handle` wakes.
    pub(super) fn wake(&mut self, handle: usize, flags: EventFlags, mut wake: impl FnMut(u64)) {
        self.keep(handle, |kh, interest| {
            let stays = !interest.intersects(flags);
            if !stays {
                wake(kh);
            }
            stays
        });
    }

    /// Forgets the closed file with poll handle `kh`.
    pub(super) fn remove(&mut self, handle: usize, kh: u64) {
        self.keep(handle, |known, _| known != kh);
    }

    fn keep(&mut self, handle: usize, mut stays: impl FnMut(u64, EventFlags) -> bool) {
        let Some(waiting) = self.waiting.get_mut(&handle) else { return };
        waiting.retain(|&(kh, interest)| stays(kh, interest));
        if waiting.is_empty() {
            self.waiting.remove(&handle);
        }
    }
}
