//! The options about multicast groups.

use scheme::errno::*;

use super::*;
use crate::schemes::tcp::Tcp;
use crate::schemes::udp::Udp;

/// Numbers of options, each with its level, plus one.
const IP_MULTICAST_IF: [u64; 2] = [32, 1];
const IP_MULTICAST_TTL: [u64; 2] = [33, 1];
const IP_MULTICAST_LOOP: [u64; 2] = [34, 1];
const IP_ADD_MEMBERSHIP: [u64; 2] = [35, 1];
const IP_DROP_MEMBERSHIP: [u64; 2] = [36, 1];
const MCAST_JOIN_GROUP: [u64; 2] = [42, 1];
const MCAST_LEAVE_GROUP: [u64; 2] = [45, 1];
const IPV6_MULTICAST_IF: [u64; 2] = [17, 42];
const IPV6_MULTICAST_HOPS: [u64; 2] = [18, 42];
const IPV6_JOIN_GROUP: [u64; 2] = [20, 42];
const IPV6_LEAVE_GROUP: [u64; 2] = [21, 42];

const GROUP: [u8; 4] = [239, 1, 2, 3];
const LOCALHOST: [u8; 4] = [127, 0, 0, 1];
const GROUP_V6: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2];

/// A host with `eth0`, which has no driver.
fn udp() -> Rig<SocketScheme<Udp>> {
    let host = host();
    host.borrow_mut().network.add_ethernet("eth0");
    rig::<Udp>(&host)
}

fn set<S: SchemeSync>(rig: &mut Rig<S>, socket: usize, name: &[u64], value: &[&[u8]]) -> Answer<usize> {
    rig.call(socket, &mut value.concat(), &[&[2], name].concat())
}

#[test]
fn a_group_is_joined_on_an_interface_once_and_left_once() {
    let mut rig = udp();
    let socket = rig.open("/0.0.0.0:5353").unwrap();
    let eth0 = 1_u32.to_ne_bytes();
    let group_req = [&eth0, &[0; 4], &2_u16.to_ne_bytes()[..], &[0; 2], &GROUP, &[0; 120]].concat();
    let group_req6 = [&eth0, &[0; 4], &10_u16.to_ne_bytes()[..], &[0; 6], &GROUP_V6, &[0; 104]].concat();
    for (join, leave, value) in [
        (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, [&GROUP[..], &LOCALHOST].concat()),
        (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, [GROUP, [0; 4]].concat()),
        (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, [GROUP, [0; 4], eth0].concat()),
        (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, [&GROUP_V6[..], &eth0].concat()),
        (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, [&GROUP_V6[..], &[0; 4]].concat()),
        (MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, group_req),
        (MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, group_req6),
    ] {
        assert_eq!(set(&mut rig, socket, &leave, &[&value]), Err(EADDRNOTAVAIL), "{join:?}");
        assert_eq!(set(&mut rig, socket, &join, &[&value]), Ok(value.len()), "{join:?}");
        assert_eq!(set(&mut rig, socket, &join, &[&value]), Err(EADDRINUSE), "{join:?}");
        assert_eq!(set(&mut rig, socket, &leave, &[&value]), Ok(value.len()), "{join:?}");
        for shorter in 0..value.len().min(8) {
            assert_eq!(set(&mut rig, socket, &join, &[&value[..shorter]]), Err(EINVAL), "{shorter}");
        }
    }
}

#[test]
fn what_is_no_group_or_on_no_interface_is_refused_and_so_is_one_too_many() {
    let mut rig = udp();
    let socket = rig.open("").unwrap();
    let mut join = |value: &[&[u8]]| set(&mut rig, socket, &IP_ADD_MEMBERSHIP, value);
    assert_eq!(join(&[&[10, 0, 0, 1], &[0; 4]]), Err(EINVAL));
    assert_eq!(join(&[&GROUP, &[10, 0, 0, 1]]), Err(ENODEV));
    assert_eq!(join(&[&GROUP, &[0; 4], &9_u32.to_ne_bytes()]), Err(ENODEV));
    let joined = (0..=64).map(|last| join(&[&[239, 0, 0, last], &[0; 4]])).collect::<Vec<_>>();
    assert!(joined[..64].iter().all(|joined| *joined == Ok(8)));
    assert_eq!(joined[64], Err(ENOBUFS));
}

