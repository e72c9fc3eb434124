//! VLAN 10 between two hosts, and what else is on their wire.

use super::*;

const TEN: u16 = 10;
/// Where a tagged frame's packet begins.
const TAGGED_HEADER: usize = HEADROOM + 4;

fn net(host: u8) -> ipnet::IpNet {
    ipnet::IpNet::new(Ipv4Addr::new(192, 168, 10, host).into(), 24).unwrap()
}

/// A VLAN of `stack`'s `eth0`, with an address and nothing to announce.
fn add_vlan(stack: &mut Stack, number: u16, host: u8) -> InterfaceId {
    stack.add_vlan(ETH0, number);
    let id = stack.network.vlan(ETH0, number).unwrap();
    stack.set_dhcp(id, false);
    stack.network.add_address(id, net(host));
    let interface = stack.network.interface_mut(id).unwrap();
    interface.claims = Claims::default();
    // The queue holds what was sent before.
    interface.queue.clear();
    id
}

/// Sends a datagram from left to right by VLAN 10, and back; whether it came back.
fn talk(bed: &mut Bed) -> bool {
    let (left, right) = (SocketAddr::new(net(1).addr(), 7), SocketAddr::new(net(2).addr(), 7));
    let Stack { udp, network, .. } = &mut bed.left;
    let ours = udp.open(left, Some(right), Default::default(), network).unwrap();
    let theirs = bed.right.udp.open(right, Some(left), Default::default(), &mut bed.right.network).unwrap();
    let mut buffer = [0; 9];
    let _ = bed.left.udp.send_to(ours, b"there", None, &mut bed.left.network);
    bed.run(Duration::from_secs(2));
    let _ = bed.right.udp.receive_from(theirs, &mut buffer, false);
    let _ = bed.right.udp.send_to(theirs, b"back", None, &mut bed.right.network);
    bed.run(Duration::from_secs(2));
    let came = bed.left.udp.receive_from(ours, &mut buffer, false).is_ok();
    bed.left.udp.close(ours, &mut bed.left.network);
    bed.right.udp.close(theirs, &mut bed.right.network);
    came
}

#[test]
fn hosts_talk_by_a_vlan_that_both_have() {
    let mut bed = Bed::new();
    let ours = add_vlan(&mut bed.left, TEN, 1);
    assert_eq!(bed.left.network.interface(ours).unwrap().name(), "eth0.10");
    let theirs = add_vlan(&mut bed.right, 11, 2);
    assert!(!talk(&mut bed), "not with another");
    bed.right.remove_vlan(ETH0, 11);
    assert!(bed.right.network.interface(theirs).is_none());
    assert!(bed.right.network.routes.iter().all(|route| route.interface != theirs));
    add_vlan(&mut bed.right, TEN, 2);
    assert!(talk(&mut bed));
    let counters = bed.left.network.interface(ours).unwrap().counters;
    assert!(counters.rx_packets > 0 && counters.tx_packets > 0);
}

#[test]
fn a_frame_of_a_vlan_has_its_tag_and_is_as_long_as_any() {
    let mut bed = Bed::new();
    let vlan = add_vlan(&mut bed.left, TEN, 1);
    let mtu = bed.left.network.interface(vlan).unwrap().mtu();
    assert_eq!(mtu, 1500);
    let interface = bed.left.network.interface_mut(vlan).unwrap();
    interface.send(Ipv4Addr::BROADCAST.into(), vec![0x45; HEADROOM + mtu].into(), bed.now);
    assert!(bed.left.has_frames(ETH0), "it waits for its parent's driver");
    let [frame] = &bed.left.take_frames(ETH0, 9).collect::<Vec<_>>()[..] else { panic!("one frame") };
    assert_eq!(frame.len(), TAGGED_HEADER + mtu);
    assert_eq!(frame[12..TAGGED_HEADER], [0x81, 0, 0, 10, 8, 0]);
}

#[test]
fn a_tag_that_is_a_priority_alone_is_none_and_an_unknown_one_is_nobody_s() {
    let mut bed = Bed::new();
    let vlan = add_vlan(&mut bed.left, TEN, 1);
    let ask = |number: u16| {
        let request = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1];
        let tag = [0x81, 0, 0xe0 | (number >> 8) as u8, number as u8, 8, 6];
        [&[0xff; 6][..], &[2, 0, 0, 0, 0, 2], &tag, &request].concat()
    };
    bed.left.receive(ETH0, &ask(0));
    assert_eq!(bed.left.take_frames(ETH0, 9).count(), 1, "it is answered as one without a tag");
    bed.left.receive(ETH0, &ask(11));
    bed.left.receive(ETH0, &ask(TEN));
    assert_eq!(bed.left.take_frames(ETH0, 9).count(), 0);
    let counters = |id| bed.left.network.interface(id).unwrap().counters;
    assert_eq!((counters(ETH0).rx_dropped, counters(vlan).rx_packets), (1, 1));
    // Cut short, and a tag in a tag.
    for length in 12..18 {
        bed.left.receive(ETH0, &ask(TEN)[..length]);
    }
    let mut twice = ask(TEN);
    twice.splice(12..12, [0x81, 0, 0, 10]);
    bed.left.receive(ETH0, &twice);
    assert_eq!(bed.left.take_frames(ETH0, 9).count(), 0);
}

