//! The FUSE protocol's structures and numbers, as `linux/fuse.h` (version 7.38) has them.
//!
//! Each structure's name is the header's without `fuse_`, each field's name is the header's.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `FUSE_KERNEL_VERSION`.
pub(super) const MAJOR: u32 = 7;
/// `FUSE_KERNEL_MINOR_VERSION`: the newest that these structures describe.
pub(super) const MINOR: u32 = 38;
/// The oldest minor version with all that the server uses (`FOPEN_STREAM`), that of Linux 5.2.
pub(super) const OLDEST_MINOR: u32 = 31;

/// `FUSE_ROOT_ID`: the mount's own node.
pub(super) const ROOT_NODE: u64 = 1;

/// `enum fuse_opcode`.
pub(super) mod opcode {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const SETATTR: u32 = 4;
    pub const UNLINK: u32 = 10;
    pub const RMDIR: u32 = 11;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const WRITE: u32 = 16;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FSYNC: u32 = 20;
    pub const FLUSH: u32 = 25;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const FSYNCDIR: u32 = 30;
    pub const ACCESS: u32 = 34;
    pub const CREATE: u32 = 35;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const IOCTL: u32 = 39;
    pub const POLL: u32 = 40;
    pub const BATCH_FORGET: u32 = 42;
}

/// Flags of [`InitIn`] and [`InitOut`].
pub(super) mod init {
    /// `O_TRUNC` comes with the open, not as a SETATTR after it.
    pub const ATOMIC_O_TRUNC: u32 = 1 << 3;
    /// Writes may be longer than 4 KiB.
    pub const BIG_WRITES: u32 = 1 << 5;
    /// Lookups in one directory need not wait for each other.
    pub const PARALLEL_DIROPS: u32 = 1 << 18;
    /// `max_pages` is valid.
    pub const MAX_PAGES: u32 = 1 << 22;
}

/// Flags of [`OpenOut`].
pub(super) mod open {
    /// No page cache.
    pub const DIRECT_IO: u32 = 1 << 0;
    /// No `lseek`.
    pub const NONSEEKABLE: u32 = 1 << 2;
    /// No file position at all, and so no lock on it.
    pub const STREAM: u32 = 1 << 4;
    /// No FLUSH at `close`, which would wait for a write that is under way.
    pub const NOFLUSH: u32 = 1 << 5;
}

/// `FATTR_*`: the valid fields of [`SetattrIn`].
pub(super) mod setattr {
    pub const MODE: u32 = 1 << 0;
    pub const UID: u32 = 1 << 1;
    pub const GID: u32 = 1 << 2;
    pub const SIZE: u32 = 1 << 3;
    pub const FH: u32 = 1 << 6;
}

/// `FUSE_GETATTR_FH`: [`GetattrIn::fh`] is valid.
pub(super) const GETATTR_FH: u32 = 1 << 0;
/// `FUSE_POLL_SCHEDULE_NOTIFY`: someone waits, and wants [`NOTIFY_POLL`].
pub(super) const POLL_SCHEDULE_NOTIFY: u32 = 1 << 0;
/// `FUSE_NOTIFY_POLL`: the kernel polls the file again.
pub(super) const NOTIFY_POLL: i32 = 1;

macro_rules! from_kernel {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C)]
        pub(super) struct $name { $(pub $field: $type,)* }
    )*};
}

from_kernel! {
    /// Begins each request; `len` counts it too.
    InHeader {
        len: u32, opcode: u32, unique: u64, nodeid: u64, uid: u32, gid: u32, pid: u32,
        total_extlen: u16, padding: u16,
    }
    InitIn { major: u32, minor: u32, max_readahead: u32, flags: u32, }
    ForgetIn { nlookup: u64, }
    BatchForgetIn { count: u32, dummy: u32, }
    ForgetOne { nodeid: u64, nlookup: u64, }
    GetattrIn { getattr_flags: u32, dummy: u32, fh: u64, }
    SetattrIn {
        valid: u32, padding: u32, fh: u64, size: u64, lock_owner: u64, atime: u64, mtime: u64, ctime: u64,
        atimensec: u32, mtimensec: u32, ctimensec: u32, mode: u32, unused4: u32, uid: u32, gid: u32,
        unused5: u32,
    }
    OpenIn { flags: u32, open_flags: u32, }
    CreateIn { flags: u32, mode: u32, umask: u32, open_flags: u32, }
    ReadIn {
        fh: u64, offset: u64, size: u32, read_flags: u32, lock_owner: u64, flags: u32, padding: u32,
    }
    WriteIn {
        fh: u64, offset: u64, size: u32, write_flags: u32, lock_owner: u64, flags: u32, padding: u32,
    }
    ReleaseIn { fh: u64, flags: u32, release_flags: u32, lock_owner: u64, }
    FsyncIn { fh: u64, fsync_flags: u32, padding: u32, }
    AccessIn { mask: u32, padding: u32, }
    InterruptIn { unique: u64, }
    IoctlIn { fh: u64, flags: u32, cmd: u32, arg: u64, in_size: u32, out_size: u32, }
    PollIn { fh: u64, kh: u64, flags: u32, events: u32, }
}

macro_rules! to_kernel {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C)]
        pub(super) struct $name { $(pub $field: $type,)* }
    )*};
}

to_kernel! {
    /// Begins each reply; `error` is 0 or a negated error number, or a notification's code where `unique` is 0.
    OutHeader { len: u32, error: i32, unique: u64, }
    InitOut {
        major: u32, minor: u32, max_readahead: u32, flags: u32, max_background: u16,
        congestion_threshold: u16, max_write: u32, time_gran: u32, max_pages: u16, map_alignment: u16,
        flags2: u32, unused: [u32; 7],
    }
    Attr {
        ino: u64, size: u64, blocks: u64, atime: u64, mtime: u64, ctime: u64, atimensec: u32,
        mtimensec: u32, ctimensec: u32, mode: u32, nlink: u32, uid: u32, gid: u32, rdev: u32,
        blksize: u32, flags: u32,
    }
    /// All times of validity stay 0: nothing is cached.
    EntryOut {
        nodeid: u64, generation: u64, entry_valid: u64, attr_valid: u64, entry_valid_nsec: u32,
        attr_valid_nsec: u32, attr: Attr,
    }
    AttrOut { attr_valid: u64, attr_valid_nsec: u32, dummy: u32, attr: Attr, }
    OpenOut { fh: u64, open_flags: u32, padding: u32, }
    CreateOut { entry: EntryOut, open: OpenOut, }
    WriteOut { size: u32, padding: u32, }
    StatfsOut {
        blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64, bsize: u32, namelen: u32,
        frsize: u32, padding: u32, spare: [u32; 6],
    }
    IoctlOut { result: i32, flags: u32, in_iovs: u32, out_iovs: u32, }
    PollOut { revents: u32, padding: u32, }
    NotifyPollWakeupOut { kh: u64, }
    /// The name follows, then zeros up to a multiple of 8 bytes.
    Dirent { ino: u64, off: u64, namelen: u32, kind: u32, }
}
