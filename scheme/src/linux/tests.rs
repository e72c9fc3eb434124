//! Requests and the replies to them.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use super::abi::*;
use super::control::{CallHeader, Control, Text};
use crate::errno::{EAGAIN, EBADF, EINTR, EINVAL, ENODEV, ENOENT, ENOSYS, ENOTTY, ESTALE};
use crate::{Event, EventLoop, Interest};
use kernel::{Kernel, NONBLOCK, Reply, ioctl, parse, read, release, write};

mod kernel;
#[path = "../../tests/toy/mod.rs"]
mod toy;

#[test]
fn the_first_request_agrees_on_a_version() {
    let mut kernel = Kernel::new();
    let init = |major, minor| InitIn { major, minor, max_readahead: 0, flags: u32::MAX };
    let reply = kernel.ask(opcode::INIT, 0, &[init(7, 45).as_bytes()]).unwrap();
    let reply: InitOut = parse(&reply);
    assert_eq!((reply.major, reply.minor, reply.max_write), (7, 38, 128 * 1024));
    assert_eq!(kernel.ask(opcode::INIT, 0, &[init(7, 30).as_bytes()]), Err(crate::errno::EPROTO));
}

#[test]
fn a_text_is_read_in_pieces_and_closed() {
    let mut kernel = Kernel::new();
    let rooms = kernel.lookup(ROOT_NODE, "rooms").unwrap();
    assert_eq!(rooms.attr.mode, libc::S_IFDIR | 0o755);
    let note = kernel.lookup(rooms.nodeid, "note").unwrap();
    assert_eq!((note.attr.mode, note.attr.size), (libc::S_IFREG | 0o644, 6));
    let open = kernel.open_node(note.nodeid, 0).unwrap();
    assert_eq!(open.open_flags, self::open::DIRECT_IO | self::open::NOFLUSH);
    for (offset, expected) in [(0, "hel"), (3, "lo\n"), (6, "")] {
        let reply = kernel.ask(opcode::READ, note.nodeid, &[read(open.fh, offset, 3, 0).as_bytes()]);
        assert_eq!(reply.unwrap(), expected.as_bytes());
    }
    kernel.release(open.fh);
    assert_eq!(kernel.open_handles(), 0);
}

#[test]
fn a_read_waits_for_its_message() {
    let mut kernel = Kernel::new();
    let (reader, writer) = (kernel.open("board"), kernel.open("board"));
    let (first, second) = (kernel.send_read(reader, 0), kernel.send_read(reader, 0));
    kernel.expect_silence();
    let unique = kernel.send(opcode::WRITE, 2, &[write(writer, 3).as_bytes(), b"one"]);
    kernel.expect_reply(unique, Ok(&[3, 0, 0, 0, 0, 0, 0, 0]));
    kernel.expect_reply(first, Ok(b"one"));
    kernel.expect_silence();
    kernel.write(writer, b"two");
    kernel.expect_reply(second, Ok(b"two"));
    kernel.interrupt(second);
    kernel.expect_silence();
}

#[test]
fn a_nonblocking_read_is_told_at_once_and_so_is_the_scheme() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let read = read(board, 0, 100, NONBLOCK);
    assert_eq!(kernel.ask(opcode::READ, 2, &[read.as_bytes()]), Err(EAGAIN));
    let status: Vec<_> = kernel.session.scheme().handles.values().map(|handle| handle.status).collect();
    assert!(status.contains(&(crate::flag::O_RDONLY | crate::flag::O_NONBLOCK)), "{status:?}");
}

#[test]
fn an_interruption_ends_its_operation_at_once() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let (first, second) = (kernel.send_read(board, 0), kernel.send_read(board, 0));
    kernel.interrupt(second);
    kernel.expect_reply(second, Err(EINTR));
    kernel.interrupt(first);
    kernel.expect_reply(first, Err(EINTR));
    kernel.write(board, b"for nobody");
    kernel.expect_silence();
}

#[test]
fn an_interruption_that_comes_first_is_remembered() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let next = kernel.unique + 4;
    kernel.interrupt(next);
    kernel.expect_silence();
    let read = kernel.send_read(board, 0);
    assert_eq!(read, next);
    kernel.expect_reply(read, Err(EINTR));
    for unique in 1000..2000 {
        kernel.interrupt(unique);
    }
    kernel.expect_silence();
}

#[test]
fn a_timeout_ends_a_read() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let text = Text::new(0, b"timeout").unwrap();
    kernel.control(board, Control::Dup, text.as_bytes()).unwrap();
    let read = kernel.send_read(board, 0);
    let deadline = kernel.now + Duration::from_millis(100);
    assert_eq!(kernel.session.deadline(), Some(deadline));
    kernel.session.flush(deadline - Duration::from_millis(1));
    kernel.expect_silence();
    kernel.session.flush(deadline);
    kernel.expect_reply(read, Err(EAGAIN));
    assert_eq!(kernel.session.deadline(), None);
}

