//! Redox's own programs, unchanged, over our driver and netd.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use testbed::nic::{Link, Nic};
use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;
use testbed::server;
use testbed::station::GUEST;
use testbed::station::service::{NAME, Service};

use crate::{WAIT_FOR_LEASE, e1000};

/// How long the guest may take to come to a point of its script, its boot included.
const LIMIT: Duration = Duration::from_secs(180);

/// As standard input: a file of which nothing comes, and no end.
const SILENCE: &str = "/scheme/udp/10.0.2.2:9";

fn ours() -> Guest {
    Guest::with(Parts::All).unwrap()
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn ping_works() {
    let output =
        ours().nic(e1000()).run(&format!("{WAIT_FOR_LEASE}\nping 10.0.2.2\nping 127.0.0.1\n")).unwrap();
    let output = output.success().unwrap();
    assert_eq!(output.matches("4 packets received").count(), 2, "{output}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn dhcpd_sets_address_route_and_name_server() {
    let station = Service::start(GUEST).unwrap();
    let script = format!(
        "{WAIT_FOR_LEASE}\ncat /scheme/netcfg/ifaces/eth0/addr/list\nsleep 2\ndhcpd\n\
         cat /scheme/netcfg/ifaces/eth0/addr/list\ncat /scheme/netcfg/route/list\ncat /scheme/netcfg/resolv/nameserver\n\
         ping 192.168.7.1\n"
    );
    let mut running = ours().nic(station.nic("e1000")).start(&script).unwrap();
    running.wait_for("192.168.7.2/24\n", LIMIT).unwrap();
    station.lease([192, 168, 7, 77]);
    let finished = running.finish().unwrap();
    let output = finished.success().unwrap();
    for expected in
        ["192.168.7.77/24\n", "default via 192.168.7.1 dev eth0 src 192.168.7.77\n", "\n192.168.7.1\n"]
    {
        assert!(output.contains(expected), "{expected} in {output}");
    }
    assert!(output.contains("4 packets received"), "{output}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn ifconfig_shows_every_interface() {
    let script = format!("{WAIT_FOR_LEASE}\nifconfig\nifconfig eth0\n");
    let finished = ours().nic(e1000()).run(&script).unwrap();
    let output = finished.success().unwrap();
    for (expected, times) in [("eth0:", 2), ("lo:", 1), ("10.0.2.15", 2), ("127.0.0.1", 1)] {
        assert_eq!(output.matches(expected).count(), times, "{expected} in {output}");
    }
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn dns_finds_a_name_by_the_leases_name_server() {
    let station = Service::start(GUEST).unwrap();
    let script = format!("{WAIT_FOR_LEASE}\ndns {NAME}\n");
    let finished = ours().nic(station.nic("e1000")).run(&script).unwrap();
    assert_eq!(finished.success().unwrap(), "192.168.7.1\n");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn nc_sends_all_of_its_input_before_it_ends() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = "one line\n".repeat(20);
    let lines = line.lines().map(|line| format!("echo {line} >>/tmp/input\n")).collect::<String>();
    let script = format!("{WAIT_FOR_LEASE}\n{lines}nc 10.0.2.2:{port} </tmp/input\nsleep 2\n");
    let mut running = ours().nic(e1000()).start(&script).unwrap();
    running.wait_for("Remote host", LIMIT).unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    let mut arrived = String::new();
    connection.read_to_string(&mut arrived).unwrap();
    assert_eq!(arrived, line);
    running.finish().unwrap().success().unwrap();
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn nc_listens_and_shows_what_comes_by_tcp_and_udp() {
    let [tcp, udp] = [(); 2].map(|()| server::free_port().unwrap());
    let forward = format!("hostfwd=tcp:127.0.0.1:{tcp}-:4000,hostfwd=udp:127.0.0.1:{udp}-:4001");
    let nic = Nic { model: "e1000".into(), link: Link::User(forward) };
    let script =
        format!("{WAIT_FOR_LEASE}\nnc -u -l 0.0.0.0:4001 &\necho ready\nnc -l 0.0.0.0:4000 <{SILENCE}\n");
    let mut running = ours().nic(nic).start(&script).unwrap();
    running.wait_for("ready", LIMIT).unwrap();

    let host = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let deadline = Instant::now() + LIMIT;
    // nc may not have bound its socket yet.
    while running.wait_for("by udp", Duration::from_millis(500)).is_err() {
        assert!(Instant::now() < deadline, "nc has not shown the datagram");
        host.send_to(b"by udp\n", (Ipv4Addr::LOCALHOST, udp)).unwrap();
    }
    let mut connection = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, tcp)).unwrap();
    connection.write_all(b"by tcp\n").unwrap();
    running.wait_for("by tcp\n", LIMIT).unwrap();
}
