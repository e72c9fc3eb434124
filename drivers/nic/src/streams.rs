//! The streams of a scheme: pipes that readers and senders of many frames have been given.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use scheme::flag::{O_DIRECTORY, O_STAT};
use scheme::{Error, EventLoop, Interest, Result, Token};
use slab::Slab;

use crate::frame::Form;
use crate::node::Node;
use crate::outgoing;
use crate::serve::{self, NetworkScheme};
use crate::stream::{Progress, Receiver, Sender};

/// All streams.
#[derive(Default)]
pub struct Streams {
    receivers: Slab<Entry<Receiver>>,
    senders: Slab<Entry<Sender>>,
}

struct Entry<S> {
    stream: S,
    progress: Progress,
    /// Its events are waited for.
    watched: bool,
}

impl<S: AsRawFd> Entry<S> {
    fn new(stream: S, progress: Progress) -> Self {
        Self { stream, progress, watched: false }
    }

    fn has_ended(&self) -> bool {
        self.progress == Progress::Ended
    }

    /// Waits for its events from now on, or no longer.
    fn watch(
        &mut self,
        wanted: bool,
        with: Interest,
        events: &mut EventLoop,
        token: Token,
    ) -> io::Result<()> {
        if self.watched != wanted {
            let fd = self.stream.as_raw_fd();
            if wanted {
                events.register(fd, token, with)?
            } else {
                events.deregister(fd)?
            }
            self.watched = wanted;
        }
        Ok(())
    }
}

impl NetworkScheme {
    /// Answers an open of `receive` or `transmit`, below the root's handle `at`, with the opener's end of a pipe.
    /// `None` where it is another node's, or the node is only looked at.
    pub fn open_stream(&mut self, at: usize, path: &str, flags: usize, uid: u32) -> Result<Option<File>> {
        let node = self.node_at(at, path, uid)?;
        if flags & (O_STAT | O_DIRECTORY) != 0 {
            return Ok(None);
        }
        let is_for_writing = serve::is_for_writing(flags);
        let open = match node {
            Node::Receive | Node::VnetReceive if !is_for_writing => Self::open_receiver,
            Node::Transmit | Node::VnetTransmit if is_for_writing => Self::open_sender,
            node if node.is_pipe() => return Err(Error::new(scheme::errno::EACCES)),
            _ => return Ok(None),
        };
        let failed = |error: io::Error| {
            log::error!("cannot make a pipe: {error}");
            Error::new(scheme::errno::ENFILE)
        };
        open(self, node.form()).map(Some).map_err(failed)
    }

    /// The reading end of a pipe with each frame that is received from now on.
    pub fn open_receiver(&mut self, form: Form) -> io::Result<File> {
        let (reader, writer) = scheme::pipe::pipe()?;
        let tap = self.taps.open();
        self.streams.receivers.insert(Entry::new(Receiver::new(writer, tap, form), Progress::Idle));
        self.port.borrow_mut().users += 1;
        Ok(reader)
    }

    /// The writing end of a pipe for frames to be sent.
    pub fn open_sender(&mut self, form: Form) -> io::Result<File> {
        let (reader, writer) = scheme::pipe::pipe()?;
        self.streams.senders.insert(Entry::new(Sender::new(reader, form), Progress::More));
        self.port.borrow_mut().users += 1;
        Ok(writer)
    }

    /// Something has become of the pipes that were [watched](Self::watch_streams).
    pub fn resume_streams(&mut self) {
        for (_, sender) in self.streams.senders.iter_mut().filter(|(_, own)| own.progress == Progress::Idle) {
            sender.progress = Progress::More;
        }
        for (_, receiver) in &mut self.streams.receivers {
            receiver.progress = Progress::More;
        }
    }

    /// Whether a stream has more to do, which nothing will tell of.
    pub fn streams_have_more(&self) -> bool {
        self.streams.senders.iter().any(|(_, sender)| sender.progress == Progress::More)
    }

    /// Takes the frames that are to be sent, as far as there is room for them.
    pub fn read_streams(&mut self) {
        let has_room = self.has_room();
        let mut has_ended = false;
        for (_, sender) in &mut self.streams.senders {
            let is_due = match sender.progress {
                Progress::More => true,
                Progress::Blocked => has_room,
                Progress::Idle | Progress::Ended => false,
            };
            if is_due {
                let (port, refusals) = (&self.port, &mut self.refusals);
                sender.progress =
                    sender.stream.read(|frame, form| outgoing::queue(port, refusals, frame, form));
                has_ended |= sender.has_ended();
            }
        }
        if has_ended {
            // They have come in pairs.
            for (_, receiver) in &mut self.streams.receivers {
                if receiver.stream.is_closed() {
                    receiver.progress = Progress::Ended;
                }
            }
        }
    }

    /// Hands received frames to those who read them from pipes.
    pub(crate) fn write_streams(&mut self) {
        for (_, receiver) in &mut self.streams.receivers {
            let is_due = match receiver.progress {
                Progress::More => true,
                Progress::Idle => self.taps.is_ready(receiver.stream.tap),
                Progress::Blocked | Progress::Ended => false,
            };
            if is_due {
                receiver.progress = receiver.stream.write(&mut self.taps);
                self.last_read = self.port.borrow().now;
            }
        }
    }

    /// Waits, under `token`, for the events of those streams that wait for something, and drops those that have ended.
    pub fn watch_streams(&mut self, events: &mut EventLoop, token: Token) -> io::Result<()> {
        for (_, sender) in &mut self.streams.senders {
            sender.watch(!sender.has_ended(), Interest::Read, events, token)?;
        }
        for (_, receiver) in &mut self.streams.receivers {
            // Otherwise the driver would be woken each time that something is read.
            let wanted = receiver.progress == Progress::Blocked;
            receiver.watch(wanted, Interest::ReadWrite, events, token)?;
        }
        self.drop_ended_streams();
        Ok(())
    }

    fn drop_ended_streams(&mut self) {
        let (port, taps) = (&self.port, &mut self.taps);
        self.streams.senders.retain(|_, sender| {
            port.borrow_mut().users -= usize::from(sender.has_ended());
            !sender.has_ended()
        });
        self.streams.receivers.retain(|_, receiver| {
            if receiver.has_ended() {
                port.borrow_mut().users -= 1;
                taps.close(receiver.stream.tap);
            }
            !receiver.has_ended()
        });
    }
}