#[test]
fn a_poller_is_woken_once_for_each_look() {
    let mut kernel = Kernel::new();
    let (board, other) = (kernel.open("board"), kernel.open("board"));
    assert_eq!(kernel.poll(board, 77), 0);
    let unique = kernel.send(opcode::WRITE, 2, &[write(other, 1).as_bytes(), b"x"]);
    kernel.expect_reply(unique, Ok(&[1, 0, 0, 0, 0, 0, 0, 0]));
    let wake = Reply { unique: 0, error: -NOTIFY_POLL, body: 77u64.to_ne_bytes().to_vec() };
    assert_eq!(kernel.receive(), Some(wake));
    kernel.write(other, b"y");
    kernel.expect_silence();
    assert_eq!(kernel.poll(board, 77), libc::POLLIN as u32);
    kernel.release(board);
    kernel.write(other, b"z");
    kernel.expect_silence();
}

#[test]
fn a_shell_may_truncate_before_it_writes() {
    let mut kernel = Kernel::new();
    let board = kernel.lookup(ROOT_NODE, "board").unwrap();
    let nothing =
        SetattrIn { valid: setattr::SIZE, size: 0, ..FromBytes::read_from_bytes(&[0; 88]).unwrap() };
    let reply = kernel.ask(opcode::SETATTR, board.nodeid, &[nothing.as_bytes()]).unwrap();
    assert_eq!(parse::<AttrOut>(&reply).attr.mode, libc::S_IFREG | 0o600);
    let create = CreateIn { flags: libc::O_WRONLY as u32, mode: 0, umask: 0, open_flags: 0 };
    let create = kernel.ask(opcode::CREATE, ROOT_NODE, &[create.as_bytes(), b"none\0"]);
    assert_eq!(create, Err(ENOENT));
    assert_eq!(kernel.open_handles(), 0);
}

#[test]
fn a_dup_is_for_the_one_who_asked_for_it() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let name = kernel.dup(board);
    kernel.pid = 101;
    assert_eq!(kernel.lookup(ROOT_NODE, &name).unwrap_err(), ENOENT);
    kernel.pid = 100;
    let node = kernel.lookup(ROOT_NODE, &name).unwrap().nodeid;
    kernel.pid = 101;
    assert_eq!(kernel.open_node(node, 0).unwrap_err(), ENOENT);
    kernel.pid = 100;
    let copy = kernel.open_node(node, 0).unwrap().fh;
    assert_eq!(kernel.open_node(node, 0).unwrap_err(), ESTALE);
    assert_eq!(kernel.lookup(ROOT_NODE, &name).unwrap_err(), ENOENT);
    kernel.write(copy, b"both");
    assert_eq!(kernel.open_handles(), 2);
    kernel.release(copy);
    let get = GetattrIn { getattr_flags: 0, dummy: 0, fh: 0 };
    assert_eq!(kernel.ask(opcode::GETATTR, node, &[get.as_bytes()]), Err(ESTALE));
}

#[test]
fn dups_that_nobody_opens_are_closed() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    for _ in 0..200 {
        kernel.dup(board);
    }
    assert!(kernel.open_handles() < 100);
    kernel.release(board);
    assert_eq!(kernel.open_handles(), 0);
}

#[test]
fn a_call_carries_its_payload_both_ways() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let mut header = CallHeader { metadata_length: 2, metadata: [3, 4, 5], ..CallHeader::default() };
    let call = |kernel: &mut Kernel, header: CallHeader| {
        kernel.control(board, Control::Call, &[header.as_bytes(), b"abc"].concat())
    };
    let reply = call(&mut kernel, header).unwrap();
    let (answer, payload) = CallHeader::read_from_prefix(&reply).unwrap();
    assert_eq!((answer.result, payload), (7, &b"cba"[..]));
    header.metadata_length = 4;
    assert_eq!(call(&mut kernel, header), Err(EINVAL));
    let not_waiting = CallHeader { metadata_length: 1, metadata: [2, 0, 0], ..CallHeader::default() };
    assert_eq!(call(&mut kernel, not_waiting), Err(EAGAIN), "though the file blocks");
}

#[test]
fn other_ioctls_are_not_ours() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let ours = Control::Dup.number(16).unwrap() as u32;
    assert_eq!(kernel.ask(opcode::IOCTL, 2, &[ioctl(board, 0x5401, 0).as_bytes()]), Err(ENOTTY));
    assert_eq!(kernel.ask(opcode::IOCTL, 2, &[ioctl(board, ours, 16).as_bytes(), &[0; 16]]), Err(EINVAL));
    assert_eq!(kernel.ask(opcode::IOCTL, 2, &[ioctl(board, ours, 1 << 20).as_bytes()]), Err(EINVAL));
}

