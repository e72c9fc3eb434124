//! The client's side of a scheme: what Redox programs do by system calls, on both systems.
//!
//! Plain files need none of this; it is for `dup` with a path and `call`, of which relibc's sockets are made,
//! and for the paths that a Linux file system cannot carry (an empty one, or one that begins with a slash).

use std::fs::File;
use std::io;

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
/// `path` is given to the scheme as it is, slashes included.
pub fn open(_scheme: &str, _path: &str, _options: OpenOptions) -> io::Result<File> {
    todo!()
}

/// A new handle made from `file` by its scheme (`dup(fd, "listen")` accepts a connection).
pub fn dup(_file: &File, _path: &[u8]) -> io::Result<File> {
    todo!()
}

/// Redox's `SYS_CALL`: gives `payload` and `metadata` to the scheme, which may change `payload`; the result
/// is the scheme's (usually the number of bytes used).
pub fn call(_file: &File, _payload: &mut [u8], _metadata: &[u64]) -> io::Result<usize> {
    todo!()
}
