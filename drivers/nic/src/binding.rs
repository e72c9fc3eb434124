//! The network scheme as a Redox scheme.

use scheme::errno::{EBADF, EINVAL, ENOTDIR};
use scheme::flag::{MODE_FILE, O_NONBLOCK};
use scheme::{
    CallerCtx, DirentBuf, DirentKind, Error, EventFlags, NewFdFlags, OpenResult, Result, SchemeSync, Stat,
};

use crate::node::Node;
use crate::serve::NetworkScheme;

impl NetworkScheme {
    fn opened(&self, id: usize) -> Result<OpenResult> {
        let positioned = !self.handle(id)?.is_stream();
        let flags = if positioned { NewFdFlags::POSITIONED } else { NewFdFlags::empty() };
        Ok(OpenResult::ThisScheme { number: id, flags })
    }
}

impl SchemeSync for NetworkScheme {
    fn scheme_root(&mut self) -> Result<usize> {
        Ok(self.root())
    }

    fn openat(
        &mut self,
        at: usize,
        path: &str,
        flags: usize,
        fcntl_flags: u32,
        ctx: &CallerCtx,
    ) -> Result<OpenResult> {
        let flags = flags | fcntl_flags as usize & O_NONBLOCK;
        if let Some(pipe) = self.open_stream(at, path, flags, ctx.uid)? {
            return scheme::pipe::hand_over(pipe);
        }
        let id = self.open(at, path, flags, ctx.uid)?;
        self.opened(id)
    }

    fn dup(&mut self, id: usize, path: &[u8], _ctx: &CallerCtx) -> Result<OpenResult> {
        match path {
            b"lost" => self.open_lost(id).and_then(|id| self.opened(id)),
            _ => Err(Error::new(EINVAL)),
        }
    }

    fn read(
        &mut self,
        id: usize,
        buf: &mut [u8],
        offset: u64,
        _flags: u32,
        _ctx: &CallerCtx,
    ) -> Result<usize> {
        NetworkScheme::read(self, id, buf, offset)
    }

    fn write(&mut self, id: usize, buf: &[u8], _offset: u64, _flags: u32, _ctx: &CallerCtx) -> Result<usize> {
        NetworkScheme::write(self, id, buf)
    }

    fn ftruncate(&mut self, id: usize, _len: u64, _ctx: &CallerCtx) -> Result<()> {
        // `echo 1500 > mtu` opens with O_TRUNC; every write replaces the value anyway.
        if self.handle(id)?.is_writable() { Ok(()) } else { Err(Error::new(EBADF)) }
    }

    fn fcntl(&mut self, id: usize, command: usize, argument: usize, _ctx: &CallerCtx) -> Result<usize> {
        scheme::status::fcntl(&mut self.handle_mut(id)?.flags, command, argument)
    }

    fn fevent(&mut self, id: usize, wanted: EventFlags, _ctx: &CallerCtx) -> Result<EventFlags> {
        self.ready(id, wanted)
    }

    fn fpath(&mut self, id: usize, buf: &mut [u8], _ctx: &CallerCtx) -> Result<usize> {
        let path = format!("/scheme/{}/{}", self.name, self.handle(id)?.node.name());
        scheme::text::read_at(path.as_bytes(), buf, 0)
    }

    fn fstat(&mut self, id: usize, stat: &mut Stat, _ctx: &CallerCtx) -> Result<()> {
        let handle = self.handle(id)?;
        let node = handle.node;
        // The root is a file where it was opened for frames, as stock does.
        let st_mode = if handle.is_for_frames() { MODE_FILE | 0o600 } else { node.mode() };
        *stat = Stat { st_mode, st_nlink: 1, st_size: node.size(), ..Stat::default() };
        Ok(())
    }

    fn getdents<'buf>(
        &mut self,
        id: usize,
        buf: DirentBuf<&'buf mut [u8]>,
        offset: u64,
    ) -> Result<DirentBuf<&'buf mut [u8]>> {
        if !self.handle(id)?.is_directory() {
            return Err(Error::new(ENOTDIR));
        }
        let entries = Node::listed().map(|node| (node.name(), DirentKind::Regular));
        scheme::directory::list(buf, offset, entries)
    }

    fn on_close(&mut self, id: usize) {
        self.close(id);
    }
}
