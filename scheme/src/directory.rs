//! Directory listings of schemes.

use crate::errno::EINVAL;
use crate::{DirEntry, DirentBuf, DirentKind, Error, Result};

/// Fills `buf` with `entries` from the one numbered `offset` on, as much as fits: the whole of a `getdents`.
/// Fails with `EINVAL` if not even one fits.
pub fn list<N: AsRef<str>>(
    mut buf: DirentBuf<&mut [u8]>,
    offset: u64,
    entries: impl Iterator<Item = (N, DirentKind)>,
) -> Result<DirentBuf<&mut [u8]>> {
    let offset = usize::try_from(offset).map_err(|_| Error::new(EINVAL))?;
    for (index, (name, kind)) in entries.enumerate().skip(offset) {
        let next_opaque_id = index as u64 + 1;
        let entry = DirEntry { inode: next_opaque_id, next_opaque_id, name: name.as_ref(), kind };
        match buf.entry(entry) {
            Ok(()) => {}
            Err(error) if index == offset => return Err(error),
            Err(_) => break,
        }
    }
    Ok(buf)
}

#[cfg(test)]
mod tests {
    use syscall::dirent::{DirentHeader, DirentIter};

    use super::list;
    use crate::{DirentBuf, DirentKind};

    fn names(room: usize, offset: u64) -> Option<Vec<String>> {
        let mut bytes = vec![0; room];
        let header_size = size_of::<DirentHeader>() as u16;
        let buf = DirentBuf::new(bytes.as_mut_slice(), header_size).unwrap();
        let entries = ["mac", "address", "mtu"].map(|name| (name, DirentKind::Regular));
        let length = list(buf, offset, entries.into_iter()).ok()?.finalize();
        let listed = DirentIter::new(&bytes[..length]).map(|entry| entry.unwrap().1.to_vec());
        // The padding behind a name is told with it.
        Some(listed.map(|name| String::from_utf8(name).unwrap().trim_end_matches('\0').to_owned()).collect())
    }

    #[test]
    fn a_listing_goes_on_where_it_stopped() {
        assert_eq!(names(1000, 0).unwrap(), ["mac", "address", "mtu"]);
        assert_eq!(names(60, 0).unwrap(), ["mac", "address"]);
        assert_eq!(names(60, 2).unwrap(), ["mtu"]);
        assert_eq!(names(60, 3).unwrap(), [""; 0]);
        assert_eq!(names(60, u64::MAX).unwrap(), [""; 0]);
    }

    #[test]
    fn no_room_for_one_entry_is_an_error() {
        assert_eq!(names(8, 0), None);
    }
}
