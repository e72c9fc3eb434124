//! The kernel's end of a FUSE connection, as a test plays it; a socket pair stands in for `/dev/fuse`.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::super::abi::*;
use super::super::control::{Control, Text};
use super::super::filesystem::FileSystem;
use super::super::session::Session;
use super::toy::Toy;
use crate::{Notifier, SchemeSync};

pub(super) const NONBLOCK: u32 = libc::O_NONBLOCK as u32;

/// The kernel's end of a connection, and the server that it talks to.
pub(super) struct Kernel {
    pub(super) socket: OwnedFd,
    pub(super) session: Session<Toy>,
    pub(super) now: Instant,
    pub(super) pid: u32,
    pub(super) unique: u64,
}

#[derive(Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) unique: u64,
    pub(super) error: i32,
    pub(super) body: Vec<u8>,
}

impl Kernel {
    pub(super) fn new() -> Self {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket, device) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let notifier = Notifier::default();
        let mut toy = Toy::new(notifier.clone());
        let root = toy.scheme_root().unwrap();
        let file_system = FileSystem::new("toy", toy, root, notifier.clone());
        let session = Session::new(device, file_system, notifier);
        Self { socket, session, now: Instant::now(), pid: 100, unique: 0 }
    }

    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        rustix::net::send(&self.socket, bytes, SendFlags::empty()).unwrap();
        self.session.process(self.now).unwrap();
    }

    /// Sends a request, has it served, and gives its number.
    pub(super) fn send(&mut self, opcode: u32, nodeid: u64, body: &[&[u8]]) -> u64 {
        let unique = self.queue(opcode, nodeid, body).unwrap();
        self.session.process(self.now).unwrap();
        unique
    }

    /// Sends a request that nobody serves yet, and gives its number; `None` if the queue is full.
    pub(super) fn queue(&mut self, opcode: u32, nodeid: u64, body: &[&[u8]]) -> Option<u64> {
        self.unique += 2;
        let body = body.concat();
        let header = InHeader {
            len: (size_of::<InHeader>() + body.len()) as u32,
            opcode,
            unique: self.unique,
            nodeid,
            uid: 0,
            gid: 0,
            pid: self.pid,
            total_extlen: 0,
            padding: 0,
        };
        let request = [header.as_bytes(), &body].concat();
        rustix::net::send(&self.socket, &request, SendFlags::empty()).ok()?;
        Some(self.unique)
    }

    /// What the server wrote, if anything.
    pub(super) fn receive(&mut self) -> Option<Reply> {
        let mut buffer = vec![0; 1 << 18];
        let (_, length) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty()).ok()?;
        let (header, body) = OutHeader::read_from_prefix(&buffer[..length]).unwrap();
        assert_eq!(header.len as usize, length);
        assert!(header.unique == 0 || (-511..=0).contains(&header.error), "{header:?}");
        Some(Reply { unique: header.unique, error: -header.error, body: body.to_vec() })
    }

    /// Sends a request that is answered at once.
    #[track_caller]
    pub(super) fn ask(&mut self, opcode: u32, nodeid: u64, body: &[&[u8]]) -> Result<Vec<u8>, i32> {
        let unique = self.send(opcode, nodeid, body);
        let reply = self.receive().expect("a reply");
        assert_eq!(reply.unique, unique);
        if reply.error == 0 { Ok(reply.body) } else { Err(reply.error) }
    }

    #[track_caller]
    pub(super) fn expect_reply(&mut self, unique: u64, outcome: Result<&[u8], i32>) {
        let (error, body) = outcome.map_or_else(|error| (error, &[][..]), |body| (0, body));
        assert_eq!(self.receive(), Some(Reply { unique, error, body: body.to_vec() }));
    }

    #[track_caller]
    pub(super) fn expect_silence(&mut self) {
        assert_eq!(self.receive(), None);
    }

    #[track_caller]
    pub(super) fn lookup(&mut self, parent: u64, name: &str) -> Result<EntryOut, i32> {
        self.ask(opcode::LOOKUP, parent, &[name.as_bytes(), b"\0"]).map(|body| parse(&body))
    }

    #[track_caller]
    pub(super) fn open_node(&mut self, node: u64, flags: u32) -> Result<OpenOut, i32> {
        let open = OpenIn { flags, open_flags: 0 };
        self.ask(opcode::OPEN, node, &[open.as_bytes()]).map(|body| parse(&body))
    }

    /// Opens `name` of the root for reading and writing.
    #[track_caller]
    pub(super) fn open(&mut self, name: &str) -> u64 {
        let node = self.lookup(ROOT_NODE, name).unwrap().nodeid;
        self.open_node(node, libc::O_RDWR as u32).unwrap().fh
    }

    pub(super) fn send_read(&mut self, fh: u64, flags: u32) -> u64 {
        self.send(opcode::READ, 2, &[read(fh, 0, 100, flags).as_bytes()])
    }

    #[track_caller]
    pub(super) fn write(&mut self, fh: u64, data: &[u8]) {
        let unique = self.send(opcode::WRITE, 2, &[write(fh, data.len()).as_bytes(), data]);
        let reply = std::iter::from_fn(|| self.receive()).find(|reply| reply.unique == unique).unwrap();
        assert_eq!(parse::<WriteOut>(&reply.body).size as usize, data.len());
    }

    #[track_caller]
    pub(super) fn release(&mut self, fh: u64) {
        let unique = self.send(opcode::RELEASE, 2, &[release(fh).as_bytes()]);
        let reply = std::iter::from_fn(|| self.receive()).find(|reply| reply.unique == unique);
        assert_eq!(reply.unwrap().error, 0);
    }

    pub(super) fn interrupt(&mut self, unique: u64) {
        self.send(opcode::INTERRUPT, 0, &[InterruptIn { unique }.as_bytes()]);
    }

    #[track_caller]
    pub(super) fn poll(&mut self, fh: u64, kh: u64) -> u32 {
        let poll = PollIn { fh, kh, flags: POLL_SCHEDULE_NOTIFY, events: libc::POLLIN as u32 };
        parse::<PollOut>(&self.ask(opcode::POLL, 2, &[poll.as_bytes()]).unwrap()).revents
    }

    pub(super) fn control(&mut self, fh: u64, control: Control, data: &[u8]) -> Result<Vec<u8>, i32> {
        let cmd = control.number(data.len()).unwrap() as u32;
        self.ask(opcode::IOCTL, 2, &[ioctl(fh, cmd, data.len()).as_bytes(), data])
            .map(|body| body[size_of::<IoctlOut>()..].to_vec())
    }

    /// Dups an open file, and gives the name of the new one.
    #[track_caller]
    pub(super) fn dup(&mut self, fh: u64) -> String {
        let text = Text::new(0, b"again").unwrap();
        let reply = self.control(fh, Control::Dup, text.as_bytes()).unwrap();
        let path = String::from_utf8(parse::<Text>(&reply).get().unwrap().to_vec()).unwrap();
        path.strip_prefix("toy/").unwrap().to_owned()
    }

    pub(super) fn open_handles(&mut self) -> usize {
        self.session.scheme().open_handles()
    }
}

#[track_caller]
pub(super) fn parse<T: FromBytes + KnownLayout + Immutable>(body: &[u8]) -> T {
    T::read_from_bytes(body).expect("a reply's structure")
}

pub(super) fn read(fh: u64, offset: u64, size: u32, flags: u32) -> ReadIn {
    ReadIn { fh, offset, size, read_flags: 0, lock_owner: 0, flags, padding: 0 }
}

pub(super) fn write(fh: u64, size: usize) -> WriteIn {
    let (offset, flags) = (0, libc::O_RDWR as u32);
    WriteIn { fh, offset, size: size as u32, write_flags: 0, lock_owner: 0, flags, padding: 0 }
}

pub(super) fn release(fh: u64) -> ReleaseIn {
    ReleaseIn { fh, flags: 0, release_flags: 0, lock_owner: 0 }
}

pub(super) fn ioctl(fh: u64, cmd: u32, size: usize) -> IoctlIn {
    IoctlIn { fh, flags: 0, cmd, arg: 0, in_size: size as u32, out_size: size as u32 }
}
