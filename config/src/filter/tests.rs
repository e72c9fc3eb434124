use super::*;

/// An Ethernet frame with an IPv4 packet: 10.0.2.15 port 1234 speaks to 10.0.2.2 port 80.
fn frame(protocol: u8) -> Vec<u8> {
    let mut frame = vec![0; 14 + 20 + 20];
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    frame[14] = 0x45;
    frame[14 + 9] = protocol;
    frame[14 + 12..14 + 16].copy_from_slice(&[10, 0, 2, 15]);
    frame[14 + 16..14 + 20].copy_from_slice(&[10, 0, 2, 2]);
    frame[34..38].copy_from_slice(&[0x04, 0xd2, 0, 80]);
    frame
}

/// [`frame`] with a VLAN's tag.
fn tagged(protocol: u8) -> Vec<u8> {
    let mut frame = frame(protocol);
    frame.splice(12..12, [0x81, 0x00, 0x00, 0x0a]);
    frame
}

/// An IPv6 packet without a link: fe80::1 asks fe80::2 for an echo.
fn echo6() -> Vec<u8> {
    let mut packet = vec![0; 48];
    packet[0] = 0x60;
    packet[6] = 58;
    packet[8..10].copy_from_slice(&[0xfe, 0x80]);
    packet[23] = 1;
    packet[24..26].copy_from_slice(&[0xfe, 0x80]);
    packet[39] = 2;
    packet
}

fn takes(filter: &str, packet: &Packet) -> bool {
    filter.parse::<Filter>().unwrap().takes(packet)
}

#[test]
fn terms_are_met_by_what_they_name() {
    let tcp = Packet::parse(LinkType::Ethernet, &frame(6));
    for filter in [
        "",
        "ip",
        "tcp",
        "tcp port 80",
        "port 1234",
        "src port 1234 and dst port 80",
        "host 10.0.2.2",
        "dst host 10.0.2.2 and not udp",
        "src net 10.0.0.0/8",
        "udp or tcp",
        "arp or ip and port 80",
        "not not tcp",
    ] {
        assert!(takes(filter, &tcp), "{filter}");
    }
    for filter in
        ["udp", "tcp port 81", "src port 80", "not ip", "host 10.0.2.3", "ip6", "arp or udp port 80", "icmp"]
    {
        assert!(!takes(filter, &tcp), "{filter}");
    }
    assert!(takes("tcp port 80", &Packet::parse(LinkType::Ethernet, &tagged(6))));
    assert!(takes("icmp and not port 80", &Packet::parse(LinkType::Ethernet, &frame(1))));
    let echo = Packet::parse(LinkType::Raw, &echo6());
    assert!(takes("icmp6 host fe80::2", &echo) && takes("ip6", &echo) && !takes("icmp", &echo));
}

#[test]
fn a_later_fragment_has_no_ports() {
    let mut fragment = frame(17);
    fragment[14 + 7] = 1;
    let packet = Packet::parse(LinkType::Ethernet, &fragment);
    assert!(takes("udp", &packet) && !takes("port 80", &packet));
}

#[test]
fn short_packets_have_nothing() {
    for bytes in [frame(6), tagged(6)] {
        for length in 0..bytes.len() {
            let packet = Packet::parse(LinkType::Ethernet, &bytes[..length]);
            assert!(takes("not port 81", &packet));
        }
    }
    for length in 0..48 {
        let packet = Packet::parse(LinkType::Raw, &echo6()[..length]);
        assert_eq!(packet.addresses.is_some(), length >= 40);
    }
}

#[test]
fn a_wrong_word_is_answered_with_the_right_one() {
    let error = |filter: &str| filter.parse::<Filter>().unwrap_err().to_string();
    assert_eq!(error("tpc"), "`tpc` is not a filter's word, did you mean `tcp`?");
    assert_eq!(error("tcp prot 80"), "`prot` is not a filter's word, did you mean `port`?");
    assert_eq!(error("port"), "after `port` comes a port: a number up to 65535");
    assert_eq!(error("port http"), "after `port` comes a port: a number up to 65535, not `http`");
    assert_eq!(
        error("host router"),
        "after `host` comes an address, such as 10.0.2.2 or fe80::1, not `router`"
    );
    assert_eq!(error("tcp or"), "after `or` comes a term, such as `tcp` or `port 80`");
    assert_eq!(error("not"), "after `not` comes a term, such as `tcp` or `port 80`");
}
