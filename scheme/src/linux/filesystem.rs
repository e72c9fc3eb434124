//! A scheme as a FUSE file system: which request asks the scheme for what.

use super::abi::{self, InitIn, InitOut, opcode};
use super::body::Body;
use super::connection::MAX_DATA;
use super::files::Files;
use super::nodes::Nodes;
use super::operation::Operation;
use super::pollers::Pollers;
use super::request::Request;
use super::tokens::Tokens;
use crate::errno::{ENOSYS, EPROTO};
use crate::{CallerCtx, Error, Notifier, Result, SchemeSync};

/// The file system. It knows nothing of waiting, nor of the device that the requests come from.
#[derive(Debug)]
pub(super) struct FileSystem<S> {
    pub scheme: S,
    pub body: Body,
    pub pollers: Pollers,
    pub(super) name: String,
    notifier: Notifier,
    /// The scheme's handle that all paths are relative to.
    pub(super) root: usize,
    pub(super) nodes: Nodes,
    pub(super) files: Files,
    pub(super) tokens: Tokens,
}

/// What a request came to.
#[derive(Debug)]
pub(super) enum Served<'a> {
    /// The first so many bytes of the body are the reply.
    Reply(usize),
    /// No reply is expected.
    Nothing,
    /// There is an operation to carry out, which may have to wait.
    Start(Operation<'a>),
    /// A handle was closed; the reply is empty.
    Closed(usize),
}

impl<S: SchemeSync> FileSystem<S> {
    /// Scheme `name`, whose paths begin at `root`. `notifier` is the one that it posts to.
    pub(super) fn new(name: &str, scheme: S, root: usize, notifier: Notifier) -> Self {
        Self {
            scheme,
            body: Body::new(),
            pollers: Pollers::default(),
            name: name.to_owned(),
            notifier,
            root,
            nodes: Nodes::new(),
            files: Files::default(),
            tokens: Tokens::default(),
        }
    }

    /// Does what `request` asks for.
    pub(super) fn serve<'r>(&mut self, request: &Request<'r>, caller: &CallerCtx) -> Result<Served<'r>> {
        match request.header.opcode {
            opcode::INIT => self.init(request).map(Served::Reply),
            opcode::DESTROY => Ok(Served::Reply(0)),
            opcode::FORGET => self.forget(request),
            opcode::BATCH_FORGET => self.forget_several(request),
            opcode::LOOKUP => self.lookup(request, caller).map(Served::Reply),
            opcode::GETATTR => self.get_attributes(request, caller).map(Served::Reply),
            opcode::SETATTR => self.set_attributes(request, caller).map(Served::Reply),
            opcode::ACCESS => self.access(request, caller).map(Served::Reply),
            opcode::CREATE => self.create(request),
            opcode::UNLINK => self.unlink(request, 0, caller).map(Served::Reply),
            opcode::RMDIR => self.unlink(request, syscall::flag::AT_REMOVEDIR, caller).map(Served::Reply),
            opcode::STATFS => Ok(Served::Reply(self.statistics())),
            opcode::OPEN => self.open(request, 0, caller),
            opcode::OPENDIR => self.open(request, syscall::flag::O_DIRECTORY, caller),
            opcode::READ => self.read(request, caller),
            opcode::WRITE => self.write(request, caller),
            opcode::FSYNC | opcode::FSYNCDIR => self.sync(request),
            opcode::FLUSH => Ok(Served::Reply(0)),
            opcode::RELEASE | opcode::RELEASEDIR => self.release(request),
            opcode::READDIR => self.read_directory(request).map(Served::Reply),
            opcode::POLL => self.poll(request, caller).map(Served::Reply),
            opcode::IOCTL => self.control(request, caller),
            // The kernel does without, and where it can, remembers that.
            _ => Err(Error::new(ENOSYS)),
        }
    }

    /// Closes a handle that no operation waits for, and forgets what the scheme posted for it.
    pub(super) fn close(&mut self, handle: usize) {
        self.scheme.on_close(handle);
        self.notifier.forget(handle);
    }

    fn init(&mut self, request: &Request<'_>) -> Result<usize> {
        let (init, _) = request.argument::<InitIn>()?;
        if init.major < abi::MAJOR || (init.major == abi::MAJOR && init.minor < abi::OLDEST_MINOR) {
            log::error!("the kernel speaks FUSE {}.{}: 7.31 (Linux 5.2) is needed", init.major, init.minor);
            return Err(Error::new(EPROTO));
        }
        let wanted = abi::init::ATOMIC_O_TRUNC
            | abi::init::BIG_WRITES
            | abi::init::PARALLEL_DIROPS
            | abi::init::MAX_PAGES;
        // A kernel with a newer major version takes ours and asks again.
        Ok(self.body.put(&InitOut {
            major: abi::MAJOR,
            minor: if init.major == abi::MAJOR { init.minor.min(abi::MINOR) } else { abi::MINOR },
            flags: init.flags & wanted,
            max_write: MAX_DATA as u32,
            max_pages: (MAX_DATA / 4096) as u16,
            time_gran: 1,
            ..InitOut::default()
        }))
    }
}
