//! Configuration in files, Redox's own and ours, and where programs find the name servers that it tells.

use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;
use testbed::station::GUEST;
use testbed::station::service::{NAME, Service};

use crate::WAIT_FOR_LEASE;

/// Ours.
const NETD_TOML: &str = "/etc/net/netd.toml";

/// An address in the station's network that it does not lease.
const STATIC: &str = "192.168.7.9";

/// What programs are told, and that it is of use.
fn what_there_is() -> String {
    format!(
        "{WAIT_FOR_LEASE}\ncat /scheme/netcfg/ifaces/eth0/addr/list\ncat /scheme/netcfg/ifaces/eth0/dhcp/state\n\
         cat /scheme/netcfg/route/list\ncat /etc/net/dns\nping 192.168.7.1\ndns {NAME}\n"
    )
}

/// That the address is the one of the configuration, that the last route and the name server are these, and that both are
/// of use.
fn assert_is_configured(output: &str, route_and_server: &str) {
    assert!(output.starts_with(&format!("{STATIC}/24\noff\n")), "{output}");
    assert!(output.contains(route_and_server), "{output}");
    assert!(output.contains("4 packets received") && output.ends_with("192.168.7.1\n"), "{output}");
}

/// Ours, without stock's dhcpd, which would set the address that it gets.
fn without_dhcpd() -> Guest {
    Guest::with(Parts::All).unwrap().without_unit("10_dhcpd.service")
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn redoxs_own_files_are_honoured_where_there_is_no_netd_toml() {
    let station = Service::start(GUEST).unwrap();
    let guest = without_dhcpd()
        .without_file(NETD_TOML)
        .file("/etc/net/ip", &format!("{STATIC}\n"))
        .file("/etc/net/ip_subnet", "255.255.255.0\n")
        .file("/etc/net/ip_router", "192.168.7.1\n")
        .file("/etc/net/dns", "192.168.7.1\n");
    let finished = guest.nic(station.nic("e1000")).run(&what_there_is()).unwrap();
    let default = format!("\ndefault via 192.168.7.1 dev eth0 src {STATIC}\n192.168.7.1\n");
    assert_is_configured(finished.success().unwrap(), &default);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn name_servers_of_the_configuration_are_where_programs_look() {
    let station = Service::start(GUEST).unwrap();
    let table = format!(
        "dns = [\"192.168.7.1\"]\n[[interface]]\nmatch.name = \"eth0\"\naddresses = [\"{STATIC}/24\"]\n"
    );
    let guest = without_dhcpd().file(NETD_TOML, &table).file("/etc/net/dns", "9.9.9.9\n");
    let finished = guest.nic(station.nic("e1000")).run(&what_there_is()).unwrap();
    let on_link = format!("\n192.168.7.0/24  dev eth0 src {STATIC}\n192.168.7.1\n");
    assert_is_configured(finished.success().unwrap(), &on_link);
}
