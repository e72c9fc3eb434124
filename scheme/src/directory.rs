//! Directory listings of schemes.

use crate::{DirentBuf, DirentKind, Result};

/// Fills `buf` with `entries` from the one numbered `offset` on, as much as fits: the whole of a `getdents`.
pub fn list<'buf, N: AsRef<str>>(
    _buf: DirentBuf<&'buf mut [u8]>,
    _offset: u64,
    _entries: impl Iterator<Item = (N, DirentKind)>,
) -> Result<DirentBuf<&'buf mut [u8]>> {
    todo!()
}
