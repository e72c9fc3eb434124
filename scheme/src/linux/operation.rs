//! Operations that may have to wait, and so may be carried out more than once.

use std::borrow::Cow;

use redox_scheme::Id;
use syscall::flag::{EventFlags, O_NONBLOCK};

use super::abi::WriteOut;
use super::control::{CallHeader, Text};
use super::files::Opened;
use super::filesystem::FileSystem;
use super::tokens;
use crate::errno::{EAGAIN, EIO, EOPNOTSUPP};
use crate::parking::Waits;
use crate::{CallerCtx, Error, NewFdFlags, OpenResult, Result, SchemeSync};

/// An operation with all that it needs.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    /// The scheme's handle that it goes to.
    pub handle: usize,
    /// The caller's status flags (Redox's).
    pub status: u32,
    pub action: Action<'a>,
}

/// What is done to the handle.
#[derive(Debug)]
pub(super) enum Action<'a> {
    /// `openat`, for `node`.
    Open { path: String, flags: usize, node: u64 },
    /// `openat` of what a lookup did not find.
    Create { path: String, flags: usize },
    /// `read` of at most `size` bytes.
    Read { offset: u64, size: usize },
    /// `write`.
    Write { offset: u64, data: Cow<'a, [u8]> },
    /// `fsync`.
    Sync,
    /// `dup` of the open file `file`.
    Dup { file: u64, path: Cow<'a, [u8]> },
    /// `call`; the payload is carried back.
    Call { header: CallHeader, payload: Cow<'a, [u8]> },
}

impl Operation<'_> {
    /// Whether its caller would rather be told that it must wait.
    pub(super) fn is_nonblocking(&self) -> bool {
        self.status as usize & O_NONBLOCK != 0
    }

    /// What it waits for where it cannot go on; `request` is its caller's.
    pub(super) fn waits(&self, request: Id) -> Waits {
        match self.action {
            Action::Open { .. } | Action::Create { .. } => Waits::ForRetry(request),
            _ => Waits::ForHandle(self.handle),
        }
    }

    /// The changes of its handle that it waits for, unless its scheme says otherwise.
    pub(super) fn direction(&self) -> EventFlags {
        match self.action {
            Action::Read { .. } => EventFlags::EVENT_READ,
            Action::Write { .. } => EventFlags::EVENT_WRITE,
            _ => EventFlags::EVENT_READ | EventFlags::EVENT_WRITE,
        }
    }

    /// The same operation with its own copy of the data.
    pub(super) fn into_owned(self) -> Operation<'static> {
        let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        let action = match self.action {
            Action::Open { path, flags, node } => Action::Open { path, flags, node },
            Action::Create { path, flags } => Action::Create { path, flags },
            Action::Read { offset, size } => Action::Read { offset, size },
            Action::Write { offset, data } => Action::Write { offset, data: own(data) },
            Action::Sync => Action::Sync,
            Action::Dup { file, path } => Action::Dup { file, path: own(path) },
            Action::Call { header, payload } => Action::Call { header, payload: own(payload) },
        };
        Operation { handle: self.handle, status: self.status, action }
    }
}

impl<S: SchemeSync> FileSystem<S> {
    /// Carries `operation` out, and gives the length of the reply's body. `EAGAIN` means that it must wait.
    pub(super) fn perform(&mut self, caller: &CallerCtx, operation: &mut Operation<'_>) -> Result<usize> {
        let (handle, status) = (operation.handle, operation.status);
        match &mut operation.action {
            Action::Open { path, flags, node } => {
                let opened = opened(self.scheme.openat(handle, path, *flags, status, caller))?;
                Ok(self.opened(*node, opened, status))
            }
            Action::Create { path, flags } => {
                let opened = opened(self.scheme.openat(handle, path, *flags, status, caller))?;
                Ok(self.created(path, opened, status, caller))
            }
            Action::Read { offset, size } => {
                let buffer = self.body.data(*size);
                let length = self.scheme.read(handle, buffer, *offset, status, caller)?;
                Ok(length.min(buffer.len()))
            }
            Action::Write { offset, data } => {
                let length = self.scheme.write(handle, data, *offset, status, caller)?;
                // A write is at most MAX_DATA bytes long.
                let size = length.min(data.len()) as u32;
                Ok(self.body.put(&WriteOut { size, padding: 0 }))
            }
            Action::Sync => self.scheme.fsync(handle, caller).map(|()| 0),
            Action::Dup { file, path } => {
                let opened = opened(self.scheme.dup(handle, path, caller))?;
                self.unclaimed(opened, *file, caller)
            }
            Action::Call { header, payload } => {
                let length = header.metadata_length as usize;
                let metadata = header.metadata.get(..length).ok_or(Error::new(EIO))?;
                let result = self.scheme.call(handle, payload.to_mut(), metadata, caller)?;
                Ok(self.body.ioctl(&CallHeader { result: result as u64, ..*header }, payload))
            }
        }
    }

    /// Keeps a new handle for its caller, and tells him its name.
    fn unclaimed(&mut self, opened: Opened, file: u64, caller: &CallerCtx) -> Result<usize> {
        let handle = opened.handle;
        let (token, surplus) = self.tokens.add(opened, file, caller);
        if let Some(surplus) = surplus {
            self.close(surplus);
        }
        let name = format!("{}/{}", self.name, tokens::name(token));
        let Some(text) = Text::new(0, name.as_bytes()) else {
            self.tokens.claim(token, caller);
            self.close(handle);
            return Err(Error::new(EIO));
        };
        Ok(self.body.ioctl(&text, &[]))
    }
}

/// The handle that an open or a dup gave.
pub(super) fn opened(result: Result<OpenResult>) -> Result<Opened> {
    match result? {
        OpenResult::ThisScheme { number, flags } => {
            Ok(Opened { handle: number, positioned: flags.contains(NewFdFlags::POSITIONED) })
        }
        OpenResult::WouldBlock => Err(Error::new(EAGAIN)),
        // Linux has no way to hand over another scheme's file.
        _ => Err(Error::new(EOPNOTSUPP)),
    }
}
