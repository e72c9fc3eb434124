//! Linux's pipes.

use std::fs::File;
use std::io;

use rustix::pipe::{PipeFlags, pipe_with};

use crate::errno::EOPNOTSUPP;
use crate::{Error, OpenResult, Result};

pub(crate) const HANDS_OVER: bool = false;

pub(crate) fn pipe() -> io::Result<(File, File)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok((File::from(reader), File::from(writer)))
}

pub(crate) fn hand_over(_file: File) -> Result<OpenResult> {
    Err(Error::new(EOPNOTSUPP))
}
