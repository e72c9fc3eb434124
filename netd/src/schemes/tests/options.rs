//! Socket options.

use scheme::EventFlags;
use scheme::errno::*;
use smoltcp::time::Duration;

use super::*;
use crate::schemes::icmp::Icmp;
use crate::schemes::tcp::Tcp;
use crate::schemes::udp::Udp;
use crate::stack::LOOPBACK;

/// What stands before a packet.
const HEADROOM: usize = smoltcp::wire::ETHERNET_HEADER_LEN;

const SERVER: &str = "127.0.0.1:8080";
const SO_REUSEADDR: u64 = 2;
const SO_TYPE: u64 = 3;
const SO_ERROR: u64 = 4;
const SO_BROADCAST: u64 = 6;
const SO_SNDBUF: u64 = 7;
const SO_RCVBUF: u64 = 8;
const SO_KEEPALIVE: u64 = 9;
const SO_LINGER: u64 = 13;
const SO_REUSEPORT: u64 = 15;
const SO_ACCEPTCONN: u64 = 30;
const SO_PROTOCOL: u64 = 38;
const SO_DOMAIN: u64 = 39;
/// With their level, plus one.
const TCP_NODELAY: [u64; 2] = [1, 7];
const IP_TOS: [u64; 2] = [1, 1];
const IP_TTL: [u64; 2] = [2, 1];

/// A socket bound as relibc binds it.
fn bound(rig: &mut Rig<SocketScheme<Tcp>>, options: &[(u64, i32)]) -> Answer<usize> {
    let socket = rig.open("").unwrap();
    for (name, value) in options {
        rig.set_option(socket, &[*name], &[*value])?;
    }
    rig.dup(socket, "/127.0.0.1:8080")
}

#[test]
fn what_is_set_of_a_tcp_socket_stays_so_when_it_listens_connects_and_accepts() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open("").unwrap();
    let names = [&[SO_KEEPALIVE][..], &TCP_NODELAY, &IP_TTL, &IP_TOS];
    let usual = names.map(|name| rig.option(socket, name).unwrap());
    assert_eq!(usual, [0, 0, 64, 0]);
    for (name, value) in names.into_iter().zip([1, 1, 9, 0x10]) {
        assert_eq!(rig.set_option(socket, name, &[value]), Ok(4));
    }
    let listener = rig.dup(socket, "/127.0.0.1:8080").unwrap();
    let client = rig.dup(socket, SERVER);
    assert_eq!(client, Err(EAGAIN_WRITE));
    rig.settle();
    let client = rig.dup(socket, SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    for id in [listener, client, server] {
        assert_eq!(names.map(|name| rig.option(id, name).unwrap()), [1, 1, 9, 0x10]);
    }
}

#[test]
fn a_tcp_socket_tells_what_it_is() {
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/[::1]:8080").unwrap();
    let socket = rig.open("").unwrap();
    let what = [SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ACCEPTCONN, SO_ERROR];
    assert_eq!(what.map(|name| rig.option(listener, &[name])), [1, 6, 10, 1, 0].map(Ok));
    assert_eq!(what.map(|name| rig.option(socket, &[name])), [1, 6, 2, 0, 0].map(Ok));
}

#[test]
fn a_failed_connect_is_told_by_so_error_once() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open_nonblocking("").unwrap();
    assert_eq!(rig.dup(socket, SERVER), Err(EINPROGRESS));
    rig.settle();
    assert_eq!(rig.option(socket, &[SO_ERROR]), Ok(ECONNREFUSED));
    assert_eq!(rig.option(socket, &[SO_ERROR]), Ok(0));
}

#[test]
fn buffers_are_as_large_as_asked_for_before_a_connection_begins() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open("").unwrap();
    let usual = rig.option(socket, &[SO_RCVBUF]).unwrap();
    assert_eq!(rig.set_option(socket, &[SO_RCVBUF], &[1 << 20]), Ok(4));
    assert_eq!(rig.set_option(socket, &[SO_SNDBUF], &[8192]), Ok(4));
    assert_eq!(rig.set_option(socket, &[SO_SNDBUF], &[-1]), Err(EINVAL));
    rig.open("/127.0.0.1:8080").unwrap();
    assert_eq!(rig.dup(socket, SERVER), Err(EAGAIN_WRITE));
    assert_eq!([SO_RCVBUF, SO_SNDBUF].map(|name| rig.option(socket, &[name])), [1 << 20, 8192].map(Ok));
    rig.settle();
    let client = rig.dup(socket, SERVER).unwrap();
    assert_eq!(rig.write(client, &[0; 10_000]), Ok(8192), "no more fits");
    assert_eq!(rig.set_option(client, &[SO_RCVBUF], &[usual]), Ok(4));
    assert_eq!(rig.option(client, &[SO_RCVBUF]), Ok(1 << 20), "it has them already");
}

