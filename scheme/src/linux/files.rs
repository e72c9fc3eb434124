//! Open files, and the requests about them.

use std::borrow::Cow;
use std::collections::HashMap;

use syscall::dirent::{DirentBuf, DirentHeader};
use syscall::flag::{EventFlags, F_SETFL};
use zerocopy::FromBytes;

use super::abi::{self, FsyncIn, IoctlIn, OpenIn, OpenOut, PollIn, PollOut, ReadIn, ReleaseIn, WriteIn};
use super::control::{CallHeader, Control, Text};
use super::filesystem::{FileSystem, Served};
use super::nodes::Target;
use super::operation::{Action, Operation};
use super::request::Request;
use super::translate::{Listing, event_flags, open_flags, poll_events, status_flags};
use crate::errno::{EBADF, EINVAL, EIO, ENOENT, ENOTTY};
use crate::{CallerCtx, Error, Result, SchemeSync};

/// What a scheme gives to an offset that means nothing: a handle that is not positioned.
const NO_OFFSET: u64 = u64::MAX;

/// The longest piece of a listing that a scheme is asked for at once, in bytes.
const LISTING_PIECE: usize = 8192;

/// A scheme's answer to an open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub handle: usize,
    /// Whether reads and writes have an offset.
    pub positioned: bool,
}

/// One open file.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub handle: usize,
    node: u64,
    positioned: bool,
    /// The status flags (Redox's) that the scheme knows of.
    status: u32,
    /// The kernel's poll handle, once it was polled.
    poll_handle: Option<u64>,
}

impl OpenFile {
    fn offset(&self, offset: u64) -> u64 {
        if self.positioned { offset } else { NO_OFFSET }
    }
}

/// The open files, by the number that the kernel names them by.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: HashMap<u64, OpenFile>,
    last: u64,
}

impl Files {
    /// Adds an open file, and gives the kernel's view of it.
    pub(super) fn add(&mut self, node: u64, opened: Opened, status: u32) -> OpenOut {
        let Opened { handle, positioned } = opened;
        self.last += 1;
        self.files.insert(self.last, OpenFile { handle, node, positioned, status, poll_handle: None });
        let seeking = if positioned { 0 } else { abi::open::NONSEEKABLE | abi::open::STREAM };
        let open_flags = abi::open::DIRECT_IO | abi::open::NOFLUSH | seeking;
        OpenOut { fh: self.last, open_flags, padding: 0 }
    }

    /// The open file `fh`.
    pub(super) fn get(&mut self, fh: u64) -> Result<&mut OpenFile> {
        self.files.get_mut(&fh).ok_or(Error::new(EBADF))
    }
}

