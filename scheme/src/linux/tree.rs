//! Requests about names and attributes.

use syscall::flag::{MODE_DIR, MODE_FILE, MODE_TYPE, O_CREAT, O_STAT};

use super::abi::{
    self, AccessIn, Attr, AttrOut, BatchForgetIn, CreateIn, CreateOut, EntryOut, ForgetIn, ForgetOne,
    GetattrIn, ROOT_NODE, SetattrIn, StatfsOut,
};
use super::files::Opened;
use super::filesystem::{FileSystem, Served};
use super::names;
use super::nodes::Target;
use super::operation::{Action, Operation, opened};
use super::request::{self, Request};
use super::tokens;
use super::translate::{attributes, is_directory, may_access, open_flags, status_flags};
use crate::errno::{EACCES, ENOENT, EOPNOTSUPP, ESTALE};
use crate::{CallerCtx, Error, Result, SchemeSync, Stat};

impl<S: SchemeSync> FileSystem<S> {
    pub(super) fn lookup(&mut self, request: &Request<'_>, caller: &CallerCtx) -> Result<usize> {
        let (parent, name) = (request.header.nodeid, request.name()?);
        if parent == ROOT_NODE
            && let Some(token) = tokens::from_name(name)
        {
            return self.look_up_unclaimed(token, caller);
        }
        let path = self.path_in(parent, name)?;
        let mut stat = self.stat_path(&path, caller)?;
        let node = if parent == ROOT_NODE && name == names::ROOT_FILE {
            stat.st_mode = stat.st_mode & !MODE_TYPE | MODE_FILE;
            self.nodes.add_file(Target::RootFile)
        } else if is_directory(&stat) {
            self.nodes.add_directory(parent, name, path)
        } else {
            self.nodes.add_file(Target::Path(path))
        };
        Ok(self.body.put(&entry(node, &stat)))
    }

    fn look_up_unclaimed(&mut self, token: u64, caller: &CallerCtx) -> Result<usize> {
        if !self.tokens.is_for(token, caller) {
            return Err(Error::new(ENOENT));
        }
        let node = self.nodes.add_file(Target::Unclaimed { token });
        Ok(self.body.put(&entry(node, &default_stat(MODE_FILE))))
    }

