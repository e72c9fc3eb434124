//! Pipes, and giving one end of them to whoever opens a node.

use std::fs::File;
use std::io;

use crate::{OpenResult, Result, system};

/// Whether an open can be answered with a descriptor of the server's ([`hand_over`]): on Redox. A FUSE server can
/// only make nodes of its own.
pub const HANDS_OVER: bool = system::pipe::HANDS_OVER;

/// A pipe's two ends, for reading and for writing, neither of which waits.
pub fn pipe() -> io::Result<(File, File)> {
    system::pipe::pipe()
}

/// Answers an open with `file`, which is then the opener's: it reads and writes without the server.
pub fn hand_over(file: File) -> Result<OpenResult> {
    system::pipe::hand_over(file)
}
