//! What a scheme is, on Redox and on Linux: serving one, waiting for events, and using one as a client.
//!
//! A server implements Redox's own [`SchemeSync`]; there is no second trait. [`Server`] carries it: on Redox
//! by the kernel's scheme socket, on Linux by a FUSE mount under `/scheme/<name>` (which takes root; the
//! environment variable `SCHEME_ROOT` replaces `/scheme`). Flags, modes and error numbers are Redox's on both
//! systems.
//!
//! What a Linux file system cannot carry in a name is spelt `%` and two hexadecimal digits there:
//! `/scheme/tcp/%2F0.0.0.0:8080` is the path `/0.0.0.0:8080` of `tcp`, `%25` is a percent sign. A lone `%` is
//! the empty path, the scheme's root opened like a file. [`client::open`] spells so by itself.
//!
//! A path is looked up on Linux by an open with `O_STAT`, an `fstat` and a close; so such an open must have no
//! side effects. Whatever `fstat` does not call a directory is a plain file.

// The tests' scheme is written as one outside.
#[cfg(test)]
extern crate self as scheme;

pub mod checksum;
pub mod client;
pub mod daemon;
pub mod directory;
pub mod event_loop;
#[cfg(target_os = "linux")]
mod linux;
pub mod notifier;
mod parking;
pub mod pcapng;
pub mod pipe;
#[cfg(target_os = "redox")]
mod redox;
pub mod server;
pub mod status;
pub mod text;
pub mod vlan;
pub mod vnet;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(all(target_os = "linux", feature = "fuzzing"))]
#[doc(hidden)]
pub use linux::fuzzing;
#[cfg(target_os = "redox")]
use redox as system;

/// The directory that schemes are in: `/scheme`, or on Linux what the environment variable `SCHEME_ROOT` says.
pub fn root() -> std::path::PathBuf {
    let other = if cfg!(target_os = "linux") { std::env::var_os("SCHEME_ROOT") } else { None };
    other.map_or_else(|| "/scheme".into(), Into::into)
}

pub use event_loop::{Event, EventLoop, Interest, Token};
pub use notifier::Notifier;
pub use server::{ServeError, Server};

pub use redox_scheme::scheme::SchemeSync;
pub use redox_scheme::{CallerCtx, OpenResult};
pub use syscall::data::{Stat, TimeSpec};
pub use syscall::dirent::{DirEntry, DirentBuf, DirentKind};
pub use syscall::error::{Error, Result};
pub use syscall::flag::{self, EventFlags};
pub use syscall::schemev2::NewFdFlags;

/// Redox's error numbers (`redox_syscall::error`).
pub mod errno {
    pub use syscall::error::*;

    /// Answers `EAGAIN` at once, even where the handle blocks: for operations that carry their own
    /// "do not wait" (such as `MSG_DONTWAIT`), whose `EAGAIN` [`Server`](crate::Server) would otherwise park.
    /// It never reaches a caller.
    pub const EAGAIN_NOW: i32 = 0x7001;

    /// `EAGAIN` of a `call` or `dup` that waits until its handle can be read (such as `recvmsg` or `accept`):
    /// the limit on reading holds for it. A plain `EAGAIN` waits for any change, under both limits.
    /// It never reaches a caller.
    pub const EAGAIN_READ: i32 = 0x7002;

    /// As [`EAGAIN_READ`], of one that waits until its handle can be written (such as `sendmsg` or `connect`).
    pub const EAGAIN_WRITE: i32 = 0x7003;
}