    pub(super) fn forget<'r>(&mut self, request: &Request<'r>) -> Result<Served<'r>> {
        if let Ok((forget, _)) = request.argument::<ForgetIn>() {
            self.nodes.forget(request.header.nodeid, forget.nlookup);
        }
        Ok(Served::Nothing)
    }

    pub(super) fn forget_several<'r>(&mut self, request: &Request<'r>) -> Result<Served<'r>> {
        if let Ok((batch, list)) = request.argument::<BatchForgetIn>() {
            let entries = list.chunks_exact(size_of::<ForgetOne>()).take(batch.count as usize);
            for one in entries.filter_map(|entry| zerocopy::FromBytes::read_from_bytes(entry).ok()) {
                let ForgetOne { nodeid, nlookup } = one;
                self.nodes.forget(nodeid, nlookup);
            }
        }
        Ok(Served::Nothing)
    }

    pub(super) fn get_attributes(&mut self, request: &Request<'_>, caller: &CallerCtx) -> Result<usize> {
        let (argument, _) = request.argument::<GetattrIn>()?;
        let file = (argument.getattr_flags & abi::GETATTR_FH != 0).then_some(argument.fh);
        self.reply_attributes(request.header.nodeid, file, caller)
    }

    /// Truncation to nothing is accepted everywhere, as shells ask for it with each `>`; so are times.
    pub(super) fn set_attributes(&mut self, request: &Request<'_>, caller: &CallerCtx) -> Result<usize> {
        let (argument, _) = request.argument::<SetattrIn>()?;
        let node = request.header.nodeid;
        let file = (argument.valid & abi::setattr::FH != 0).then_some(argument.fh);
        let valid = |field| argument.valid & field != 0;
        if valid(abi::setattr::MODE) {
            let mode = argument.mode as u16;
            self.with_handle(node, file, caller, |scheme, handle| scheme.fchmod(handle, mode, caller))?;
        }
        if valid(abi::setattr::UID | abi::setattr::GID) {
            let uid = if valid(abi::setattr::UID) { argument.uid } else { u32::MAX };
            let gid = if valid(abi::setattr::GID) { argument.gid } else { u32::MAX };
            self.with_handle(node, file, caller, |scheme, handle| scheme.fchown(handle, uid, gid, caller))?;
        }
        if valid(abi::setattr::SIZE) && argument.size != 0 {
            let size = argument.size;
            self.with_handle(node, file, caller, |scheme, handle| scheme.ftruncate(handle, size, caller))?;
        }
        self.reply_attributes(node, file, caller)
    }

    /// The permission bits answer `access(2)`; what counts is the scheme's answer to an open.
    pub(super) fn access(&mut self, request: &Request<'_>, caller: &CallerCtx) -> Result<usize> {
        let (argument, _) = request.argument::<AccessIn>()?;
        let stat = self.stat_node(request.header.nodeid, None, caller)?;
        if may_access(&stat, caller.uid, caller.gid, argument.mask) { Ok(0) } else { Err(Error::new(EACCES)) }
    }

    /// Asks the scheme for a file that a lookup did not find.
    pub(super) fn create<'r>(&mut self, request: &Request<'r>) -> Result<Served<'r>> {
        let (argument, rest) = request.argument::<CreateIn>()?;
        let path = self.path_in(request.header.nodeid, request::name(rest)?)?;
        let (flags, status) = (open_flags(argument.flags) | O_CREAT, status_flags(argument.flags));
        Ok(Served::Start(Operation { handle: self.root, status, action: Action::Create { path, flags } }))
    }

    /// Makes `opened` an open file with a node of its own, and both the reply.
    pub(super) fn created(&mut self, path: &str, opened: Opened, status: u32, caller: &CallerCtx) -> usize {
        let stat = self.stat_handle(opened.handle, caller).unwrap_or_else(|_| default_stat(MODE_FILE));
        let node = self.nodes.add_file(Target::Path(path.to_owned()));
        let open = self.files.add(node, opened, status);
        self.body.put(&CreateOut { entry: entry(node, &stat), open })
    }

    pub(super) fn unlink(
        &mut self,
        request: &Request<'_>,
        flags: usize,
        caller: &CallerCtx,
    ) -> Result<usize> {
        let path = self.path_in(request.header.nodeid, request.name()?)?;
        self.scheme.unlinkat(self.root, &path, flags, caller).map(|()| 0)
    }

    pub(super) fn statistics(&mut self) -> usize {
        self.body.put(&StatfsOut { bsize: 4096, frsize: 4096, namelen: 255, ..StatfsOut::default() })
    }

    fn path_in(&self, parent: u64, name: &str) -> Result<String> {
        Ok(names::join(self.nodes.get(parent)?.path()?, &names::decode(name)?))
    }

    fn reply_attributes(&mut self, node: u64, file: Option<u64>, caller: &CallerCtx) -> Result<usize> {
        let attr: Attr = attributes(node, &self.stat_node(node, file, caller)?);
        Ok(self.body.put(&AttrOut { attr, ..AttrOut::default() }))
    }

    /// The attributes of a node, whose kind must stay what it was when it was looked up.
    fn stat_node(&mut self, node: u64, file: Option<u64>, caller: &CallerCtx) -> Result<Stat> {
        let target = self.nodes.get(node)?.clone();
        let mut stat = match (target, file) {
            (_, Some(file)) => {
                let handle = self.files.get(file)?.handle;
                self.stat_handle(handle, caller)?
            }
            (Target::Handle(handle), None) => self.stat_handle(handle, caller)?,
            (Target::Unclaimed { .. }, None) => default_stat(MODE_FILE),
            (Target::Released, None) => return Err(Error::new(ESTALE)),
            (Target::Path(path), None) => self.stat_path(&path, caller)?,
            (Target::RootFile, None) => self.stat_path("", caller)?,
        };
        let kind = if self.nodes.is_directory(node) { MODE_DIR } else { MODE_FILE };
        stat.st_mode = stat.st_mode & !MODE_TYPE | kind;
        Ok(stat)
    }

    fn stat_path(&mut self, path: &str, caller: &CallerCtx) -> Result<Stat> {
        let handle = opened(self.scheme.openat(self.root, path, O_STAT, 0, caller))?.handle;
        let stat = self.stat_handle(handle, caller);
        self.close(handle);
        stat
    }

    /// `fstat`, with a plain file's attributes where the scheme has none.
    fn stat_handle(&mut self, handle: usize, caller: &CallerCtx) -> Result<Stat> {
        let mut stat = default_stat(0);
        match self.scheme.fstat(handle, &mut stat, caller) {
            Ok(()) => Ok(stat),
            Err(Error { errno: EOPNOTSUPP }) => Ok(default_stat(MODE_FILE)),
            Err(error) => Err(error),
        }
    }

    /// Does `action` with the handle of an open file, or with one opened for that where none is.
    fn with_handle<T>(
        &mut self,
        node: u64,
        file: Option<u64>,
        caller: &CallerCtx,
        action: impl FnOnce(&mut S, usize) -> Result<T>,
    ) -> Result<T> {
        if let Some(file) = file {
            return action(&mut self.scheme, self.files.get(file)?.handle);
        }
        let path = self.nodes.get(node)?.path()?;
        let handle = opened(self.scheme.openat(self.root, path, O_STAT, 0, caller))?.handle;
        let result = action(&mut self.scheme, handle);
        self.close(handle);
        result
    }
}

fn entry(nodeid: u64, stat: &Stat) -> EntryOut {
    EntryOut { nodeid, attr: attributes(nodeid, stat), ..EntryOut::default() }
}

fn default_stat(kind: u16) -> Stat {
    Stat { st_mode: kind | 0o600, st_nlink: 1, ..Stat::default() }
}
