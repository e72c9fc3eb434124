//! Linux's flags, attributes and directory entries as Redox's, and back.

use std::io;

use syscall::dirent::DirentIter;
use syscall::flag::{
    EventFlags, MODE_DIR, MODE_PERM, MODE_TYPE, O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_FSYNC, O_NOFOLLOW,
    O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY,
};
use zerocopy::IntoBytes;

use super::abi::{Attr, Dirent};
use super::names;
use crate::errno::EIO;
use crate::{Error, Result, Stat};

/// Open flags beside the access mode, Linux's and Redox's.
const OPEN_FLAGS: [(i32, usize); 8] = [
    (libc::O_NONBLOCK, O_NONBLOCK),
    (libc::O_APPEND, O_APPEND),
    (libc::O_SYNC, O_FSYNC),
    (libc::O_CREAT, O_CREAT),
    (libc::O_TRUNC, O_TRUNC),
    (libc::O_EXCL, O_EXCL),
    (libc::O_DIRECTORY, O_DIRECTORY),
    (libc::O_NOFOLLOW, O_NOFOLLOW),
];

/// The flags of an open file that can change, which each of its requests carries on Redox.
const STATUS_FLAGS: usize = O_NONBLOCK | O_APPEND | O_FSYNC;

/// Linux's `O_*` as Redox's; what Redox has no name for is dropped.
pub(super) fn open_flags(linux: u32) -> usize {
    let linux = linux.cast_signed();
    let access = match linux & libc::O_ACCMODE {
        libc::O_RDONLY => O_RDONLY,
        libc::O_WRONLY => O_WRONLY,
        _ => O_RDWR,
    };
    let others = OPEN_FLAGS.iter().filter(|(theirs, _)| linux & theirs == *theirs);
    others.fold(access, |flags, (_, ours)| flags | ours)
}

/// The status flags among Linux's `O_*`, as an operation's `fcntl_flags`.
pub(super) fn status_flags(linux: u32) -> u32 {
    // Redox's flags fit in 32 bits.
    (open_flags(linux) & STATUS_FLAGS) as u32
}

/// Redox's error as the number that goes to the kernel.
pub(super) fn negated(error: Error) -> i32 {
    // The kernel takes a reply with any other number for malformed.
    if (1..512).contains(&error.errno) { -error.errno } else { -EIO }
}

/// The attributes of node `ino`. Whatever is no directory is a plain file: Linux would take a device or a
/// socket away from us.
pub(super) fn attributes(ino: u64, stat: &Stat) -> Attr {
    let kind = if is_directory(stat) { libc::S_IFDIR } else { libc::S_IFREG };
    Attr {
        ino,
        size: stat.st_size,
        blocks: stat.st_blocks,
        atime: stat.st_atime,
        mtime: stat.st_mtime,
        ctime: stat.st_ctime,
        atimensec: stat.st_atime_nsec,
        mtimensec: stat.st_mtime_nsec,
        ctimensec: stat.st_ctime_nsec,
        mode: kind | u32::from(stat.st_mode & MODE_PERM),
        nlink: stat.st_nlink.max(1),
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// Whether `stat` is that of a directory.
pub(super) fn is_directory(stat: &Stat) -> bool {
    stat.st_mode & MODE_TYPE == MODE_DIR
}

/// Whether the permission bits of `stat` give `uid` and `gid` what `mask` (`R_OK | W_OK | X_OK`) asks for.
pub(super) fn may_access(stat: &Stat, uid: u32, gid: u32, mask: u32) -> bool {
    let shift = match () {
        () if uid == stat.st_uid => 6,
        () if gid == stat.st_gid => 3,
        () => 0,
    };
    let granted = u32::from(stat.st_mode) >> shift;
    uid == 0 || mask & !granted & 0o7 == 0
}

/// `poll`'s events for Redox's.
pub(super) fn poll_events(flags: EventFlags) -> u32 {
    let read = if flags.contains(EventFlags::EVENT_READ) { libc::POLLIN | libc::POLLRDNORM } else { 0 };
    let write = if flags.contains(EventFlags::EVENT_WRITE) { libc::POLLOUT | libc::POLLWRNORM } else { 0 };
    u32::from((read | write).cast_unsigned())
}

/// Redox's events for `poll`'s.
pub(super) fn event_flags(poll: u32) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::EVENT_READ, poll & poll_events(EventFlags::EVENT_READ) != 0);
    flags.set(EventFlags::EVENT_WRITE, poll & poll_events(EventFlags::EVENT_WRITE) != 0);
    flags
}

