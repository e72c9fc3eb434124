//! The client's side: Redox's own calls.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

use libredox::call;
use libredox::flag::{O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY};
use syscall::flag::CallFlags;

use crate::client::OpenOptions;

/// `O_NONBLOCK` for the standard library.
pub(crate) const NONBLOCK: i32 = O_NONBLOCK;

/// The longest path that the kernel knows, in bytes.
const PATH_MAX: usize = 4096;

pub(crate) fn open(scheme: &str, path: &str, options: OpenOptions) -> io::Result<File> {
    let access = match (options.read, options.write) {
        (true, true) => O_RDWR,
        (false, true) => O_WRONLY,
        _ => O_RDONLY,
    };
    let flags = access | O_CLOEXEC | if options.nonblocking { O_NONBLOCK } else { 0 };
    if path.starts_with('/') {
        let root = file(call::open(format!("/scheme/{scheme}"), flags, 0)?);
        return dup(&root, path.as_bytes());
    }
    Ok(file(call::open(format!("/scheme/{scheme}/{path}"), flags, 0)?))
}

pub(crate) fn dup(parent: &File, path: &[u8]) -> io::Result<File> {
    Ok(file(call::dup(number(parent), path)?))
}

pub(crate) fn call(file: &File, payload: &mut [u8], metadata: &[u64]) -> io::Result<usize> {
    Ok(call::call_rw(number(file), payload, CallFlags::empty(), metadata)?)
}

pub(crate) fn fpath(file: &File) -> io::Result<Vec<u8>> {
    let mut path = vec![0; PATH_MAX];
    let length = call::fpath(number(file), &mut path)?;
    path.truncate(length);
    Ok(path)
}

fn number(file: &File) -> usize {
    file.as_raw_fd() as usize
}

fn file(number: usize) -> File {
    // SAFETY: the kernel has just made this descriptor for us.
    unsafe { File::from_raw_fd(number as RawFd) }
}
