//! `udp`, `icmp` and `ip`.

use scheme::errno::*;

use super::*;
use crate::schemes::icmp::Icmp;
use crate::schemes::ip::Ip;
use crate::schemes::udp::Udp;

#[test]
fn a_datagram_sent_by_a_dup_is_answered_to_the_socket() {
    let mut rig = rig::<Udp>(&host());
    let server = rig.open("/127.0.0.1:53").unwrap();
    let socket = rig.open("").unwrap();
    let towards = rig.dup(socket, "127.0.0.1:53").unwrap();
    assert_eq!(rig.write(towards, b"question"), Ok(8));
    rig.close(towards);
    assert_eq!(rig.read(server, 4), Ok(b"ques".to_vec()), "the rest is lost");

    let address = rig.path(socket).rsplit_once(':').map(|(_, port)| format!("127.0.0.1:{port}")).unwrap();
    let back = rig.dup(server, &address).unwrap();
    assert_eq!(rig.write(back, b"answer"), Ok(6));
    rig.settle();
    assert_eq!(rig.read(socket, 64), Ok(b"answer".to_vec()));
    assert_eq!(rig.write(socket, b"to whom?"), Err(ENOTCONN));
    assert_eq!(rig.peer(socket), Err(ENOTCONN));
}

#[test]
fn a_connected_socket_names_its_peer_and_hears_refusals() {
    let mut rig = rig::<Udp>(&host());
    let socket = rig.open("").unwrap();
    let client = rig.dup(socket, "127.0.0.1:9").unwrap();
    rig.close(socket);
    assert!(rig.peer(client).unwrap().starts_with("/scheme/udp/127.0.0.1:9/127.0.0.1:"));
    assert_eq!(rig.write(client, b"x"), Ok(1));
    rig.settle();
    assert_eq!(rig.read(client, 9), Err(ECONNREFUSED));
}

#[test]
fn who_disconnects_keeps_the_port_and_hears_everybody_again() {
    let mut rig = rig::<Udp>(&host());
    let client = rig.open("127.0.0.1:53/127.0.0.1:4000").unwrap();
    let again = rig.dup(client, "disconnect").unwrap();
    rig.close(client);
    assert_eq!(rig.path(again), "/scheme/udp/0.0.0.0:0/127.0.0.1:4000");
    assert_eq!((rig.peer(again), rig.write(again, b"x")), (Err(ENOTCONN), Err(ENOTCONN)));
    let stranger = rig.open("127.0.0.1:4000").unwrap();
    rig.write(stranger, b"hello").unwrap();
    rig.settle();
    assert_eq!(rig.read(again, 9), Ok(b"hello".to_vec()));
}

#[test]
fn low_ports_are_the_administrator_s() {
    let mut rig = rig::<Udp>(&host());
    rig.uid = 1000;
    let socket = rig.open("").unwrap();
    for low in [1, 53, 1023] {
        assert_eq!(rig.open(&format!("/0.0.0.0:{low}")), Err(EACCES));
        assert_eq!(rig.open(&format!("127.0.0.1:53/127.0.0.1:{low}")), Err(EACCES));
        assert_eq!(rig.dup(socket, &format!("/0.0.0.0:{low}")), Err(EACCES));
    }
    assert!(rig.dup(socket, "/0.0.0.0:1024").is_ok());
    rig.uid = 0;
    assert!(rig.open("/0.0.0.0:53").is_ok());
}

#[test]
fn recvmsg_names_the_sender() {
    let mut rig = rig::<Udp>(&host());
    let server = rig.open("/127.0.0.1:53").unwrap();
    let client = rig.open("127.0.0.1:53/127.0.0.1:4000").unwrap();
    rig.write(client, b"hello").unwrap();
    rig.settle();
    let mut payload =
        [&64_usize.to_ne_bytes()[..], &9_usize.to_ne_bytes(), &0_usize.to_ne_bytes(), &[0; 128]].concat();
    let name = b"/scheme/udp/127.0.0.1:4000";
    let expected = [&name.len().to_ne_bytes()[..], name, &5_usize.to_ne_bytes(), b"hello"].concat();
    assert_eq!(rig.call(server, &mut payload, &[5, 0]), Ok(expected.len()));
    assert_eq!(payload[..expected.len()], expected);
    let request = payload.clone();
    assert_eq!(rig.call(server, &mut payload, &[5, 0]), Err(EAGAIN_READ));
    assert_eq!(payload, request, "it can be tried again");
}

