//! A real Linux at the other end: its DHCP and DNS server, its ping, its sockets.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use testbed::guest::Guest;
use testbed::linux_peer::{ADDRESS, GUEST, LinuxPeer, NAME};

use crate::WAIT_FOR_LEASE;

#[test]
#[ignore = "boots a guest: ./x test guest"]
fn linux_leases_resolves_and_answers_and_is_answered() {
    let peer = LinuxPeer::start().unwrap();
    let script = format!(
        "{WAIT_FOR_LEASE}
         cat /scheme/netcfg/ifaces/eth0/addr/list /scheme/netcfg/resolv/nameserver
         probe resolve {NAME}
         probe ping {ADDRESS} 5
         probe accept 7000"
    );
    let mut running = Guest::default().nic(peer.nic("e1000")).start(&script).unwrap();
    running.wait_for("listening", Duration::from_secs(90)).unwrap_or_else(|error| {
        panic!("{error}; dnsmasq: {}", peer.log("dnsmasq"));
    });
    let guest = GUEST.to_string();
    let said = peer.run("ping", &["-c", "5", "-i", "0.2", "-s", "1400", &guest]).unwrap();
    assert!(said.contains("5 received, 0% packet loss"), "{said}");
    let call = || TcpStream::connect((GUEST, 7000)).and_then(|mut socket| socket.write_all(b"hello"));
    peer.namespace().enter(call).unwrap().unwrap();

    let finished = running.finish().unwrap();
    let expected = format!("{GUEST}/24\n{ADDRESS}\n{ADDRESS}\n5 replies\nlistening\naccepted 5\n");
    assert_eq!(finished.success().unwrap(), expected);
}
