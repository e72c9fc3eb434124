//! Handles made by `dup` and not yet opened by those who asked for them.

use std::collections::VecDeque;

use super::files::Opened;
use crate::CallerCtx;

/// How many handles may wait to be opened. A client opens its own at once, so more are leftovers of clients
/// that died in between.
const MOST: usize = 64;

/// What the name of a handle that waits begins with; its token follows in hexadecimal. No path of a scheme is
/// spelt so, since `du` are no hexadecimal digits.
const NAME_PREFIX: &str = "%dup.";

/// A handle that one thread may open, under a name made of its token.
#[derive(Debug)]
struct Unclaimed {
    token: u64,
    opened: Opened,
    /// The open file that it was made from.
    parent: u64,
    pid: usize,
    uid: u32,
}

/// The handles that wait.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    unclaimed: VecDeque<Unclaimed>,
    last: u64,
}

/// The name under which the handle of `token` is opened, in the scheme's root.
pub(super) fn name(token: u64) -> String {
    format!("{NAME_PREFIX}{token:x}")
}

/// The token that `name` is made of, if it is such a name.
pub(super) fn from_name(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_prefix(NAME_PREFIX)?, 16).ok()
}

impl Tokens {
    /// Keeps `opened`, made from the open file `parent`, for `caller`. Gives its token, and a handle that
    /// nobody came for.
    pub(super) fn add(&mut self, opened: Opened, parent: u64, caller: &CallerCtx) -> (u64, Option<usize>) {
        self.last += 1;
        let (token, pid, uid) = (self.last, caller.pid, caller.uid);
        self.unclaimed.push_back(Unclaimed { token, opened, parent, pid, uid });
        let surplus = if self.unclaimed.len() > MOST { self.unclaimed.pop_front() } else { None };
        (token, surplus.map(|unclaimed| unclaimed.opened.handle))
    }

    /// Whether the handle of `token` waits for `caller`.
    pub(super) fn is_for(&self, token: u64, caller: &CallerCtx) -> bool {
        self.position(token, caller).is_some()
    }

    /// Takes the handle of `token`, if it waits for `caller`.
    pub(super) fn claim(&mut self, token: u64, caller: &CallerCtx) -> Option<Opened> {
        let position = self.position(token, caller)?;
        self.unclaimed.remove(position).map(|unclaimed| unclaimed.opened)
    }

    /// Takes the handles made from the open file `parent`, which is closed.
    pub(super) fn abandon(&mut self, parent: u64) -> Vec<usize> {
        let all = std::mem::take(&mut self.unclaimed);
        let (gone, kept): (Vec<_>, VecDeque<_>) =
            all.into_iter().fold(Default::default(), |mut split, entry| {
                if entry.parent == parent {
                    split.0.push(entry)
                } else {
                    split.1.push_back(entry)
                }
                split
            });
        self.unclaimed = kept;
        gone.into_iter().map(|unclaimed| unclaimed.opened.handle).collect()
    }

    fn position(&self, token: u64, caller: &CallerCtx) -> Option<usize> {
        let theirs = |entry: &Unclaimed| entry.pid == caller.pid && entry.uid == caller.uid;
        self.unclaimed.iter().position(|entry| entry.token == token && theirs(entry))
    }
}