#[test]
fn a_listing_comes_in_pieces() {
    let mut kernel = Kernel::new();
    let open = OpenIn { flags: libc::O_DIRECTORY as u32, open_flags: 0 };
    let open: OpenOut = parse(&kernel.ask(opcode::OPENDIR, ROOT_NODE, &[open.as_bytes()]).unwrap());
    let (mut names, mut offset) = (Vec::new(), 0);
    loop {
        let piece =
            kernel.ask(opcode::READDIR, ROOT_NODE, &[read(open.fh, offset, 72, 0).as_bytes()]).unwrap();
        let mut rest = &piece[..];
        if rest.is_empty() {
            break;
        }
        while let Ok((entry, after)) = Dirent::read_from_prefix(rest) {
            names.push(String::from_utf8(after[..entry.namelen as usize].to_vec()).unwrap());
            offset = entry.off;
            rest = &after[(entry.namelen as usize).next_multiple_of(8)..];
        }
    }
    assert_eq!(names, [".", "..", "board", "rooms", "secret"]);
}

#[test]
fn what_is_unknown_is_refused() {
    let mut kernel = Kernel::new();
    assert_eq!(kernel.ask(9999, ROOT_NODE, &[]), Err(ENOSYS));
    assert_eq!(kernel.lookup(ROOT_NODE, "none").unwrap_err(), ENOENT);
    assert_eq!(kernel.lookup(12345, "board").unwrap_err(), ESTALE);
    assert_eq!(kernel.ask(opcode::READ, 2, &[read(99, 0, 1, 0).as_bytes()]), Err(EBADF));
    assert_eq!(kernel.ask(opcode::RELEASE, 2, &[release(99).as_bytes()]), Err(EBADF));
    assert_eq!(kernel.ask(opcode::READ, 2, &[]), Err(EINVAL));
    assert_eq!(kernel.ask(opcode::LOOKUP, ROOT_NODE, &[b"no end"]), Err(EINVAL));
    let batch = BatchForgetIn { count: u32::MAX, dummy: 0 };
    kernel.send(opcode::BATCH_FORGET, 0, &[batch.as_bytes(), &[255; 33]]);
    kernel.expect_silence();
}

#[test]
fn a_handle_closed_under_a_waiting_operation_ends_it() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let read = kernel.send_read(board, 0);
    kernel.send(opcode::RELEASE, 2, &[release(board).as_bytes()]);
    kernel.expect_reply(read, Err(EBADF));
}

#[test]
fn each_waiting_open_is_tried_when_it_is_named() {
    let mut kernel = Kernel::new();
    let gate = kernel.lookup(ROOT_NODE, "gate").unwrap().nodeid;
    let open = OpenIn { flags: libc::O_RDWR as u32, open_flags: 0 };
    let opens: Vec<u64> = (0..50).map(|_| kernel.send(opcode::OPEN, gate, &[open.as_bytes()])).collect();
    kernel.expect_silence();
    let toy = kernel.session.scheme();
    assert_eq!(toy.tries, 50);
    toy.gate_is_open = true;
    toy.notifier.retry(toy.waiting[7]);
    kernel.session.flush(kernel.now);
    assert_eq!(kernel.receive().map(|reply| (reply.unique, reply.error)), Some((opens[7], 0)));
    kernel.expect_silence();
    assert_eq!(kernel.session.scheme().tries, 51, "no other was tried");
    kernel.interrupt(opens[8]);
    kernel.expect_reply(opens[8], Err(EINTR));
    let toy = kernel.session.scheme();
    assert_eq!(toy.notifier.take_given_up(), [toy.waiting[8]]);
    toy.notifier.retry(toy.waiting[8]);
    kernel.session.flush(kernel.now);
    kernel.expect_silence();
}

#[test]
fn a_file_that_is_created_waits_like_others() {
    let mut kernel = Kernel::new();
    assert_eq!(kernel.lookup(ROOT_NODE, "new gate").unwrap_err(), ENOENT);
    let create = |flags: i32| CreateIn { flags: flags.cast_unsigned(), mode: 0, umask: 0, open_flags: 0 };
    let eager = create(libc::O_WRONLY | libc::O_NONBLOCK);
    let eager = kernel.ask(opcode::CREATE, ROOT_NODE, &[eager.as_bytes(), b"new gate\0"]);
    assert_eq!(eager, Err(EAGAIN));
    let toy = kernel.session.scheme();
    assert_eq!(toy.notifier.take_given_up(), [toy.waiting[0]]);
    let patient = kernel.send(opcode::CREATE, ROOT_NODE, &[create(libc::O_WRONLY).as_bytes(), b"new gate\0"]);
    kernel.expect_silence();
    let toy = kernel.session.scheme();
    toy.gate_is_open = true;
    toy.notifier.retry(toy.waiting[1]);
    kernel.session.flush(kernel.now);
    let reply = kernel.receive().unwrap();
    assert_eq!((reply.unique, reply.error), (patient, 0));
    kernel.release(parse::<CreateOut>(&reply.body).open.fh);
    assert_eq!(kernel.open_handles(), 0);
}