#[test]
fn a_member_hears_what_is_sent_on_loopback() {
    let mut rig = udp();
    let socket = rig.open("").unwrap();
    // It is joined before it is bound, and stays so.
    assert_eq!(set(&mut rig, socket, &IP_ADD_MEMBERSHIP, &[&GROUP, &LOCALHOST]), Ok(8));
    let member = rig.dup(socket, "/0.0.0.0:5353").unwrap();
    let sender = rig.open("/0.0.0.0:0").unwrap();
    assert_eq!(set(&mut rig, sender, &IP_MULTICAST_IF, &[&LOCALHOST]), Ok(4));
    assert_eq!(rig.option(sender, &IP_MULTICAST_IF), Ok(i32::from_ne_bytes(LOCALHOST)));
    let towards = rig.dup(sender, "239.1.2.3:5353").unwrap();
    assert_eq!(rig.write(towards, b"hello"), Ok(5));
    rig.settle();
    assert_eq!(rig.read(member, 9).unwrap(), b"hello");
    assert_eq!(rig.read(member, 9), Err(EAGAIN), "once");
    rig.close(member);
    let groups = rig.stack.borrow().network.groups(crate::stack::LOOPBACK);
    assert!(groups.is_empty(), "who is closed is in no group: {groups:?}");
}

#[test]
fn hops_and_interface_and_loop_are_as_they_were_set() {
    let mut rig = udp();
    let socket = rig.open("").unwrap();
    let names = [IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, IP_MULTICAST_LOOP, IPV6_MULTICAST_IF];
    assert_eq!(names.map(|name| rig.option(socket, &name)), [1, 1, 1, 0].map(Ok));
    assert_eq!(set(&mut rig, socket, &IP_MULTICAST_TTL, &[&[7]]), Ok(1), "a byte will do");
    assert_eq!(set(&mut rig, socket, &IP_MULTICAST_LOOP, &[&[0]]), Ok(1));
    assert_eq!(rig.set_option(socket, &IPV6_MULTICAST_IF, &[1]), Ok(4));
    assert_eq!(names.map(|name| rig.option(socket, &name)), [7, 7, 0, 1].map(Ok));
    assert_eq!(rig.set_option(socket, &IPV6_MULTICAST_HOPS, &[-1]), Ok(4));
    assert_eq!(rig.option(socket, &IP_MULTICAST_TTL), Ok(1));
    for (name, value, error) in [
        (&IP_MULTICAST_TTL, &256_u32.to_ne_bytes()[..], EINVAL),
        (&IP_MULTICAST_TTL, &[], EINVAL),
        (&IP_MULTICAST_TTL, &[1, 0], EINVAL),
        (&IPV6_MULTICAST_IF, &9_u32.to_ne_bytes(), ENODEV),
        (&IP_MULTICAST_IF, &[10, 0, 0, 1], EADDRNOTAVAIL),
        (&IP_MULTICAST_IF, &[10, 0], EINVAL),
    ] {
        assert_eq!(set(&mut rig, socket, name, &[value]), Err(error), "{name:?} {value:?}");
    }
}

#[test]
fn a_stream_is_in_no_group() {
    let mut rig = rig::<Tcp>(&host());
    let socket = rig.open("").unwrap();
    assert_eq!(set(&mut rig, socket, &IP_ADD_MEMBERSHIP, &[&GROUP, &LOCALHOST]), Err(ENOPROTOOPT));
    assert_eq!(set(&mut rig, socket, &IP_MULTICAST_TTL, &[&[1]]), Err(ENOPROTOOPT));
    assert_eq!(rig.option(socket, &IP_ADD_MEMBERSHIP), Err(ENOPROTOOPT));
}