impl<S: SchemeSync> FileSystem<S> {
    pub(super) fn open<'r>(
        &mut self,
        request: &Request<'r>,
        extra: usize,
        caller: &CallerCtx,
    ) -> Result<Served<'r>> {
        let (argument, _) = request.argument::<OpenIn>()?;
        let node = request.header.nodeid;
        let status = status_flags(argument.flags);
        let target = self.nodes.get(node)?;
        if let &Target::Unclaimed { token } = target {
            let opened = self.tokens.claim(token, caller).ok_or(Error::new(ENOENT))?;
            self.nodes.claim(node, opened.handle);
            return Ok(Served::Reply(self.opened(node, opened, status)));
        }
        let path = target.path()?.to_owned();
        let flags = open_flags(argument.flags) | extra;
        let action = Action::Open { path, flags, node };
        Ok(Served::Start(Operation { handle: self.root, status, action }))
    }

    /// Makes `opened` an open file of `node`, and that the reply.
    pub(super) fn opened(&mut self, node: u64, opened: Opened, status: u32) -> usize {
        let reply = self.files.add(node, opened, status);
        self.body.put(&reply)
    }

    pub(super) fn read<'r>(&mut self, request: &Request<'r>, caller: &CallerCtx) -> Result<Served<'r>> {
        let (argument, _) = request.argument::<ReadIn>()?;
        let status = self.update_status(argument.fh, argument.flags, caller)?;
        let file = self.files.get(argument.fh)?;
        let action = Action::Read { offset: file.offset(argument.offset), size: argument.size as usize };
        Ok(Served::Start(Operation { handle: file.handle, status, action }))
    }

    pub(super) fn write<'r>(&mut self, request: &Request<'r>, caller: &CallerCtx) -> Result<Served<'r>> {
        let (argument, data) = request.argument::<WriteIn>()?;
        let data = Cow::Borrowed(data.get(..argument.size as usize).ok_or(Error::new(EINVAL))?);
        let status = self.update_status(argument.fh, argument.flags, caller)?;
        let file = self.files.get(argument.fh)?;
        let action = Action::Write { offset: file.offset(argument.offset), data };
        Ok(Served::Start(Operation { handle: file.handle, status, action }))
    }

    pub(super) fn sync<'r>(&mut self, request: &Request<'r>) -> Result<Served<'r>> {
        let (argument, _) = request.argument::<FsyncIn>()?;
        let file = self.files.get(argument.fh)?;
        Ok(Served::Start(Operation { handle: file.handle, status: file.status, action: Action::Sync }))
    }

    pub(super) fn release<'r>(&mut self, request: &Request<'r>) -> Result<Served<'r>> {
        let (argument, _) = request.argument::<ReleaseIn>()?;
        let file = self.files.files.remove(&argument.fh).ok_or(Error::new(EBADF))?;
        for handle in self.tokens.abandon(argument.fh) {
            self.close(handle);
        }
        if let Some(kh) = file.poll_handle {
            self.pollers.remove(file.handle, kh);
        }
        self.nodes.release(file.node);
        self.scheme.on_close(file.handle);
        Ok(Served::Closed(file.handle))
    }

    pub(super) fn read_directory(&mut self, request: &Request<'_>) -> Result<usize> {
        let (argument, _) = request.argument::<ReadIn>()?;
        let handle = self.files.get(argument.fh)?.handle;
        let size = argument.size as usize;
        let mut piece = vec![0; size.min(LISTING_PIECE)];
        let buffer = DirentBuf::new(piece.as_mut_slice(), size_of::<DirentHeader>() as u16);
        let offset = argument.offset.saturating_sub(Listing::OWN_ENTRIES);
        let filled = self.scheme.getdents(handle, buffer.ok_or(Error::new(EIO))?, offset)?.finalize();
        let mut listing = Listing::new(self.body.data(size));
        listing.own_entries(request.header.nodeid, argument.offset);
        listing.scheme_entries(piece.get(..filled).ok_or(Error::new(EIO))?)?;
        Ok(listing.length())
    }

    /// Tells what is ready now. Who waits for more is woken by the next edge, and polls again.
    pub(super) fn poll(&mut self, request: &Request<'_>, caller: &CallerCtx) -> Result<usize> {
        let (argument, _) = request.argument::<PollIn>()?;
        let file = self.files.get(argument.fh)?;
        let both = EventFlags::EVENT_READ | EventFlags::EVENT_WRITE;
        // A scheme without events has files that never wait.
        let ready = self.scheme.fevent(file.handle, both, caller).unwrap_or(both);
        if argument.flags & abi::POLL_SCHEDULE_NOTIFY != 0 {
            file.poll_handle = Some(argument.kh);
            self.pollers.add(file.handle, argument.kh, event_flags(argument.events));
        }
        Ok(self.body.put(&PollOut { revents: poll_events(ready) & argument.events, padding: 0 }))
    }

    pub(super) fn control<'r>(&mut self, request: &Request<'r>, caller: &CallerCtx) -> Result<Served<'r>> {
        let (argument, input) = request.argument::<IoctlIn>()?;
        let control = Control::from_number(argument.cmd).ok_or(Error::new(ENOTTY))?;
        let input = input.get(..argument.in_size as usize).ok_or(Error::new(EINVAL))?;
        if argument.in_size != argument.out_size {
            return Err(Error::new(EINVAL));
        }
        let (handle, fh) = (self.files.get(argument.fh)?.handle, argument.fh);
        let (flags, action) = match control {
            Control::Path => return self.full_path(handle, input, caller).map(Served::Reply),
            Control::Dup => {
                let text = Text::read_from_bytes(input).map_err(|_| Error::new(EINVAL))?;
                let path = text.get().ok_or(Error::new(EINVAL))?.to_vec();
                (text.flags, Action::Dup { file: fh, path: Cow::Owned(path) })
            }
            Control::Call => {
                let (header, payload) =
                    CallHeader::read_from_prefix(input).map_err(|_| Error::new(EINVAL))?;
                if header.metadata_length as usize > header.metadata.len() {
                    return Err(Error::new(EINVAL));
                }
                (header.flags, Action::Call { header, payload: Cow::Borrowed(payload) })
            }
        };
        let status = self.update_status(fh, flags, caller)?;
        Ok(Served::Start(Operation { handle, status, action }))
    }

    fn full_path(&mut self, handle: usize, input: &[u8], caller: &CallerCtx) -> Result<usize> {
        Text::read_from_bytes(input).map_err(|_| Error::new(EINVAL))?;
        let mut path = [0; Text::ROOM];
        let length = self.scheme.fpath(handle, &mut path, caller)?;
        let text = path.get(..length).and_then(|path| Text::new(0, path)).ok_or(Error::new(EIO))?;
        Ok(self.body.ioctl(&text, &[]))
    }

    /// Tells the scheme of changed status flags, as Redox's `fcntl` does; Linux tells with the next request.
    fn update_status(&mut self, fh: u64, linux: u32, caller: &CallerCtx) -> Result<u32> {
        let file = self.files.get(fh)?;
        let status = status_flags(linux);
        if status != file.status {
            file.status = status;
            // A scheme that keeps no flags is asked with each operation.
            let _ = self.scheme.fcntl(file.handle, F_SETFL, open_flags(linux), caller);
        }
        Ok(status)
    }
}