/// A directory listing in the kernel's form, as much of it as fits.
///
/// The offsets 1 and 2 follow the two entries that every Linux directory has; a scheme's own are moved up
/// by as much.
pub(super) struct Listing<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl<'a> Listing<'a> {
    /// How far a scheme's offsets are moved.
    pub(super) const OWN_ENTRIES: u64 = 2;

    /// An empty listing in `buffer`.
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, length: 0 }
    }

    /// Adds `.` and `..` where `offset` is before them; `node` is the directory's.
    pub(super) fn own_entries(&mut self, node: u64, offset: u64) {
        for (after, name) in [(1, "."), (2, "..")] {
            if offset < after {
                self.entry(node, after, name, u32::from(libc::DT_DIR));
            }
        }
    }

    /// Adds the entries that a scheme wrote into a `DirentBuf` over `bytes`.
    pub(super) fn scheme_entries(&mut self, bytes: &[u8]) -> Result<()> {
        for entry in DirentIter::new(bytes) {
            let (header, name) = entry.map_err(|_| Error::new(EIO))?;
            let next = header.next_opaque_id.checked_add(Self::OWN_ENTRIES);
            let next = next.filter(|&next| i64::try_from(next).is_ok()).ok_or(Error::new(EIO))?;
            let name = std::str::from_utf8(name).map_err(|_| Error::new(EIO))?;
            // The padding behind a name is told with it.
            let name = name.trim_end_matches('\0');
            if !self.entry(header.inode.max(1), next, &names::encode(name), u32::from(header.kind)) {
                break;
            }
        }
        Ok(())
    }

    /// How many bytes the listing has.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Adds one entry; false if there is no room. Linux's `DT_*` and Redox's kinds are the same numbers.
    fn entry(&mut self, ino: u64, off: u64, name: &str, kind: u32) -> bool {
        let end = self.length + (size_of::<Dirent>() + name.len()).next_multiple_of(8);
        let Some(room) = self.buffer.get_mut(self.length..end) else { return false };
        let Ok(namelen) = u32::try_from(name.len()) else { return false };
        let (head, rest) = room.split_at_mut(size_of::<Dirent>());
        head.copy_from_slice(Dirent { ino, off, namelen, kind }.as_bytes());
        let (text, padding) = rest.split_at_mut(name.len());
        text.copy_from_slice(name.as_bytes());
        padding.fill(0);
        self.length = end;
        true
    }
}

/// An error number of Redox's as an `io::Error`; the numbers are the same.
pub(super) fn io_error(error: Error) -> io::Error {
    io::Error::from_raw_os_error(error.errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_flags_become_redoxs() {
        let flags = |linux: i32| open_flags(linux.cast_unsigned());
        assert_eq!(flags(libc::O_RDONLY), O_RDONLY);
        assert_eq!(flags(libc::O_WRONLY | libc::O_TRUNC | libc::O_CREAT), O_WRONLY | O_TRUNC | O_CREAT);
        assert_eq!(flags(libc::O_RDWR | libc::O_NONBLOCK | libc::O_LARGEFILE), O_RDWR | O_NONBLOCK);
        // O_DSYNC is one of O_SYNC's two bits, and O_TMPFILE contains O_DIRECTORY.
        assert_eq!(flags(libc::O_DSYNC), O_RDONLY);
        assert_eq!(status_flags((libc::O_RDWR | libc::O_NONBLOCK).cast_unsigned()), O_NONBLOCK as u32);
    }

    #[test]
    fn only_error_numbers_reach_the_kernel() {
        assert_eq!(negated(Error::new(crate::errno::ENOENT)), -2);
        for wrong in [0, -5, 512, crate::errno::EAGAIN_NOW, i32::MAX, i32::MIN] {
            assert_eq!(negated(Error { errno: wrong }), -EIO);
        }
    }

    #[test]
    fn events_go_both_ways() {
        for flags in [EventFlags::EVENT_READ, EventFlags::EVENT_WRITE, EventFlags::empty()] {
            assert_eq!(event_flags(poll_events(flags)), flags);
        }
    }

    #[test]
    fn access_follows_the_permission_bits() {
        let stat = Stat { st_mode: 0o640, st_uid: 10, st_gid: 20, ..Stat::default() };
        assert!(may_access(&stat, 10, 99, 0o6) && !may_access(&stat, 10, 99, 0o1));
        assert!(may_access(&stat, 99, 20, 0o4) && !may_access(&stat, 99, 20, 0o2));
        assert!(!may_access(&stat, 99, 99, 0o4) && may_access(&stat, 0, 0, 0o7));
    }
}
