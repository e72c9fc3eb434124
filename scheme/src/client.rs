//! The client's side of a scheme: what Redox programs do by system calls, on both systems.
//!
//! Plain files need none of this; it is for `dup` with a path and `call`, of which relibc's sockets are made,
//! and for the paths that a Linux file system cannot carry (an empty one, or one that begins with a slash).
//!
//! On Linux, paths given to [`dup`] and got from [`fpath`] are at most 1,008 bytes long, and a [`call`]'s
//! payload at most [`MAX_PAYLOAD`].

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::system::client as system;

/// The longest payload of a [`call`] on Linux, in bytes: an ioctl carries 16,383, some of which are ours.
/// Redox has no such limit.
#[cfg(target_os = "linux")]
pub const MAX_PAYLOAD: usize = system::MAX_PAYLOAD;

/// How to open.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Answers `EAGAIN` instead of waiting.
    pub nonblocking: bool,
}

/// Opens `path` of scheme `scheme`: `open("tcp", "10.0.2.2:80", ..)` is `/scheme/tcp/10.0.2.2:80`.
/// `path` is given to the scheme as it is, slashes included; on Redox, where a path loses its first slashes
/// on its way, one that begins with a slash is a `dup` of the scheme's root (as relibc's `bind` is).
pub fn open(scheme: &str, path: &str, options: OpenOptions) -> io::Result<File> {
    system::open(scheme, path, options)
}

/// Opens the file at `path`, whatever serves it.
pub fn open_path(path: &Path, options: OpenOptions) -> io::Result<File> {
    let status = if options.nonblocking { system::NONBLOCK } else { 0 };
    File::options().read(options.read).write(options.write).custom_flags(status).open(path)
}

/// A new handle made from `file` by its scheme (`dup(fd, "listen")` accepts a connection). It is
/// nonblocking if `file` is.
pub fn dup(file: &File, path: &[u8]) -> io::Result<File> {
    system::dup(file, path)
}

/// Redox's `SYS_CALL`: gives `payload` and `metadata` (at most three numbers) to the scheme, which may change
/// `payload`; the result is the scheme's (usually the number of bytes used).
pub fn call(file: &File, payload: &mut [u8], metadata: &[u64]) -> io::Result<usize> {
    system::call(file, payload, metadata)
}

/// The full path that the scheme gives `file` (`/scheme/tcp/10.0.2.2:80/10.0.2.15:49152`).
pub fn fpath(file: &File) -> io::Result<String> {
    let path = system::fpath(file)?;
    String::from_utf8(path).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
