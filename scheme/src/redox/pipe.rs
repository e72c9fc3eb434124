//! Redox's pipes, whose ends can be given away.

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, RawFd};

use libredox::call;
use libredox::flag::{O_CLOEXEC, O_NONBLOCK, O_RDONLY};
use syscall::flag::F_SETFL;

use crate::{OpenResult, Result};

pub(crate) const HANDS_OVER: bool = true;

pub(crate) fn pipe() -> io::Result<(File, File)> {
    let reader = file(call::open("/scheme/pipe", O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)?);
    let writer = crate::client::dup(&reader, b"write")?;
    let writer = writer.into_raw_fd() as usize;
    // A dup of a pipe waits, whatever it was made of.
    let changed = call::fcntl(writer, F_SETFL, O_NONBLOCK as usize);
    let writer = file(writer);
    changed?;
    Ok((reader, writer))
}

pub(crate) fn hand_over(file: File) -> Result<OpenResult> {
    // The kernel takes it out of this process with the answer.
    Ok(OpenResult::OtherScheme { fd: file.into_raw_fd() as usize })
}

fn file(number: usize) -> File {
    // SAFETY: the kernel has just made this descriptor for us.
    unsafe { File::from_raw_fd(number as RawFd) }
}
