//! Text nodes: a snapshot that is read in pieces.

use crate::Result;

/// Copies the part of `text` that begins at `offset` into `buf`, as much as fits; 0 at the end.
pub fn read_at(text: &[u8], buf: &mut [u8], offset: u64) -> Result<usize> {
    let rest = usize::try_from(offset).ok().and_then(|start| text.get(start..)).unwrap_or_default();
    let count = rest.len().min(buf.len());
    buf[..count].copy_from_slice(&rest[..count]);
    Ok(count)
}
