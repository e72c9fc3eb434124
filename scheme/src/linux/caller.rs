//! Who makes a request, as a scheme is told.

use redox_scheme::Id;
use redox_scheme::scheme::{IntoTag, Op};
use syscall::schemev2::{Opcode, Sqe};

use super::abi::InHeader;
use crate::errno::EIO;
use crate::{CallerCtx, Error, Result};

/// The caller of the request with `header`. Linux tells the thread's number for its `pid`, which for the first
/// thread of a process is the process's.
pub(super) fn context(header: &InHeader) -> Result<CallerCtx> {
    let id = request_id(header.unique).ok_or(Error::new(EIO))?;
    Ok(CallerCtx { pid: header.pid as usize, uid: header.uid, gid: header.gid, id })
}

/// An id that names a request and its later retries. Only a submission queue entry can make one.
fn request_id(unique: u64) -> Option<Id> {
    // The kernel counts up in steps of two; the same id comes again after four thousand million requests.
    let entry = Sqe { opcode: Opcode::Fsync as u8, tag: (unique >> 1) as u32, ..Sqe::default() };
    // SAFETY: an fsync's entry holds no pointer that could be wrong.
    unsafe { Op::from_sqe_unchecked(&entry) }.map(|op| op.req_id())
}
