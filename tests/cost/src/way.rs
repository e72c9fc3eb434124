//! The ways by which a program gives a driver frames and gets them: one a request, or many by a pipe.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Instant;

use scheme::{EventLoop, Interest};

/// Frames that a stream writes at once.
const TOGETHER: u32 = 32;

/// Bytes of the length (little-endian) before each frame of a stream.
const LENGTH: usize = size_of::<u16>();

/// Bytes that a pipe holds, and what may be left of a frame before them.
const PIECE: usize = 64 * 1024 + 2048;

/// The only descriptor of an event loop.
const TOKEN: usize = 0;

/// A way for frames in both directions.
pub trait Way: Sized {
    /// What its operations are called.
    const NAME: &str;

    /// The way through the driver whose scheme is at `path`.
    fn open(path: &Path) -> io::Result<Self>;

    /// Gives the driver `count` frames like this one.
    fn send(&mut self, frame: &[u8], count: u32) -> io::Result<()>;

    /// Waits for the next frame.
    fn next(&mut self) -> io::Result<&[u8]>;
}

/// One frame a read and one a write, as Redox's own network stack moves them.
pub struct Requests {
    file: File,
    frame: [u8; 2048],
}

impl Way for Requests {
    const NAME: &str = "frame";

    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::options().read(true).write(true).open(path)?, frame: [0; 2048] })
    }

    fn send(&mut self, frame: &[u8], count: u32) -> io::Result<()> {
        (0..count).try_for_each(|_| self.file.write_all(frame))
    }

    fn next(&mut self) -> io::Result<&[u8]> {
        let length = self.file.read(&mut self.frame)?;
        Ok(self.frame.get(..length).unwrap_or_default())
    }
}

/// The pipes of our drivers, neither of which waits.
pub struct Streams {
    receive: File,
    come: EventLoop,
    /// Nothing was left in the pipe when it was last read.
    is_empty: bool,
    buffer: Vec<u8>,
    /// The bytes in it that have come and were not given yet.
    rest: Range<usize>,
    transmit: File,
    /// Tells of each time that the driver has read from the pipe, once it was full.
    room: EventLoop,
    was_full: bool,
    /// The clock is looked at once: a look is a system call.
    opened: Instant,
}

impl Way for Streams {
    const NAME: &str = "stream";

    fn open(path: &Path) -> io::Result<Self> {
        let receive = File::open(path.join("receive"))?;
        let mut come = EventLoop::new()?;
        come.register(receive.as_raw_fd(), TOKEN, Interest::Read)?;
        Ok(Self {
            receive,
            come,
            is_empty: true,
            buffer: vec![0; PIECE],
            rest: 0..0,
            transmit: File::options().write(true).open(path.join("transmit"))?,
            room: EventLoop::new()?,
            was_full: false,
            opened: Instant::now(),
        })
    }

    fn send(&mut self, frame: &[u8], count: u32) -> io::Result<()> {
        let length = u16::try_from(frame.len()).map_err(io::Error::other)?.to_le_bytes();
        let one = [&length, frame].concat();
        let together = one.repeat(count.min(TOGETHER) as usize);
        let mut left = one.len() * count as usize;
        while left > 0 {
            let piece = together.get(..left.min(together.len())).unwrap_or_default();
            self.write_all(piece)?;
            left -= piece.len();
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<&[u8]> {
        let frame = loop {
            if let Some(frame) = first(&self.buffer, &self.rest) {
                break frame;
            }
            self.fill()?;
        };
        self.rest.start = frame.end;
        Ok(self.buffer.get(frame).unwrap_or_default())
    }
}

impl Streams {
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.transmit.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_for_room()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait_for_room(&mut self) -> io::Result<()> {
        if !self.was_full {
            self.was_full = true;
            self.room.register(self.transmit.as_raw_fd(), TOKEN, Interest::ReadWrite)?;
        }
        wait(&mut self.room, self.opened)
    }

    /// Reads what has come, and waits for it first where nothing is known to have come.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        loop {
            if self.is_empty {
                wait(&mut self.come, self.opened)?;
            }
            let room = self.buffer.get_mut(self.rest.end..).unwrap_or_default();
            let size = room.len();
            match self.receive.read(room) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    // What comes after a short read has an event of its own.
                    self.is_empty = count < size;
                    self.rest.end += count;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_empty = true,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Where the first frame of what has come stands, if all of it is there.
fn first(buffer: &[u8], come: &Range<usize>) -> Option<Range<usize>> {
    let (length, rest) = buffer.get(come.clone())?.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let begin = come.start + LENGTH;
    (length <= rest.len()).then_some(begin..begin + length)
}

/// Without a limit of its own: whoever runs this program has one.
fn wait(events: &mut EventLoop, now: Instant) -> io::Result<()> {
    events.wait_until(None, now, &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_given_once_all_of_it_has_come() {
        let bytes = [2, 0, 7, 8, 1, 0, 9];
        assert_eq!(first(&bytes, &(0..3)), None);
        assert_eq!(first(&bytes, &(0..7)), Some(2..4));
        assert_eq!(first(&bytes, &(4..7)), Some(6..7));
        assert_eq!(first(&bytes, &(4..5)), None);
    }
}
