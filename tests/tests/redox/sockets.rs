//! std's sockets over netd: the program that passes over Linux's own ones passes here.

use std::net::Ipv4Addr;
use std::time::Duration;

use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;
use testbed::sockets::{CHECKS, Peer};
use testbed::station::service::{NAME, Service};
use testbed::station::{ADDRESS, GUEST};

use crate::WAIT_FOR_LEASE;

/// The host's loopback, as QEMU's user network has it.
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);

/// Half a minute on a quiet machine; the checks have their own limits.
const LIMIT: Duration = Duration::from_secs(600);

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn every_check_of_stds_sockets_passes() {
    let peer = Peer::start().unwrap();
    let guest =
        Guest::with(Parts::All).unwrap().program("sockets").unwrap().nic(peer.nic("e1000")).limit(LIMIT);
    let command = format!("sockets all {}", peer.arguments(HOST).join(" "));
    let finished = guest.run(&format!("{WAIT_FOR_LEASE}\n{command}\n")).unwrap();
    let expected = CHECKS.map(|check| format!("ok {check}\n")).concat();
    assert_eq!(finished.success().unwrap(), expected);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn std_finds_names_by_the_leases_name_server() {
    let station = Service::start(GUEST).unwrap();
    let guest = Guest::with(Parts::All).unwrap().program("sockets").unwrap().nic(station.nic("e1000"));
    // The check talks to the name server only: the ports are nobody's.
    let host = Ipv4Addr::from(ADDRESS);
    let finished = guest.run(&format!("{WAIT_FOR_LEASE}\nsockets names {host} 1 2 3 4 {NAME}\n")).unwrap();
    assert_eq!(finished.success().unwrap(), "ok names\n");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn who_hands_a_scheme_a_descriptor_or_asks_for_one_is_answered() {
    let schemes = ["tcp", "udp", "netcfg"];
    let script: String = schemes.iter().map(|scheme| format!("probe descriptors {scheme}\n")).collect();
    let finished = Guest::with(Parts::All).unwrap().program("probe").unwrap().run(&script).unwrap();
    let output = finished.success().unwrap();
    for scheme in schemes {
        for what in ["sent", "received"] {
            let refused = format!("{scheme}: not {what}: Operation not supported");
            assert!(output.contains(&refused), "{refused} in {output}");
        }
    }
}
