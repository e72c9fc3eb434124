//! The client's side: files by the kernel, the rest by ioctl.

use std::fs::{File, OpenOptions as FileOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use zerocopy::{FromBytes, IntoBytes};

use super::control::{CallHeader, Control, Text};
use super::names;
use crate::client::{self, OpenOptions};

pub(crate) use super::control::MAX_PAYLOAD;

/// `O_NONBLOCK` for the standard library.
pub(crate) const NONBLOCK: i32 = libc::O_NONBLOCK;

pub(crate) fn open(scheme: &str, path: &str, options: OpenOptions) -> io::Result<File> {
    client::open_path(&crate::root().join(scheme).join(names::encode(path)), options)
}

pub(crate) fn dup(file: &File, path: &[u8]) -> io::Result<File> {
    let status = status_flags(file)?;
    let mut text = Text::new(status, path).ok_or_else(too_long)?;
    exchange(file, Control::Dup, text.as_mut_bytes())?;
    let name = text.get().and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(malformed)?;
    let nonblocking = status.cast_signed() & libc::O_NONBLOCK;
    FileOptions::new().read(true).write(true).custom_flags(nonblocking).open(crate::root().join(name))
}

pub(crate) fn call(file: &File, payload: &mut [u8], metadata: &[u64]) -> io::Result<usize> {
    let mut header = CallHeader { flags: status_flags(file)?, ..CallHeader::default() };
    header.metadata.get_mut(..metadata.len()).ok_or_else(too_long)?.copy_from_slice(metadata);
    // At most three.
    header.metadata_length = metadata.len() as u32;
    let mut buffer = [header.as_bytes(), payload].concat();
    exchange(file, Control::Call, &mut buffer)?;
    let (header, changed) = CallHeader::read_from_prefix(&buffer).map_err(|_| malformed())?;
    payload.copy_from_slice(changed);
    usize::try_from(header.result).map_err(|_| malformed())
}

pub(crate) fn fpath(file: &File) -> io::Result<Vec<u8>> {
    let mut text = Text::new(0, &[]).ok_or_else(too_long)?;
    exchange(file, Control::Path, text.as_mut_bytes())?;
    Ok(text.get().ok_or_else(malformed)?.to_vec())
}

/// Has the scheme of `file` read `buffer` and write it anew.
fn exchange(file: &File, control: Control, buffer: &mut [u8]) -> io::Result<()> {
    let number = control.number(buffer.len()).ok_or_else(too_long)?;
    // SAFETY: the number says how long the buffer is, and neither Linux nor the scheme reaches beyond that;
    // other files answer ENOTTY to a number they do not know.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), number as _, buffer.as_mut_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn status_flags(file: &File) -> io::Result<u32> {
    Ok(rustix::fs::fcntl_getfl(file)?.bits())
}

fn too_long() -> io::Error {
    io::ErrorKind::InvalidInput.into()
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
