//! The requests that a socket scheme answers.

use std::rc::Rc;

use scheme::errno::{EBADF, ENOTDIR, ESPIPE};
use scheme::flag::{MODE_DIR, MODE_FILE, O_ACCMODE, O_DIRECTORY, O_NONBLOCK, O_STAT};
use scheme::{
    CallerCtx, DirentBuf, DirentKind, Error, EventFlags, OpenResult, Result, SchemeSync, Stat, directory,
};

use crate::schemes::message;

use super::{Kind, Protocol, SocketScheme, event_flags, opened, put, timeout};

impl<P: Protocol> SchemeSync for SocketScheme<P> {
    fn scheme_root(&mut self) -> Result<usize> {
        Ok(self.insert(Kind::Directory { path: String::new() }, 0, 0))
    }

    fn openat(
        &mut self,
        fd: usize,
        path: &str,
        flags: usize,
        fcntl_flags: u32,
        ctx: &CallerCtx,
    ) -> Result<OpenResult> {
        let Kind::Directory { path: parent } = &self.handle(fd)?.kind else {
            return Err(Error::new(ENOTDIR));
        };
        let path = match parent.as_str() {
            "" => path.to_owned(),
            parent => format!("{parent}/{path}").trim_end_matches('/').to_owned(),
        };
        let flags = flags | fcntl_flags as usize;
        let is_socket = flags & O_ACCMODE != 0 && flags & (O_DIRECTORY | O_STAT) == 0;
        match P::probe(&path)? {
            DirentKind::Directory if !(path.is_empty() && is_socket) => {
                Ok(opened(self.insert(Kind::Directory { path }, flags, ctx.uid)))
            }
            _ if flags & O_DIRECTORY != 0 => Err(Error::new(ENOTDIR)),
            _ if flags & O_STAT != 0 => Ok(opened(self.insert(Kind::Probe { path }, flags, ctx.uid))),
            _ => self.open_socket(&path, flags, ctx),
        }
    }

    fn dup(&mut self, old_id: usize, buf: &[u8], _ctx: &CallerCtx) -> Result<OpenResult> {
        let direction = match buf {
            b"read_timeout" => EventFlags::EVENT_READ,
            b"write_timeout" => EventFlags::EVENT_WRITE,
            _ => return self.dup_socket(old_id, buf),
        };
        let handle = self.handle(old_id)?;
        let (flags, uid, limits) = (handle.flags, handle.uid, Rc::downgrade(&handle.limits));
        Ok(opened(self.insert(Kind::Timeout { of: old_id, direction, limits }, flags, uid)))
    }

    fn read(
        &mut self,
        id: usize,
        buf: &mut [u8],
        _offset: u64,
        _flags: u32,
        _ctx: &CallerCtx,
    ) -> Result<usize> {
        if let Kind::Timeout { direction, limits, .. } = &self.handle(id)?.kind {
            let limits = limits.upgrade().ok_or(Error::new(EBADF))?.get();
            return timeout::read(limits.of(*direction), buf);
        }
        self.with_socket(id, |stack, node| P::read(stack, node, buf))
    }

    fn write(&mut self, id: usize, buf: &[u8], _offset: u64, _flags: u32, _ctx: &CallerCtx) -> Result<usize> {
        if let Kind::Timeout { .. } = self.handle(id)?.kind {
            return self.set_timeout(id, buf);
        }
        self.with_socket(id, |stack, node| P::write(stack, node, buf))
    }

    fn fsize(&mut self, _id: usize, _ctx: &CallerCtx) -> Result<u64> {
        Err(Error::new(ESPIPE))
    }

    fn fcntl(&mut self, id: usize, cmd: usize, arg: usize, _ctx: &CallerCtx) -> Result<usize> {
        scheme::status::fcntl(&mut self.handle(id)?.flags, cmd, arg)
    }

    fn fevent(&mut self, id: usize, flags: EventFlags, _ctx: &CallerCtx) -> Result<EventFlags> {
        let ready = self.with_socket(id, |stack, node| Ok(P::readiness(stack, node)));
        Ok(ready.map_or(EventFlags::empty(), event_flags) & flags)
    }

    fn fpath(&mut self, id: usize, buf: &mut [u8], _ctx: &CallerCtx) -> Result<usize> {
        let stack = self.stack.clone();
        let path = match &self.handle(id)?.kind {
            Kind::Directory { path } | Kind::Probe { path } => path.clone(),
            Kind::Socket(node) => P::path(&stack.borrow(), node),
            Kind::Timeout { .. } => return Err(Error::new(EBADF)),
        };
        put(format!("/scheme/{}/{path}", P::NAME).as_bytes(), buf)
    }

    fn fstat(&mut self, id: usize, stat: &mut Stat, _ctx: &CallerCtx) -> Result<()> {
        let handle = self.handle(id)?;
        stat.st_mode = match handle.kind {
            Kind::Directory { .. } => MODE_DIR | 0o755,
            Kind::Probe { .. } | Kind::Socket(_) | Kind::Timeout { .. } => MODE_FILE | 0o666,
        };
        stat.st_uid = handle.uid;
        stat.st_nlink = 1;
        Ok(())
    }

    fn call(&mut self, id: usize, payload: &mut [u8], metadata: &[u64], _ctx: &CallerCtx) -> Result<usize> {
        if let Some(direction) = timeout::asked_for(metadata)
            && let Kind::Socket(_) = self.handle(id)?.kind
        {
            return timeout::put(self.handle(id)?.limits.get().of(direction), payload);
        }
        if self.handle(id)?.flags & O_NONBLOCK != 0 {
            let metadata = message::without_waiting(metadata);
            return self.with_socket(id, |stack, node| P::call(stack, node, payload, &metadata));
        }
        self.with_socket(id, |stack, node| P::call(stack, node, payload, metadata))
    }

    fn getdents<'buf>(
        &mut self,
        id: usize,
        buf: DirentBuf<&'buf mut [u8]>,
        opaque_offset: u64,
    ) -> Result<DirentBuf<&'buf mut [u8]>> {
        let Kind::Directory { path } = &self.handle(id)?.kind else { return Err(Error::new(ENOTDIR)) };
        let names = P::names(path).iter().map(|name| (*name, DirentKind::Directory));
        directory::list(buf, opaque_offset, names)
    }

    fn on_close(&mut self, id: usize) {
        let Some(handle) = self.handles.try_remove(id) else { return };
        if let Kind::Socket(node) = handle.kind
            && let Some(key) = P::key(&node)
        {
            self.leave(id, key);
        }
    }
}
