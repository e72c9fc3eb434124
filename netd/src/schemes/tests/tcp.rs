//! `tcp` as relibc and a shell use it.

use scheme::errno::*;
use scheme::flag::{
    F_GETFL, F_SETFL, MODE_DIR, MODE_FILE, MODE_TYPE, O_DIRECTORY, O_NONBLOCK, O_RDWR, O_STAT,
};
use scheme::{EventFlags, SchemeSync};
use smoltcp::time::Duration;

use super::*;
use crate::schemes::tcp::Tcp;

const SERVER: &str = "127.0.0.1:8080";

/// A listener, a client and the server's side of its connection.
fn connection() -> (Rig<SocketScheme<Tcp>>, usize, usize) {
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/0.0.0.0:8080").unwrap();
    let client = rig.open(SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    (rig, client, server)
}

#[test]
fn an_open_waits_for_the_handshake_and_bytes_flow_both_ways() {
    let (mut rig, client, server) = connection();
    assert_eq!(rig.write(client, b"ping"), Ok(4));
    rig.settle();
    assert_eq!(rig.read(server, 9), Ok(b"ping".to_vec()));
    assert_eq!(rig.read(server, 9), Err(EAGAIN));
    assert_eq!(rig.write(server, b"pong"), Ok(4));
    rig.close(server);
    assert_eq!(rig.read(client, 9), Ok(b"pong".to_vec()));
    assert_eq!(rig.read(client, 9), Ok(Vec::new()));
}

#[test]
fn a_refused_open_says_so() {
    let mut rig = rig::<Tcp>(&host());
    assert_eq!(rig.open(SERVER), Err(ECONNREFUSED));
    assert_eq!(rig.open("192.0.2.1:80"), Err(ENETUNREACH));
    let socket = rig.open("").unwrap();
    for nobody in ["127.0.0.1:0", "0.0.0.0:80"] {
        assert_eq!(rig.open(nobody), Err(EINVAL));
        assert_eq!(rig.dup(socket, nobody), Err(EINVAL), "it does not listen");
    }
}

#[test]
fn a_nonblocking_open_comes_back_at_once_and_tells_later() {
    let mut rig = rig::<Tcp>(&host());
    let client = rig.open_nonblocking(SERVER).unwrap();
    let all = EventFlags::EVENT_READ | EventFlags::EVENT_WRITE;
    assert_eq!(rig.scheme.fevent(client, all, &caller(0)).unwrap(), EventFlags::empty());
    assert_eq!(rig.write(client, b"x"), Err(EAGAIN));
    rig.settle();
    assert_eq!(rig.scheme.fevent(client, all, &caller(0)).unwrap(), all);
    assert_eq!(rig.read(client, 9), Err(ECONNREFUSED));
    assert_eq!(rig.read(client, 9), Ok(Vec::new()));
}

#[test]
fn relibc_s_connect_bind_and_accept_are_dups() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open("").unwrap();
    assert_eq!(rig.path(socket), "/scheme/tcp/0.0.0.0:0/0.0.0.0:0");
    assert_eq!(rig.read(socket, 9), Err(ENOTCONN));
    let listener = rig.dup(socket, "/127.0.0.1:8080").unwrap();
    rig.close(socket);
    assert_eq!(rig.path(listener), "/scheme/tcp/0.0.0.0:0/127.0.0.1:8080");
    assert_eq!(rig.dup(listener, "listen"), Err(EAGAIN_READ));

    let socket = rig.open("").unwrap();
    assert_eq!(rig.dup(socket, SERVER), Err(EAGAIN_WRITE));
    rig.settle();
    let client = rig.dup(socket, SERVER).unwrap();
    rig.close(socket);
    assert_eq!(rig.dup(client, SERVER), Err(EISCONN));

    let server = rig.dup(listener, "listen").unwrap();
    let ours = rig.path(server);
    assert_eq!(rig.peer(server), Ok(ours.clone()));
    assert!(ours.starts_with("/scheme/tcp/127.0.0.1:") && ours.ends_with("/127.0.0.1:8080"), "{ours}");
    assert_eq!(rig.peer(listener), Err(ENOTCONN));
    assert_eq!(rig.write(client, b"still open"), Ok(10));
}

