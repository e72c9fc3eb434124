//! The schemes called as their server calls them.

mod configuration;
mod device;
mod groups;
mod hostile;
mod netcfg;
mod options;
mod permissions;
mod settings;
mod streams;
mod tcp;
mod udp;

use std::cell::RefCell;
use std::rc::Rc;

use redox_scheme::{Request, RequestKind};
use scheme::errno::EAGAIN;
use scheme::flag::{O_NONBLOCK, O_RDWR};
use scheme::{CallerCtx, Notifier, OpenResult, SchemeSync, Stat};

use super::socket_scheme::{Protocol, SharedStack, SocketScheme};
use crate::stack::{Instant, Random, Stack};

/// A scheme's answer, with the error as its number.
pub type Answer<T> = std::result::Result<T, i32>;

/// A host with loopback alone.
pub fn host() -> SharedStack {
    Rc::new(RefCell::new(Stack::new(Random::new([1, 2]), Instant::ZERO)))
}

/// One who asks.
pub fn caller(uid: u32) -> CallerCtx {
    let RequestKind::Call(request) = Request::default().kind() else { panic!("not a call") };
    CallerCtx { uid, ..request.caller() }
}

/// A scheme and its users.
pub struct Rig<S> {
    pub scheme: S,
    pub stack: SharedStack,
    root: usize,
    pub uid: u32,
}

pub fn rig<P: Protocol>(stack: &SharedStack) -> Rig<SocketScheme<P>> {
    Rig::new(SocketScheme::new(stack.clone(), Notifier::default()), stack)
}

impl<S: SchemeSync> Rig<S> {
    pub fn new(mut scheme: S, stack: &SharedStack) -> Self {
        let root = scheme.scheme_root().unwrap();
        Self { scheme, stack: stack.clone(), root, uid: 0 }
    }

    /// Lets the stack do what is due.
    pub fn settle(&mut self) {
        let mut stack = self.stack.borrow_mut();
        let now = stack.network.now;
        stack.poll(now);
    }

    pub fn open_with(&mut self, path: &str, flags: usize) -> Answer<usize> {
        handle(self.scheme.openat(self.root, path, flags, 0, &caller(self.uid)))
    }

    /// A blocking open, tried again as the server does.
    pub fn open(&mut self, path: &str) -> Answer<usize> {
        match self.open_with(path, O_RDWR) {
            Err(EAGAIN) => {
                self.settle();
                self.open_with(path, O_RDWR)
            }
            answer => answer,
        }
    }

    pub fn open_nonblocking(&mut self, path: &str) -> Answer<usize> {
        self.open_with(path, O_RDWR | O_NONBLOCK)
    }

    pub fn dup(&mut self, id: usize, path: &str) -> Answer<usize> {
        handle(self.scheme.dup(id, path.as_bytes(), &caller(self.uid)))
    }

    pub fn read(&mut self, id: usize, length: usize) -> Answer<Vec<u8>> {
        let mut buffer = vec![0; length];
        let count = number(self.scheme.read(id, &mut buffer, 0, 0, &caller(self.uid)))?;
        buffer.truncate(count);
        Ok(buffer)
    }

    pub fn text(&mut self, id: usize) -> String {
        String::from_utf8(self.read(id, 4096).unwrap()).unwrap()
    }

    pub fn write(&mut self, id: usize, data: &[u8]) -> Answer<usize> {
        number(self.scheme.write(id, data, 0, 0, &caller(self.uid)))
    }

    pub fn call(&mut self, id: usize, payload: &mut [u8], metadata: &[u64]) -> Answer<usize> {
        number(self.scheme.call(id, payload, metadata, &caller(self.uid)))
    }

    /// `getsockopt` of a number; `name` is `[number]` or `[number, level + 1]`.
    pub fn option(&mut self, id: usize, name: &[u64]) -> Answer<i32> {
        let mut value = [0; 4];
        self.call(id, &mut value, &[&[3], name].concat()).map(|_| i32::from_ne_bytes(value))
    }

    /// `setsockopt` of numbers.
    pub fn set_option(&mut self, id: usize, name: &[u64], value: &[i32]) -> Answer<usize> {
        let mut value: Vec<u8> = value.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.call(id, &mut value, &[&[2], name].concat())
    }

    pub fn path(&mut self, id: usize) -> String {
        let mut buffer = [0; 256];
        let length = self.scheme.fpath(id, &mut buffer, &caller(self.uid)).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    pub fn peer(&mut self, id: usize) -> Answer<String> {
        let mut buffer = [0; 256];
        let length = self.call(id, &mut buffer, &[8])?;
        Ok(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    pub fn mode(&mut self, id: usize) -> u16 {
        let mut stat = Stat::default();
        self.scheme.fstat(id, &mut stat, &caller(self.uid)).unwrap();
        stat.st_mode
    }

    pub fn close(&mut self, id: usize) {
        self.scheme.on_close(id);
        self.settle();
    }
}

fn handle(result: scheme::Result<OpenResult>) -> Answer<usize> {
    match result {
        Ok(OpenResult::ThisScheme { number, .. }) => Ok(number),
        Ok(other) => panic!("a foreign handle: {other:?}"),
        Err(error) => Err(error.errno),
    }
}

fn number(result: scheme::Result<usize>) -> Answer<usize> {
    result.map_err(|error| error.errno)
}
