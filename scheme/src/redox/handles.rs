//! What the server must know of the handles that it serves, since not every request carries it.

use std::collections::HashMap;

use redox_scheme::OpenResult;
use redox_scheme::scheme::{Op, SchemeResponse};
use syscall::flag::{EventFlags, F_SETFL, O_NONBLOCK};

/// The handles about which there is something to know.
#[derive(Debug, Default)]
pub(super) struct Handles(HashMap<usize, Handle>);

#[derive(Debug, Default)]
struct Handle {
    nonblocking: bool,
    /// What its pollers wait for.
    interest: EventFlags,
}

impl Handles {
    /// Whether the caller of `op` would rather be told that it must wait. A dup or a call does not say; its
    /// handle does.
    pub(super) fn is_nonblocking(&self, op: &Op) -> bool {
        match op {
            Op::Read(_) | Op::Write(_) | Op::OpenAt(_) => op.is_explicitly_nonblock(),
            _ => op.file_id().and_then(|id| self.0.get(&id)).is_some_and(|handle| handle.nonblocking),
        }
    }

    /// What somebody polls `id` for.
    pub(super) fn interest(&self, id: usize) -> EventFlags {
        self.0.get(&id).map_or(EventFlags::empty(), |handle| handle.interest)
    }

    /// Learns from what the scheme answered to `op`.
    pub(super) fn learn(&mut self, op: &Op, response: &SchemeResponse) {
        match (op, response) {
            (Op::OpenAt(open), SchemeResponse::Opened(Ok(OpenResult::ThisScheme { number, .. }))) => {
                let flags = *open.flags() | open.fcntl_flags as usize;
                self.set_nonblocking(*number, flags & O_NONBLOCK != 0);
            }
            // The kernel copies the flags of a handle to those made of it.
            (Op::Dup(dup), SchemeResponse::Opened(Ok(OpenResult::ThisScheme { number, .. }))) => {
                let nonblocking = self.0.get(&dup.fd).is_some_and(|handle| handle.nonblocking);
                self.set_nonblocking(*number, nonblocking);
            }
            (&Op::Fcntl { fd, cmd: F_SETFL, arg, .. }, SchemeResponse::Regular(Ok(_))) => {
                self.set_nonblocking(fd, arg & O_NONBLOCK != 0);
            }
            (&Op::Fevent { fd, req_flags, .. }, SchemeResponse::Regular(Ok(_))) => {
                self.0.entry(fd).or_default().interest = req_flags;
            }
            _ => {}
        }
    }

    /// Forgets a closed handle.
    pub(super) fn close(&mut self, id: usize) {
        self.0.remove(&id);
    }

    fn set_nonblocking(&mut self, id: usize, nonblocking: bool) {
        if nonblocking {
            self.0.entry(id).or_default().nonblocking = true;
        } else if let Some(handle) = self.0.get_mut(&id) {
            handle.nonblocking = false;
        }
    }
}
