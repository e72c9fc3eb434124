//! The kernel's requests to a scheme.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use scheme::Notifier;
use scheme::fuzzing::Unmounted;

use crate::input::Input;
use crate::toy::Toy;

/// More requests than this tell nothing new.
const MOST_REQUESTS: usize = 100;

/// `fuse_in_header` and `fuse_out_header` of `linux/fuse.h`, in bytes.
const HEADERS: (usize, usize) = (40, 16);

/// Sends the requests that `data` describes, lets time pass between them, and reads the replies.
pub fn run(data: &[u8]) {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (kernel, device) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .expect("a socket pair");
    let notifier = Notifier::default();
    let mut server =
        Unmounted::new(device, "toy", Toy::new(notifier.clone()), notifier).expect("the toy has a root");
    let mut input = Input::new(data);
    let mut now = Instant::now();
    for index in 0..MOST_REQUESTS {
        if input.is_empty() {
            break;
        }
        let request = request(&mut input, index);
        // The socket takes no empty message.
        if !request.is_empty() {
            rustix::net::send(&kernel, &request, SendFlags::empty()).expect("the socket takes a request");
        }
        now += Duration::from_millis(input.u8().into());
        server.process(now).expect("the socket is open");
        while let Some(reply) = receive(&kernel) {
            check(&reply);
        }
    }
}

/// A request with the header that a kernel would give it, or any bytes at all.
fn request(input: &mut Input<'_>, index: usize) -> Vec<u8> {
    let (kind, length) = (input.u8(), usize::from(input.u16() % 2048));
    if kind == u8::MAX {
        return input.bytes(length).to_vec();
    }
    let unique = 2 * (index as u64 + 1);
    let nodeid = u64::from(input.u8());
    // Most structures end in zeros, which need not be in the input.
    let zeros = usize::from(input.u8()) * 8;
    let mut body = input.bytes(length).to_vec();
    body.resize(body.len() + zeros, 0);
    let mut request = Vec::new();
    request.extend(((HEADERS.0 + body.len()) as u32).to_ne_bytes());
    request.extend(u32::from(kind).to_ne_bytes());
    request.extend(unique.to_ne_bytes());
    request.extend(nodeid.to_ne_bytes());
    // uid, gid, pid; two lengths.
    request.extend([0, 0, 100, 0].map(u32::to_ne_bytes).concat());
    request.extend(body);
    request
}

fn receive(kernel: &OwnedFd) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 1 << 18];
    let (_, length) = rustix::net::recv(kernel, &mut buffer[..], RecvFlags::empty()).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

/// The kernel takes the connection down over a reply that is not this long, or has no such error.
fn check(reply: &[u8]) {
    let word = |at: usize| u32::from_ne_bytes(*reply[at..].first_chunk().expect("a header"));
    assert!(reply.len() >= HEADERS.1 && word(0) as usize == reply.len());
    let (error, is_notification) = (word(4).cast_signed(), word(8) == 0 && word(12) == 0);
    assert!(is_notification || (-511..=0).contains(&error), "error {error}");
    assert!(error == 0 || is_notification || reply.len() == HEADERS.1, "an error with a body");
}