#[test]
fn the_next_handle_of_a_number_inherits_nothing_from_an_unopened_dup() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    kernel.dup(board);
    let toy = kernel.session.scheme();
    let (dup, _) = toy.handles.last_key_value().unwrap();
    let dup = *dup;
    toy.notifier.set_timeout(dup, crate::EventFlags::EVENT_READ, Some(Duration::from_secs(1)));
    kernel.release(board);
    let node = kernel.lookup(ROOT_NODE, "board").unwrap().nodeid;
    kernel.session.scheme().last = dup - 1;
    let next = kernel.open_node(node, libc::O_RDWR as u32).unwrap().fh;
    assert!(kernel.session.scheme().handles.contains_key(&dup));
    kernel.send_read(next, 0);
    kernel.expect_silence();
    assert_eq!(kernel.session.deadline(), None);
}

#[test]
fn a_client_that_keeps_the_queue_full_leaves_time_for_others() {
    let mut kernel = Kernel::new();
    let (device, token) = (kernel.session.as_raw_fd(), 1);
    let (interrupt, mut line) = UnixStream::pair().unwrap();
    line.write_all(b"x").unwrap();
    let mut event_loop = EventLoop::new().unwrap();
    event_loop.register(device, token, Interest::Read).unwrap();
    event_loop.register(interrupt.as_raw_fd(), 2, Interest::Read).unwrap();
    for _ in 0..20 {
        while kernel.queue(opcode::STATFS, ROOT_NODE, &[]).is_some() {}
        let mut events = Vec::new();
        event_loop.wait(Some(Duration::ZERO), &mut events).unwrap();
        assert!(events.contains(&Event { token: 2 }), "{events:?}");
        assert!(events.contains(&Event { token }), "{events:?}");
        kernel.session.process(kernel.now).unwrap();
        assert_eq!(std::iter::from_fn(|| kernel.receive()).count(), 64);
    }
}

#[test]
fn a_server_that_ends_answers_those_who_wait() {
    let mut kernel = Kernel::new();
    let board = kernel.open("board");
    let read = kernel.send_read(board, 0);
    kernel.session = Kernel::new().session;
    kernel.expect_reply(read, Err(ENODEV));
}

/// Opcodes of which something is known, and some others.
fn opcodes() -> impl Strategy<Value = u32> {
    prop_oneof![9 => 0u32..55, 1 => any::<u32>()]
}

/// Bodies with small numbers at the places where a handle or a size is.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![3 => 0u64..8, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let words = prop::collection::vec(word, 0..14);
    (words, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(words, tail)| {
        let words: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
        [words, tail].concat()
    })
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..20)) {
        let mut kernel = Kernel::new();
        for message in messages {
            kernel.send_raw(&message);
            while kernel.receive().is_some() {}
        }
        prop_assert!(kernel.lookup(ROOT_NODE, "board").is_ok());
    }

    /// Each request gets at most one reply, whatever is in it; and the server is still there afterwards.
    #[test]
    fn random_requests_do_no_harm(
        requests in prop::collection::vec((opcodes(), 0u64..6, bodies()), 1..60)
    ) {
        let mut kernel = Kernel::new();
        let (board, _) = (kernel.open("board"), kernel.open("board"));
        kernel.dup(board);
        let mut answered = std::collections::HashSet::new();
        for (opcode, node, body) in requests {
            kernel.send(opcode, node, &[&body]);
            while let Some(reply) = kernel.receive() {
                prop_assert!(reply.unique == 0 || answered.insert(reply.unique), "{reply:?}");
            }
        }
        prop_assert!(kernel.lookup(ROOT_NODE, "board").is_ok());
    }

    #[test]
    fn truncated_requests_do_no_harm(length in 0usize..80, claimed in 0u32..200) {
        let mut kernel = Kernel::new();
        let board = kernel.open("board");
        let header = InHeader {
            len: claimed, opcode: opcode::READ, unique: 50, nodeid: 2, uid: 0, gid: 0, pid: 1, total_extlen: 0,
            padding: 0,
        };
        let whole = [header.as_bytes(), read(board, 0, 10, NONBLOCK).as_bytes()].concat();
        if length > 0 {
            kernel.send_raw(&whole[..length]);
            while kernel.receive().is_some() {}
        }
        prop_assert!(kernel.lookup(ROOT_NODE, "board").is_ok());
    }
}