#[test]
fn echo_comes_back_by_file() {
    let stack = host();
    let mut rig = rig::<Icmp>(&stack);
    rig.uid = 1000;
    let ping = rig.open("echo/127.0.0.1").unwrap();
    assert_eq!(rig.path(ping), "/scheme/icmp/echo/127.0.0.1");
    assert_eq!(rig.write(ping, b"\x00\x07data"), Ok(6));
    rig.settle();
    assert_eq!(rig.read(ping, 64), Ok(b"\x00\x07data".to_vec()));
    assert_eq!(rig.write(ping, b"\x00"), Err(EINVAL));
    assert_eq!(rig.open("echo/example.org"), Err(ENOENT));
    assert_eq!(rig.open("other/127.0.0.1"), Err(ENOENT));
}

#[test]
fn raw_packets_are_the_administrator_s() {
    let mut rig = rig::<Ip>(&host());
    assert!(rig.open("fd").is_ok());
    assert_eq!(rig.open("zz"), Err(ENOENT));
    assert_eq!(rig.open("100"), Err(ENOENT));
    rig.uid = 1000;
    assert_eq!(rig.open("fd"), Err(EACCES));
}

#[test]
fn a_message_that_does_not_fit_says_how_long_it_was() {
    let mut rig = rig::<Udp>(&host());
    let server = rig.open("/127.0.0.1:53").unwrap();
    let client = rig.open("127.0.0.1:53").unwrap();
    rig.write(client, &[7; 1000]).unwrap();
    rig.settle();
    let request =
        [&0_usize.to_ne_bytes()[..], &4_usize.to_ne_bytes(), &0_usize.to_ne_bytes(), &[0; 64]].concat();
    for flags in [2, 0] {
        let mut answer = request.clone();
        assert_eq!(rig.call(server, &mut answer, &[5, flags]), Ok(8 + 8 + 4), "what fits");
        assert_eq!(answer[8..20], [&1000_usize.to_ne_bytes()[..], &[7; 4]].concat(), "MSG_TRUNC");
    }
    assert_eq!(rig.call(server, &mut request.clone(), &[5, 0]), Err(EAGAIN_READ), "the rest is lost");
}

#[test]
fn a_half_that_is_shut_down_ends_and_only_of_a_connected_socket() {
    let mut rig = rig::<Udp>(&host());
    let server = rig.open("/127.0.0.1:53").unwrap();
    let client = rig.open("127.0.0.1:53").unwrap();
    assert_eq!(rig.call(server, &mut [], &[9, 2]), Err(ENOTCONN));
    assert_eq!(rig.call(client, &mut [], &[9, 3]), Err(EINVAL));
    assert_eq!(rig.call(client, &mut [], &[9, 1]), Ok(0));
    assert_eq!(rig.write(client, b"x"), Err(EPIPE));
    assert_eq!(rig.read(client, 9), Err(EAGAIN));
    assert_eq!(rig.call(client, &mut [], &[9, 0]), Ok(0));
    assert_eq!(rig.read(client, 9), Ok(Vec::new()));
}

#[test]
fn a_bound_socket_that_connects_sends_from_where_it_is_bound() {
    let mut rig = rig::<Udp>(&host());
    let server = rig.open("/127.0.0.1:53").unwrap();
    let socket = rig.open("").unwrap();
    let bound = rig.dup(socket, "/127.0.0.1:4000").unwrap();
    let client = rig.dup(bound, "127.0.0.1:53").unwrap();
    assert_eq!(rig.path(client), "/scheme/udp/127.0.0.1:53/127.0.0.1:4000");
    rig.write(client, b"x").unwrap();
    rig.settle();
    let mut payload =
        [&64_usize.to_ne_bytes()[..], &9_usize.to_ne_bytes(), &0_usize.to_ne_bytes(), &[0; 128]].concat();
    rig.call(server, &mut payload, &[5, 0]).unwrap();
    let name = b"/scheme/udp/127.0.0.1:4000";
    assert_eq!(payload[8..8 + name.len()], *name);
}
