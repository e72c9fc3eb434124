//! A real Linux at the other end: its DHCP and DNS server, its ping, its sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use probe::data;
use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, ADDRESS_V6, GUEST, GUEST_V6, LinuxPeer, NAME};
use testbed::server;

use crate::WAIT_FOR_LEASE;

/// What tcpdump sees of a guest that asks for a lease, uses it and gives it back.
const SEEN: [&str; 12] = [
    "0.0.0.0.68 > 255.255.255.255.67: [udp sum ok] BOOTP/DHCP, Request from 52:54:00:12:34:56",
    "Discover",
    "Release",
    "Request who-has 192.168.7.2 tell 0.0.0.0",
    "Request who-has 192.168.7.2 tell 192.168.7.2",
    "[icmp6 sum ok] ICMP6, multicast listener report v2, 1 group record(s) [gaddr ff02::1:ff12:3456 to_ex { }]",
    "[icmp6 sum ok] ICMP6, neighbor solicitation, length 24, who has fe80::5054:ff:fe12:3456",
    "[icmp6 sum ok] ICMP6, router solicitation",
    "> 192.168.7.1.53: [udp sum ok]",
    "192.168.7.2 > 192.168.7.1: ICMP echo request",
    "192.168.7.2 > 192.168.7.1: ICMP echo reply",
    "(correct)",
];

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn linux_leases_resolves_and_answers_and_is_answered() {
    let mut peer = LinuxPeer::start().unwrap();
    peer.watch("arp or ip or ip6").unwrap();
    let script = format!(
        "{WAIT_FOR_LEASE}
         cat /scheme/netcfg/ifaces/eth0/addr/list /scheme/netcfg/resolv/nameserver
         probe resolve {NAME}
         cat /scheme/netcfg/resolv/search
         netcfg ping peer -c 1 | tail -n 1
         probe ping {ADDRESS} 5
         probe accept 7000
         kill $(pidof netd)
         while pidof netd >/dev/null; do usleep 20000; done"
    );
    let mut running = Guest::default().nic(peer.nic("e1000")).start(&script).unwrap();
    running.wait_for("listening", Duration::from_secs(90)).unwrap_or_else(|error| {
        panic!("{error}; dnsmasq: {}", peer.log("dnsmasq"));
    });
    let guest = GUEST.to_string();
    let said = peer.run("ping", &["-c", "5", "-i", "0.2", "-s", "1400", &guest]).unwrap();
    assert!(said.contains("5 received, 0% packet loss"), "{said}");
    assert_eq!(peer.namespace().enter(call).unwrap().unwrap(), "hello");

    let finished = running.finish().unwrap();
    let expected = format!(
        "{GUEST}/24\n{ADDRESS}\n{ADDRESS}\ntest\n1 sent, 1 received\n5 replies\nlistening\naccepted 5\n"
    );
    assert_eq!(finished.success().unwrap(), expected);
    assert!(peer.log("dnsmasq").contains("DHCPRELEASE"), "netd that is told to end gives its lease back");

    let packets = peer.watched().unwrap();
    for part in SEEN {
        assert!(packets.iter().any(|packet| packet.contains(part)), "{part} in {packets:#?}");
    }
}

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn linux_advertises_itself_as_a_router_and_is_reached_over_ipv6() {
    const LARGE: u64 = 2 << 20;
    let peer = LinuxPeer::start().unwrap();
    let web = format!("[{ADDRESS_V6}]:0").parse().unwrap();
    let port = peer.namespace().enter(|| server::web_at(web)).unwrap().unwrap().port();
    let script = format!(
        "{WAIT_FOR_LEASE}
         until grep -q {GUEST_V6}/64 /scheme/netcfg/ifaces/eth0/addr/list6; do usleep 50000; done
         grep -c '^default via fe80::' /scheme/netcfg/route/list
         probe ping {ADDRESS_V6} 5
         probe fetch [{ADDRESS_V6}]:{port} /{LARGE}/1
         probe upload [{ADDRESS_V6}]:{port} {LARGE} 2; echo
         probe accept 7000"
    );
    let mut running = Guest::default().nic(peer.nic("e1000")).start(&script).unwrap();
    running.wait_for("listening", Duration::from_secs(90)).unwrap_or_else(|error| {
        panic!("{error}; dnsmasq: {}", peer.log("dnsmasq"));
    });
    // Longer than a packet: in pieces, both ways.
    for address in [GUEST_V6, &GUEST.to_string()] {
        let said = peer.run("ping", &["-c", "5", "-i", "0.2", "-s", "20000", address]).unwrap();
        assert!(said.contains("5 received, 0% packet loss"), "{said}");
    }
    assert_eq!(peer.namespace().enter(call).unwrap().unwrap(), "hello");

    let sums = [1, 2].map(|seed| data::sum_of(seed, LARGE).unwrap());
    let expected = format!("1\n5 replies\n{}\n{}\nlistening\naccepted 5\n", sums[0], sums[1]);
    assert_eq!(running.finish().unwrap().success().unwrap(), expected);
}

/// Calls the guest from the peer, and waits for the end: who went sooner would reset the connection.
fn call() -> io::Result<String> {
    let mut connection = TcpStream::connect((GUEST, 7000))?;
    connection.set_read_timeout(Some(Duration::from_secs(20)))?;
    connection.write_all(b"hello")?;
    connection.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}