#[test]
fn a_nonblocking_connect_is_in_progress_on_the_socket_itself() {
    let mut rig = rig::<Tcp>(&host());
    rig.open("/0.0.0.0:8080").unwrap();
    let socket = rig.open_nonblocking("").unwrap();
    assert_eq!(rig.dup(socket, SERVER), Err(EINPROGRESS));
    assert_eq!(rig.dup(socket, SERVER), Err(EALREADY));
    rig.settle();
    assert!(rig.path(socket).starts_with("/scheme/tcp/127.0.0.1:8080/127.0.0.1:"));
    assert_eq!(rig.write(socket, b"x"), Ok(1));
}

#[test]
fn a_bound_socket_connects_from_where_it_is_bound() {
    let mut rig = rig::<Tcp>(&host());
    rig.open("/0.0.0.0:8080").unwrap();
    let socket = rig.open("").unwrap();
    let bound = rig.dup(socket, "/127.0.0.1:4000").unwrap();
    assert_eq!(rig.dup(bound, SERVER), Err(EAGAIN_WRITE));
    rig.settle();
    let client = rig.dup(bound, SERVER).unwrap();
    assert_eq!(rig.path(client), "/scheme/tcp/127.0.0.1:8080/127.0.0.1:4000");
}

#[test]
fn a_connect_that_cannot_begin_leaves_its_socket_bound() {
    let mut rig = rig::<Tcp>(&host());
    let bound = rig.open("/127.0.0.1:4000").unwrap();
    assert_eq!(rig.dup(bound, "192.0.2.1:80"), Err(ENETUNREACH));
    assert_eq!(rig.path(bound), "/scheme/tcp/0.0.0.0:0/127.0.0.1:4000");
    assert_eq!(rig.open("/127.0.0.1:4000"), Err(EADDRINUSE));
}

#[test]
fn a_listener_that_others_share_is_not_taken_from_them() {
    let mut rig = rig::<Tcp>(&host());
    rig.open("/0.0.0.0:9090").unwrap();
    let listener = rig.open("/0.0.0.0:8080").unwrap();
    let twin = rig.dup(listener, "").unwrap();
    assert_eq!(rig.dup(listener, "127.0.0.1:9090"), Err(EISCONN));
    rig.open("/0.0.0.0:22").unwrap();
    assert!(rig.path(twin).ends_with(":8080"), "{}", rig.path(twin));
    rig.close(listener);
    assert_eq!(rig.dup(twin, "127.0.0.1:9090"), Err(EAGAIN_WRITE), "its last handle may connect");
}

#[test]
fn an_open_that_is_given_up_leaves_nothing_to_the_next_one_with_its_id() {
    let (stack, notifier) = (host(), Notifier::default());
    let mut rig = Rig::new(SocketScheme::<Tcp>::new(stack.clone(), notifier.clone()), &stack);
    let listener = rig.open("/0.0.0.0:8080").unwrap();
    rig.open("/0.0.0.0:9090").unwrap();
    assert_eq!(rig.open_with(SERVER, O_RDWR), Err(EAGAIN));
    rig.settle();
    notifier.give_up(caller(0).id);
    let next = rig.open("127.0.0.1:9090").unwrap();
    assert!(rig.path(next).starts_with("/scheme/tcp/127.0.0.1:9090/"), "{}", rig.path(next));
    rig.settle();
    let server = rig.dup(listener, "listen").unwrap();
    assert_eq!(rig.read(server, 9), Ok(Vec::new()), "its client has closed");
}

#[test]
fn low_ports_are_the_administrator_s_and_one_listener_s() {
    let mut rig = rig::<Tcp>(&host());
    rig.uid = 1000;
    for low in [1, 80, 1023] {
        assert_eq!(rig.open(&format!("/0.0.0.0:{low}")), Err(EACCES));
        assert_eq!(rig.open(&format!("{SERVER}/127.0.0.1:{low}")), Err(EACCES));
    }
    assert!(rig.open("/0.0.0.0:1024").is_ok());
    let socket = rig.open("").unwrap();
    assert_eq!(rig.dup(socket, "/0.0.0.0:80"), Err(EACCES));
    rig.uid = 0;
    assert!(rig.open("/0.0.0.0:80").is_ok());
    assert_eq!(rig.open("/0.0.0.0:80"), Err(EADDRINUSE));
    assert_eq!(rig.open("/192.0.2.1:81"), Err(EADDRNOTAVAIL));
}