#[test]
fn a_tag_that_is_told_beside_the_frame_is_as_one_within() {
    let mut bed = Bed::new();
    add_vlan(&mut bed.left, TEN, 1);
    add_vlan(&mut bed.right, TEN, 2);
    let id = bed.right.network.vlan(ETH0, TEN).unwrap();
    let capture = bed.right.network.interface_mut(ETH0).unwrap().captures.begin().unwrap();
    for watched in [true, false] {
        if !watched {
            bed.right.network.interface_mut(ETH0).unwrap().captures.end(capture);
        }
        let before = bed.right.network.interface(id).unwrap().counters.rx_packets;
        let vlan = bed.left.network.interface_mut(bed.left.network.vlan(ETH0, TEN).unwrap()).unwrap();
        vlan.enqueue([&[0xff; 6][..], &[2, 0, 0, 0, 0, 1, 8, 6], &[0; 46]].concat().into());
        let [packet] = &bed.left.take_packets(ETH0, 9).collect::<Vec<_>>()[..] else { panic!("one frame") };
        assert_eq!((packet.left().vlan, &packet[12..14]), (Some(TEN), &[8, 6][..]));
        bed.right.receive_with(ETH0, packet, packet.left());
        let counters = |id| bed.right.network.interface(id).unwrap().counters;
        assert_eq!(counters(id).rx_packets, before + 1);
        if watched {
            let eth0 = bed.right.network.interface_mut(ETH0).unwrap();
            let seen = eth0.captures.get_mut(capture).unwrap().queue.take().unwrap();
            assert_eq!(seen.bytes[12..18], [0x81, 0, 0, 10, 8, 6], "as it would be on a wire");
        }
    }
    assert_eq!(bed.right.network.interface(ETH0).unwrap().counters.rx_dropped, 0);
}

#[test]
fn a_vlan_has_its_parent_s_link_address_and_mtu() {
    let mut bed = Bed::new();
    let vlan = add_vlan(&mut bed.left, TEN, 1);
    bed.left.link_down(ETH0);
    let own = |bed: &Bed| {
        let interface = bed.left.network.interface(vlan).unwrap();
        (interface.running, interface.ethernet_address().unwrap().0[5], interface.mtu())
    };
    assert_eq!(own(&bed), (false, 1, 1500));
    bed.left.link_up(ETH0, EthernetAddress([2, 0, 0, 0, 0, 9]), 9000);
    assert_eq!(own(&bed), (true, 9, 9000));
    bed.left.set_mtu(vlan, Some(1400));
    assert_eq!(own(&bed), (true, 9, 1400));
    bed.left.set_up(ETH0, false);
    assert!(!own(&bed).0);
    bed.left.set_up(ETH0, true);
    assert!(own(&bed).0);
}

#[test]
fn a_vlan_asks_for_a_lease_of_its_own() {
    let mut bed = Bed::new();
    bed.left.add_vlan(ETH0, TEN);
    bed.left.poll(bed.now);
    let asks = |frame: &Vec<u8>| frame[12..TAGGED_HEADER] == [0x81, 0, 0, 10, 8, 0];
    assert!(bed.left.take_frames(ETH0, 99).any(|frame| asks(&frame)));
}

#[test]
fn the_nic_lets_the_groups_of_its_vlans_through() {
    let mut bed = Bed::new();
    let before = bed.left.network.groups_version(ETH0);
    let vlan = add_vlan(&mut bed.left, TEN, 1);
    let group = IpAddr::from(Ipv4Addr::new(239, 1, 2, 3));
    bed.left.network.interface_mut(vlan).unwrap().groups.join(group);
    let with = bed.left.network.groups_version(ETH0);
    assert_ne!(before, with);
    assert!(bed.left.network.groups(ETH0).contains(&address::multicast(group)));
    bed.left.remove_vlan(ETH0, TEN);
    assert!(!bed.left.network.groups(ETH0).contains(&address::multicast(group)));
    assert_ne!(bed.left.network.groups_version(ETH0), with);
}

#[test]
fn tags_within_tags_are_nobody_s_however_many_there_are() {
    let mut bed = Bed::new();
    add_vlan(&mut bed.left, TEN, 1);
    for number in [0, TEN as u8] {
        let tags = [0x81, 0, 0, number].repeat(4000);
        bed.left.receive(ETH0, &[&[0xff; 6][..], &[2, 0, 0, 0, 0, 2], &tags, &[8, 6]].concat());
    }
    assert_eq!(bed.left.network.interface(ETH0).unwrap().counters.rx_dropped, 2);
}

#[test]
fn a_busy_vlan_does_not_keep_another_from_sending() {
    let mut bed = Bed::new();
    let busy = add_vlan(&mut bed.left, TEN, 1);
    let quiet = add_vlan(&mut bed.left, 20, 1);
    let fill = |bed: &mut Bed| {
        let interface = bed.left.network.interface_mut(busy).unwrap();
        while interface.room() > 0 {
            interface.enqueue(vec![0; 60].into());
        }
    };
    fill(&mut bed);
    bed.left.network.interface_mut(quiet).unwrap().enqueue(vec![0; 60].into());
    for _ in 0..300 {
        bed.left.take_frames(ETH0, 1).for_each(drop);
        fill(&mut bed);
    }
    assert!(bed.left.network.interface(quiet).unwrap().queue.is_empty());
}