/// Lets a second go by, in which the last acknowledgements come.
fn pass(rig: &mut Rig<SocketScheme<Tcp>>) {
    for _ in 0..10 {
        let mut stack = rig.stack.borrow_mut();
        let later = stack.network.now + Duration::from_millis(100);
        stack.poll(later);
    }
}

#[test]
fn a_message_is_sent_as_a_whole_since_relibc_counts_all_of_it_as_sent() {
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/127.0.0.1:8080").unwrap();
    let socket = rig.open("").unwrap();
    rig.set_option(socket, &[SO_SNDBUF], &[8192]).unwrap();
    let _ = rig.dup(socket, SERVER);
    rig.settle();
    let client = rig.dup(socket, SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    let message = |length: usize| [&length.to_ne_bytes()[..], &vec![7; length]].concat();
    assert_eq!(rig.call(client, &mut message(8193), &[4, 0]), Err(EMSGSIZE));
    assert_eq!(rig.call(client, &mut message(5000), &[4, 0]), Ok(5000));
    assert_eq!(rig.call(client, &mut message(5000), &[4, 0]), Err(EAGAIN_WRITE));
    assert_eq!(rig.call(client, &mut message(5000), &[4, 0x40]), Err(EAGAIN_NOW));
    let writable = EventFlags::EVENT_WRITE;
    assert!(rig.scheme.fevent(client, writable, &caller(0)).unwrap().is_empty());
    rig.settle();
    pass(&mut rig);
    assert_eq!(rig.scheme.fevent(client, writable, &caller(0)).unwrap(), writable);
    assert_eq!(rig.call(client, &mut message(5000), &[4, 0]), Ok(5000));
    pass(&mut rig);
    let mut read = || rig.read(server, 20_000).map(|read| read.len());
    assert_eq!([read(), read()], [Ok(10_000), Err(EAGAIN)]);
}

#[test]
fn a_port_with_connections_from_before_is_taken_by_those_who_ask_for_it() {
    let mut rig = rig::<Tcp>(&host());
    let listener = bound(&mut rig, &[]).unwrap();
    let client = rig.open(SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    rig.close(listener);
    rig.close(server);
    rig.close(client);
    assert_eq!(bound(&mut rig, &[]), Err(EADDRINUSE), "the server's end is in TIME-WAIT");
    let again = bound(&mut rig, &[(SO_REUSEADDR, 1)]).unwrap();
    assert_eq!(bound(&mut rig, &[(SO_REUSEADDR, 1)]), Err(EADDRINUSE), "somebody listens");
    rig.close(again);
    assert!(rig.open("/127.0.0.1:8080").is_ok(), "a path asks for it by itself");
}

#[test]
fn a_socket_set_to_linger_for_no_time_resets_when_it_is_closed() {
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/127.0.0.1:8080").unwrap();
    let client = rig.open(SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    let mut lingers = [0; 8];
    for (value, expected) in [([1, 5], [1, 5]), ([0, 7], [0, 0]), ([1, 0], [1, 0])] {
        assert_eq!(rig.set_option(client, &[SO_LINGER], &value), Ok(8));
        assert_eq!(rig.call(client, &mut lingers, &[3, SO_LINGER]), Ok(8));
        assert_eq!(lingers[..], expected.map(i32::to_ne_bytes).concat());
    }
    assert_eq!(rig.set_option(client, &[SO_LINGER], &[1]), Err(EINVAL));
    assert_eq!(rig.set_option(client, &[SO_LINGER], &[1, -1]), Err(EINVAL));
    rig.close(client);
    assert_eq!(rig.read(server, 9), Err(ECONNRESET));
}

#[test]
fn the_patience_of_a_tcp_socket_is_set_within_limits() {
    const LEVEL: u64 = 7;
    let [idle, interval, count, timeout] = [4, 5, 6, 18].map(|name| [name, LEVEL]);
    let mut rig = rig::<Tcp>(&host());
    rig.open("/127.0.0.1:8080").unwrap();
    let client = rig.open(SERVER).unwrap();
    let names = [idle, interval, count, timeout];
    assert_eq!(names.map(|name| rig.option(client, &name)), [7200, 75, 9, 0].map(Ok));
    for (name, value) in names.into_iter().zip([60, 10, 3, 30_000]) {
        assert_eq!(rig.set_option(client, &name, &[value]), Ok(4));
        assert_eq!(rig.option(client, &name), Ok(value));
        assert_eq!(rig.set_option(client, &name, &[-1]), Err(EINVAL));
        assert_eq!(rig.set_option(client, &name, &[]), Err(EINVAL));
        assert_eq!(rig.set_option(client, &[name[0], 1], &[1]), Err(ENOPROTOOPT), "of another level");
    }
    for (name, value) in
        [(idle, 0), (idle, 32_768), (interval, 0), (interval, 32_768), (count, 0), (count, 128)]
    {
        assert_eq!(rig.set_option(client, &name, &[value]), Err(EINVAL), "{name:?} {value}");
    }
}

#[test]
fn the_longest_segment_is_that_of_path_and_peer() {
    const TCP_MAXSEG: [u64; 2] = [2, 7];
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/127.0.0.1:8080").unwrap();
    assert_eq!(rig.option(listener, &TCP_MAXSEG), Ok(536));
    let client = rig.open(SERVER).unwrap();
    assert_eq!(rig.option(client, &TCP_MAXSEG), Ok(65_495));
    assert_eq!(rig.set_option(client, &TCP_MAXSEG, &[500]), Err(ENOPROTOOPT));
}

#[test]
fn sockets_of_ipv6_have_nothing_to_do_with_ipv4() {
    const IPV6_V6ONLY: [u64; 2] = [26, 42];
    let (mut tcp, mut udp) = (rig::<Tcp>(&host()), rig::<Udp>(&host()));
    let sockets = (tcp.open("").unwrap(), udp.open("").unwrap());
    assert_eq!((tcp.option(sockets.0, &IPV6_V6ONLY), udp.option(sockets.1, &IPV6_V6ONLY)), (Ok(1), Ok(1)));
    for (value, result) in [(1, Ok(4)), (0, Err(EINVAL))] {
        assert_eq!(tcp.set_option(sockets.0, &IPV6_V6ONLY, &[value]), result);
        assert_eq!(udp.set_option(sockets.1, &IPV6_V6ONLY, &[value]), result);
    }
}

/// `recvmsg` of at most so many bytes: what came.
fn receive(rig: &mut Rig<SocketScheme<Tcp>>, id: usize, room: usize, flags: u64) -> Answer<Vec<u8>> {
    let mut payload = [0, room, 0].map(usize::to_ne_bytes).concat();
    payload.resize(2 * size_of::<usize>() + room.max(8), 0);
    let length = rig.call(id, &mut payload, &[5, flags])?;
    Ok(payload[2 * size_of::<usize>()..length].to_vec())
}

#[test]
fn who_waits_for_all_gets_all_or_what_there_is_at_the_end() {
    const MSG_OOB: u64 = 1;
    const MSG_DONTWAIT: u64 = 0x40;
    const MSG_WAITALL: u64 = 0x100;
    const MSG_NOSIGNAL: u64 = 0x4000;
    let mut rig = rig::<Tcp>(&host());
    let listener = rig.open("/127.0.0.1:8080").unwrap();
    let client = rig.open(SERVER).unwrap();
    let server = rig.dup(listener, "listen").unwrap();
    rig.write(client, b"half").unwrap();
    rig.settle();
    assert_eq!(receive(&mut rig, server, 8, MSG_WAITALL), Err(EAGAIN_READ));
    assert_eq!(receive(&mut rig, server, 4, MSG_WAITALL), Ok(b"half".to_vec()), "that is all");
    for (flags, rest) in [(MSG_WAITALL | MSG_DONTWAIT, "some"), (MSG_NOSIGNAL, "more")] {
        rig.write(client, rest.as_bytes()).unwrap();
        pass(&mut rig);
        assert_eq!(receive(&mut rig, server, 8, flags), Ok(rest.as_bytes().to_vec()));
    }
    assert_eq!(receive(&mut rig, server, 8, MSG_OOB), Err(EOPNOTSUPP), "nothing is urgent");
    rig.write(client, b"last").unwrap();
    rig.close(client);
    pass(&mut rig);
    assert_eq!(receive(&mut rig, server, 8, MSG_WAITALL), Ok(b"last".to_vec()));
    let nonblocking = rig.open_nonblocking(SERVER).unwrap();
    rig.settle();
    let server = rig.dup(listener, "listen").unwrap();
    rig.write(server, b"now").unwrap();
    pass(&mut rig);
    assert_eq!(receive(&mut rig, nonblocking, 8, MSG_WAITALL), Ok(b"now".to_vec()), "it never waits");
}

#[test]
fn an_echo_request_goes_as_far_as_it_was_set() {
    let mut rig = rig::<Icmp>(&host());
    let socket = rig.open("echo/127.0.0.1").unwrap();
    assert_eq!([IP_TTL, IP_TOS].map(|name| rig.option(socket, &name)), [64, 0].map(Ok));
    assert_eq!(rig.set_option(socket, &IP_TTL, &[3]), Ok(4));
    assert_eq!(rig.set_option(socket, &IP_TOS, &[0x10]), Ok(4));
    assert_eq!([IP_TTL, IP_TOS].map(|name| rig.option(socket, &name)), [3, 0x10].map(Ok));
    rig.write(socket, &[0, 1, 7]).unwrap();
    let mut stack = rig.stack.borrow_mut();
    let packet = stack.network.interface_mut(LOOPBACK).unwrap().queue.pop_front().unwrap();
    assert_eq!((packet[HEADROOM + 1], packet[HEADROOM + 8]), (0x10, 3));
    drop(stack);
    assert_eq!(rig.set_option(socket, &IP_TTL, &[0]), Err(EINVAL));
    assert_eq!(rig.set_option(socket, &[SO_KEEPALIVE], &[1]), Err(ENOPROTOOPT));
    assert_eq!(rig.option(socket, &TCP_NODELAY), Err(ENOPROTOOPT));
    assert_eq!(rig.call(socket, &mut [0; 4], &[8]), Err(EOPNOTSUPP));
}

#[test]
fn what_is_not_supported_is_refused() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open("").unwrap();
    for unknown in [&[999][..], &[36], &[3, 7], &[1, 99], &[SO_TYPE, 8], &[20, 42]] {
        assert_eq!(rig.set_option(socket, unknown, &[1]), Err(ENOPROTOOPT), "{unknown:?}");
        assert_eq!(rig.option(socket, unknown), Err(ENOPROTOOPT), "{unknown:?}");
    }
    for fixed in [SO_TYPE, SO_ERROR, SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN] {
        assert_eq!(rig.set_option(socket, &[fixed], &[1]), Err(ENOPROTOOPT), "{fixed}");
    }
    assert_eq!(rig.set_option(socket, &[SO_KEEPALIVE], &[]), Err(EINVAL));
    assert_eq!(rig.set_option(socket, &IP_TTL, &[0]), Err(EINVAL));
    assert_eq!(rig.set_option(socket, &IP_TOS, &[256]), Err(EINVAL));
    assert_eq!(rig.set_option(socket, &[SO_BROADCAST], &[1]), Ok(4), "it means nothing");
    assert_eq!(rig.call(socket, &mut [0; 4], &[77]), Err(EOPNOTSUPP));
    assert_eq!(rig.call(socket, &mut [0; 4], &[]), Err(EOPNOTSUPP));
}

#[test]
fn what_is_set_of_a_udp_socket_stays_so_when_it_is_bound() {
    let mut rig = rig::<Udp>(&host());
    let socket = rig.open("").unwrap();
    let names = [&[SO_RCVBUF][..], &[SO_SNDBUF], &[SO_BROADCAST], &IP_TTL, &IP_TOS];
    assert_eq!(names.map(|name| rig.option(socket, name).unwrap()), [212_992, 212_992, 1, 64, 0]);
    for (name, value) in names.into_iter().zip([5000, 6000, 0, 9, 0x10]) {
        assert_eq!(rig.set_option(socket, name, &[value]), Ok(4));
    }
    let bound = rig.dup(socket, "/0.0.0.0:53").unwrap();
    assert_eq!(names.map(|name| rig.option(bound, name).unwrap()), [5000, 6000, 0, 9, 0x10]);
    let what = [SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ACCEPTCONN, SO_ERROR];
    assert_eq!(what.map(|name| rig.option(bound, &[name])), [2, 17, 2, 0, 0].map(Ok));
    assert_eq!(rig.set_option(bound, &[SO_KEEPALIVE], &[1]), Err(ENOPROTOOPT));
    assert_eq!(rig.option(bound, &TCP_NODELAY), Err(ENOPROTOOPT));
}

#[test]
fn a_udp_socket_s_buffers_and_its_broadcasts_are_limited_as_it_was_set() {
    let mut rig = rig::<Udp>(&host());
    let server = rig.open("/127.0.0.1:53").unwrap();
    let client = rig.open("127.0.0.1:53").unwrap();
    assert_eq!(rig.set_option(server, &[SO_RCVBUF], &[2000]), Ok(4));
    for _ in 0..5 {
        assert_eq!(rig.write(client, &[1; 700]), Ok(700));
    }
    rig.settle();
    assert_eq!([(); 3].map(|()| rig.read(server, 1000).is_ok()), [true, true, false]);
    assert_eq!(rig.set_option(client, &[SO_SNDBUF], &[100]), Ok(4));
    assert_eq!(rig.write(client, &[1; 101]), Err(EMSGSIZE));
    rig.set_option(client, &[SO_BROADCAST], &[0]).unwrap();
    let everybody = rig.dup(client, "255.255.255.255:9");
    assert!(everybody.is_err() || rig.write(everybody.unwrap(), b"x") == Err(EACCES));
}

/// A socket that is bound to share its port with others of its user.
fn shared<P: Protocol>(rig: &mut Rig<SocketScheme<P>>, path: &str) -> Answer<usize> {
    let socket = rig.open("").unwrap();
    assert_eq!(rig.set_option(socket, &[SO_REUSEPORT], &[1]), Ok(4));
    assert_eq!(rig.option(socket, &[SO_REUSEPORT]), Ok(1));
    rig.dup(socket, path)
}

#[test]
fn listeners_of_one_user_share_a_port_and_its_connections() {
    const PATH: &str = "/127.0.0.1:8080";
    let mut rig = rig::<Tcp>(&host());
    rig.uid = 1000;
    let listeners = [shared(&mut rig, PATH).unwrap(), shared(&mut rig, PATH).unwrap()];
    assert_eq!(bound(&mut rig, &[(SO_REUSEADDR, 1)]), Err(EADDRINUSE), "it does not share");
    rig.uid = 1001;
    assert_eq!(shared(&mut rig, PATH), Err(EADDRINUSE), "it is another's");
    let clients: Vec<_> = (0..40).map(|_| rig.open(SERVER).unwrap()).collect();
    let accepted =
        listeners.map(|listener| (0..).take_while(|_| rig.dup(listener, "listen").is_ok()).count());
    assert!(accepted.iter().sum::<usize>() == clients.len() && accepted.iter().all(|part| *part >= 10));
    rig.close(listeners[0]);
    for _ in 0..10 {
        rig.open(SERVER).unwrap();
        rig.dup(listeners[1], "listen").unwrap();
    }
}

#[test]
fn udp_sockets_of_one_user_share_a_port_and_its_senders() {
    let mut rig = rig::<Udp>(&host());
    let sharers = [(); 2].map(|()| shared(&mut rig, "/0.0.0.0:53").unwrap());
    for number in 0..40 {
        let sender = rig.open("127.0.0.1:53").unwrap();
        for _ in 0..2 {
            rig.write(sender, &[number]).unwrap();
        }
    }
    rig.settle();
    let received = sharers.map(|sharer| {
        let texts: Vec<_> = std::iter::from_fn(|| rig.read(sharer, 1).ok()).collect();
        assert!(texts.chunks(2).all(|pair| pair[0] == pair[1]), "a sender stays with one: {texts:?}");
        texts.len()
    });
    assert!(received.iter().sum::<usize>() == 80 && received.iter().all(|part| *part >= 20), "{received:?}");
}

#[test]
fn those_who_share_a_udp_port_all_say_so() {
    let mut rig = rig::<Udp>(&host());
    let bind = |shares: bool| {
        let socket = rig.open("").unwrap();
        rig.set_option(socket, &[SO_REUSEADDR], &[shares.into()]).unwrap();
        rig.dup(socket, "/0.0.0.0:5353").map(|_| ())
    };
    assert_eq!([true, true, false].map(bind), [Ok(()), Ok(()), Err(EADDRINUSE)]);
}