#[test]
fn looking_connects_to_nothing() {
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/0.0.0.0:8080").unwrap();
    let looked_at = rig.open_with(SERVER, O_STAT).unwrap();
    rig.settle();
    assert_eq!(rig.mode(looked_at) & MODE_TYPE, MODE_FILE);
    assert_eq!(rig.dup(listener, "listen"), Err(EAGAIN_READ));
    let root = rig.open_with("", O_DIRECTORY).unwrap();
    assert_eq!(rig.mode(root) & MODE_TYPE, MODE_DIR);
    assert_eq!(rig.open_with(SERVER, O_DIRECTORY), Err(ENOTDIR));
    for unknown in ["nonsense", "example.org:80", "127.0.0.1"] {
        assert_eq!(rig.open_with(unknown, O_STAT), Err(ENOENT));
        assert_eq!(rig.open(unknown), Err(ENOENT));
    }
}

#[test]
fn flags_are_kept() {
    let (mut rig, client, _) = connection();
    let set = O_NONBLOCK;
    rig.scheme.fcntl(client, F_SETFL, set, &caller(0)).unwrap();
    assert_eq!(rig.scheme.fcntl(client, F_GETFL, 0, &caller(0)).unwrap() & O_NONBLOCK, O_NONBLOCK);
}

#[test]
fn a_shutdown_ends_one_half() {
    let (mut rig, client, server) = connection();
    assert_eq!(rig.call(client, &mut [], &[9, 1]), Ok(0));
    rig.settle();
    assert_eq!(rig.read(server, 9), Ok(Vec::new()));
    assert_eq!(rig.write(client, b"x"), Err(EPIPE));
    assert_eq!(rig.write(server, b"y"), Ok(1));
    rig.settle();
    assert_eq!(rig.read(client, 9), Ok(b"y".to_vec()));
    assert_eq!(rig.call(client, &mut [], &[9, 7]), Err(EINVAL));
    assert_eq!(rig.read(client, 9), Err(EAGAIN));
    assert_eq!(rig.call(client, &mut [], &[9, 0]), Ok(0));
    assert_eq!(rig.read(client, 9), Ok(Vec::new()), "the other half, for who reads");
    let mut request = [0, 9, 0].map(usize::to_ne_bytes).concat();
    request.resize(64, 0);
    assert_eq!(rig.call(client, &mut request, &[5, 0]), Ok(16), "and for who calls recvmsg");
}

/// Lets time pass until what can arrive has arrived.
fn pass(rig: &mut Rig<SocketScheme<Tcp>>) {
    for _ in 0..100 {
        let mut stack = rig.stack.borrow_mut();
        let later = stack.network.now + Duration::from_millis(10);
        stack.poll(later);
    }
}

#[test]
fn a_write_is_taken_as_far_as_there_is_room_and_the_writer_hears_of_more() {
    let (mut rig, client, server) = connection();
    let data = vec![7; 4 << 20];
    let mut sent = 0;
    while let Ok(count) = rig.write(client, &data) {
        assert!(count < data.len(), "what does not fit is not said to be taken");
        sent += count;
        pass(&mut rig);
    }
    let all = EventFlags::EVENT_READ | EventFlags::EVENT_WRITE;
    assert_eq!(rig.scheme.fevent(client, all, &caller(0)).unwrap(), EventFlags::empty());
    rig.scheme.post_changes();

    let mut received = rig.read(server, data.len()).unwrap().len();
    pass(&mut rig);
    assert!(rig.scheme.post_changes(), "an edge");
    assert_eq!(rig.scheme.fevent(client, all, &caller(0)).unwrap(), EventFlags::EVENT_WRITE);
    sent += rig.write(client, &data).unwrap();
    rig.close(client);
    while let Ok(bytes) = rig.read(server, data.len())
        && !bytes.is_empty()
    {
        received += bytes.len();
        pass(&mut rig);
    }
    assert_eq!(received, sent);
}

#[test]
fn who_disconnects_is_a_socket_like_a_new_one_and_its_peer_hears_the_end() {
    let (mut rig, client, server) = connection();
    let again = rig.dup(client, "disconnect").unwrap();
    rig.close(client);
    assert_eq!(rig.path(again), "/scheme/tcp/0.0.0.0:0/0.0.0.0:0");
    assert_eq!(rig.read(again, 9), Err(ENOTCONN));
    assert_eq!(rig.read(server, 9), Ok(Vec::new()));
    assert_eq!(rig.dup(again, SERVER), Err(EAGAIN_WRITE), "it can connect");
}

#[test]
fn timeouts_are_files_of_sixteen_bytes() {
    let (mut rig, client, _) = connection();
    let timeout = rig.dup(client, "read_timeout").unwrap();
    let text = [&5_i64.to_ne_bytes()[..], &500_000_i32.to_ne_bytes(), &[0; 4]].concat();
    assert_eq!(rig.write(timeout, &text), Ok(16));
    assert_eq!(rig.read(timeout, 16), Ok(text.clone()));
    assert_eq!(rig.write(timeout, &text[..15]), Err(EINVAL));
    let negative = [&(-5_i64).to_ne_bytes()[..], &[0; 8]].concat();
    assert_eq!(rig.write(timeout, &negative), Err(EINVAL));
    let again = rig.dup(client, "read_timeout").unwrap();
    assert_eq!(rig.read(again, 16), Ok(text.clone()));
    let mut value = [0; 16];
    assert_eq!(rig.call(client, &mut value, &[3, 20]), Ok(16));
    assert_eq!(value, [5_u64, 500].map(u64::to_ne_bytes).concat()[..], "getsockopt, in microseconds");
    assert_eq!(rig.call(client, &mut value, &[3, 21]), Ok(16));
    assert_eq!(value, [0; 16]);
    rig.close(client);
    assert_eq!(rig.write(timeout, &text), Err(EBADF), "the next handle may have its number");
}

#[test]
fn a_timeout_set_before_bind_holds_for_the_socket_but_not_for_whom_it_accepts() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open("").unwrap();
    let text = [&5_i64.to_ne_bytes()[..], &[0; 8]].concat();
    let timeout = rig.dup(socket, "read_timeout").unwrap();
    rig.write(timeout, &text).unwrap();
    rig.close(timeout);
    let listener = rig.dup(socket, "/127.0.0.1:8080").unwrap();
    rig.close(socket);
    rig.open(SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    for (id, expected) in [(listener, text), (server, vec![0; 16])] {
        let timeout = rig.dup(id, "read_timeout").unwrap();
        assert_eq!(rig.read(timeout, 16), Ok(expected));
    }
}

#[test]
fn recvmsg_tells_the_end_and_sendmsg_sends() {
    let (mut rig, client, server) = connection();
    let mut message = [&3_usize.to_ne_bytes()[..], b"abc"].concat();
    assert_eq!(rig.call(client, &mut message, &[4, 0]), Ok(3));
    rig.settle();
    let mut payload =
        [&0_usize.to_ne_bytes()[..], &10_usize.to_ne_bytes(), &0_usize.to_ne_bytes(), &[0; 64]].concat();
    assert_eq!(rig.call(server, &mut payload.clone(), &[5, 2]), Ok(8 + 8 + 3), "peeked at");
    let mut answer = payload.clone();
    assert_eq!(rig.call(server, &mut answer, &[5, 0]), Ok(8 + 8 + 3));
    assert_eq!(answer[8..19], [&3_usize.to_ne_bytes()[..], b"abc"].concat());
    assert_eq!(rig.call(server, &mut payload.clone(), &[5, 0]), Err(EAGAIN_READ));
    assert_eq!(rig.call(server, &mut payload.clone(), &[5, 0x40]), Err(EAGAIN_NOW));
    rig.close(client);
    assert_eq!(rig.call(server, &mut payload, &[5, 0]), Ok(16), "the end: no bytes");
    assert_eq!(rig.call(server, &mut [1, 2, 3], &[5, 0]), Err(EINVAL));
}

#[test]
fn a_listener_is_readable_when_a_connection_waits_though_nobody_has_written() {
    let (stack, notifier) = (host(), Notifier::default());
    let mut rig = Rig::new(SocketScheme::<Tcp>::new(stack.clone(), notifier.clone()), &stack);
    let listener = rig.open("/0.0.0.0:8080").unwrap();
    let all = EventFlags::EVENT_READ | EventFlags::EVENT_WRITE;
    let ready = |rig: &mut Rig<SocketScheme<Tcp>>| rig.scheme.fevent(listener, all, &caller(0)).unwrap();
    assert_eq!(ready(&mut rig), EventFlags::empty());
    let client = rig.open(SERVER).unwrap();
    assert!(rig.scheme.post_changes(), "an edge");
    assert_eq!(ready(&mut rig), EventFlags::EVENT_READ);
    let server = rig.dup(listener, "listen").unwrap();
    assert_eq!(ready(&mut rig), EventFlags::empty());
    assert_eq!(rig.write(server, b"who is there?"), Ok(13), "the server speaks first");
    rig.settle();
    assert_eq!(rig.read(client, 64), Ok(b"who is there?".to_vec()));
}
