//! What files say, and what is wrong in them.

mod round_trip;

use std::fs;
use std::path::Path;

use super::*;

const EXAMPLE: &str = include_str!("../../net/netd.toml");

fn config(text: &str) -> Config {
    parse(Path::new("netd.toml"), text).unwrap()
}

fn error(text: &str) -> String {
    parse(Path::new("netd.toml"), text).unwrap_err().to_string()
}

#[test]
fn the_installed_file_leaves_all_to_dhcp() {
    assert_eq!(config(EXAMPLE), Config::default());
}

#[test]
fn the_example_in_the_installed_file_says_what_its_comments_say() {
    let is_setting = |line: &&str| line.starts_with("# ") && (line.contains(" = ") || line.contains("to ="));
    let settings: String = EXAMPLE
        .lines()
        .filter(|line| is_setting(line) || ["# [[interface]]", "# ]"].contains(line))
        .map(|line| line.trim_start_matches("# ").to_owned() + "\n")
        .collect();
    let config = config(&settings);
    let [interface] = config.interfaces.as_slice() else { panic!("{config:?}") };
    assert_eq!(config.dns.len(), 2);
    assert_eq!(interface.matches, Match::by_name("eth0"));
    assert_eq!((interface.up, interface.dhcp, interface.metric), (true, Some(false), Some(Metric(100))));
    assert_eq!(interface.addresses.len(), 2);
    assert_eq!(interface.routes[0].to.to_string(), "0.0.0.0/0");
    assert_eq!(interface.routes[1].metric, Some(Metric(50)));
    assert_eq!(interface.mtu.unwrap().get(), 1500);
    assert_eq!(interface.mac.unwrap().to_string(), "52:54:00:12:34:57");
    assert_eq!(interface.vlan[0].get(), 10);
    assert_eq!(interface.features.get("rx-checksum"), Some(&Setting::Switch(true)));
    assert_eq!(interface.coalesce.get("rx-usecs"), Some(&Setting::Number(50)));
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_one() {
    for (text, expected) in [
        ("dsn = []", "netd.toml:1: unknown key `dsn`, did you mean `dns`?"),
        ("\n[[interfaces]]", "netd.toml:2: unknown key `interfaces`, did you mean `interface`?"),
        (
            "[[interface]]\nmatch.name = 'eth0'\nadress = []",
            "netd.toml:3: unknown key `adress`, did you mean `addresses`?",
        ),
        (
            "[[interface]]\nmatch.nam = 'eth0'\nadress = []",
            "netd.toml:2: unknown key `nam`, did you mean `name`?",
        ),
        (
            "[[interface]]\nmatch.name = 'eth0'\nroutes = [\n  { to = 'default' },\n  { too = 'default' },\n]",
            "netd.toml:5: unknown key `too`, did you mean `to`?",
        ),
        (
            "[[interface]]\nmatch.name = 'eth0'\nfilter.promiscuous = true",
            "netd.toml:3: unknown key `promiscuous`, did you mean `promisc`?",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn a_wrong_value_is_answered_with_what_is_expected() {
    for (line, expected) in [
        ("up = 1", "invalid type: integer `1`, expected a boolean"),
        (
            "addresses = ['10.0.0.2/24',\n'10.0.0.3']",
            "10.0.0.3 is not an address of a host with its prefix length, such as 10.0.0.2/24 or fd00::2/64",
        ),
        (
            "addresses = ['10.0.0.255/24']",
            "10.0.0.255/24 is not an address of a host with its prefix length, such as 10.0.0.2/24 or fd00::2/64",
        ),
        ("mtu = 'big'", "big is not an MTU: a number of bytes from 576 to 16366"),
        ("mtu = 100", "100 is not an MTU: a number of bytes from 576 to 16366"),
        (
            "mac = 'ff:ff:ff:ff:ff:ff'",
            "ff:ff:ff:ff:ff:ff is not an Ethernet address of one station, such as 52:54:00:12:34:56",
        ),
        ("vlan = [4095]", "4095 is not a VLAN: a number from 1 to 4094"),
        ("metric = -1", "-1 is not a metric: a number from 0 to 4294967295"),
        ("dns = ['dns.example']", "dns.example is not the address of a host, such as 10.0.0.1 or fd00::1"),
        (
            "vlan = [10,\n11.5]",
            "invalid type: floating point `11.5`, expected a VLAN: a number from 1 to 4094",
        ),
        ("routes = [\n{ to = 'default' }]", "a default route needs its router: via = \"10.0.0.1\""),
        (
            "routes = [{ to = '10.0.0.0/8', via = 'fd00::1' }]",
            "a route to 10.0.0.0/8 cannot go by fd00::1: one is IPv4, the other IPv6",
        ),
        (
            "routes = [{ to = 'home', via = 'fd00::1' }]",
            "home is not a destination: `default`, or a network such as 10.1.0.0/16 or fd01::/48",
        ),
        (
            "features = { tso = 'on' }",
            "invalid type: string \"on\", expected a setting: true, false or a number from 0 to 4294967295",
        ),
        (
            "coalesce = { rx-usecs = -1 }",
            "invalid value: integer `-1`, expected a setting: true, false or a number from 0 to 4294967295",
        ),
    ] {
        let text = format!("[[interface]]\nmatch.name = 'eth0'\n{line}\n");
        let last = text.lines().count();
        assert_eq!(error(&text), format!("netd.toml:{last}: {expected}"));
    }
}

#[test]
fn what_makes_no_sense_as_a_whole_has_its_line_too() {
    let table = "[[interface]]\nmatch.name = 'eth0'\naddresses = [\n  '10.0.0.2/24',\n";
    let lost = format!(
        "{table}]\nroutes = [\n  {{ to = '10.1.0.0/16' }},\n  {{ to = 'default', via = '10.0.1.1' }},\n]"
    );
    let expected = "netd.toml:8: the router 10.0.1.1 is in no network of this interface's addresses";
    assert_eq!(error(&lost), expected);
    let twice = format!("[[interface]]\nmatch.name = 'lan'\n{table}  '10.0.0.3/24',\n  '10.0.0.2/24',\n]");
    assert_eq!(error(&twice), "netd.toml:8: 10.0.0.2/24 stands here twice");
    let vlans = "interface = [\n  { match = { name = 'eth0' }, vlan = [10, 11, 10] },\n]";
    assert_eq!(error(vlans), "netd.toml:2: 10 stands here twice");
    config("[[interface]]\nmatch.name = 'eth0'\nroutes = [{ to = 'default', via = '10.0.1.1' }]");
}

#[test]
fn a_vlan_is_no_nic() {
    for line in
        ["mac = '52:54:00:00:00:01'", "vlan = [20]", "filter.promisc = true", "features = { tso = false }"]
    {
        let key = line.split([' ', '.']).next().unwrap();
        let text = format!("[[interface]]\nmatch.name = 'eth0.10'\nmtu = 1400\n{line}");
        let expected = format!("netd.toml:4: eth0.10 is a VLAN, whose `{key}` is that of eth0: say it there");
        assert_eq!(error(&text), expected);
        config(&text.replace("eth0.10", "eth0*"));
        config(&text.replace("eth0.10", "lan.home"));
    }
}

#[test]
fn a_table_says_what_it_is_for() {
    assert_eq!(error("[[interface]]\nmtu = 1500"), "netd.toml:1: missing field `match`");
    let reason = "`match` says nothing: give it a `name`, a `mac` or a `driver`; name = \"*\" is for all";
    assert_eq!(error("[[interface]]\nmatch = {}"), format!("netd.toml:2: {reason}"));
}

#[test]
fn the_first_table_whose_conditions_are_met_is_the_interface_s() {
    let config = config(
        "[[interface]]\nmatch.mac = '52-54-00-00-00-01'\nmtu = 1001\n\
         [[interface]]\nmatch.driver = 'network.*_e1000'\nmatch.name = 'eth*'\nmtu = 1002\n\
         [[interface]]\nmatch.name = '*.10'\nmtu = 1003\n",
    );
    let mtu = |name, last_octet, driver| {
        let mac = Some(Mac([0x52, 0x54, 0, 0, 0, last_octet]));
        let found = config.find(&Candidate { name, mac, driver })?;
        found.mtu.map(Mtu::get)
    };
    let e1000 = Some("network.pci-0000-00-03.0_e1000");
    assert_eq!(mtu("eth0", 1, e1000), Some(1001));
    assert_eq!(mtu("eth0", 2, e1000), Some(1002));
    assert_eq!(mtu("eth0", 2, Some("network.pci-0000-00-03.0_e1000e")), None);
    assert_eq!(mtu("wlan0", 2, e1000), None);
    assert_eq!(mtu("eth0", 2, None), None);
    assert_eq!(mtu("eth1.10", 2, None), Some(1003));
}

#[test]
fn a_nic_is_given_a_name_by_its_mac_or_its_driver() {
    let text = "[[interface]]\nmatch.mac = '52:54:00:12:34:56'\nname = 'wan'\n\
                [[interface]]\nmatch.driver = '*_e1000'\nname = 'lan-0'\n";
    let config = config(text);
    let name = |mac: &str, driver| {
        let candidate = Candidate { name: "eth3", mac: mac.parse().ok(), driver: Some(driver) };
        config.name_of(&candidate).map(Name::as_str)
    };
    assert_eq!(name("52:54:00:12:34:56", "network.a_e1000"), Some("wan"), "the first table goes first");
    assert_eq!(name("52:54:00:12:34:57", "network.a_e1000"), Some("lan-0"));
    assert_eq!(name("52:54:00:12:34:57", "network.a_igb"), None);
    for (text, expected) in [
        (
            "[[interface]]\nmatch.name = 'eth0'\nname = 'wan'",
            "netd.toml:3: a NIC is given its name by `match.mac` or `match.driver`, without `match.name`",
        ),
        (
            "[[interface]]\nmatch.driver = '*'\nname = 'a'\n[[interface]]\nmatch.driver = '*'\nname = 'a'",
            "netd.toml:3: two tables give the name a",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
    for name in ["", "lo", "eth0.10", "eth*", "sixteen-letters-", "a/b", "ä"] {
        let text = format!("[[interface]]\nmatch.driver = '*'\nname = '{name}'");
        assert!(error(&text).contains("is not a name of a NIC"), "{name}");
    }
}

#[test]
fn a_star_stands_for_any_text() {
    for pattern in ["eth0", "*", "eth*", "*0", "e*h*", "*t*", "e**0", "eth*0"] {
        assert!(fits(pattern, "eth0"), "{pattern}");
    }
    for pattern in ["", "eth", "eth0*0", "*1", "e*t*t*", "th*", "*th"] {
        assert!(!fits(pattern, "eth0"), "{pattern}");
    }
}

#[test]
fn dhcp_is_for_interfaces_without_an_ipv4_address() {
    let interface = |line| {
        let mut config = config(&format!("[[interface]]\nmatch.name = 'eth0'\n{line}"));
        config.interfaces.remove(0)
    };
    assert!(interface("").uses_dhcp());
    assert!(interface("addresses = ['fd00::2/64']").uses_dhcp());
    assert!(!interface("addresses = ['10.0.0.2/24']").uses_dhcp());
    assert!(interface("addresses = ['10.0.0.2/24']\ndhcp = true").uses_dhcp());
    assert!(!interface("dhcp = false").uses_dhcp());
}

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[test]
fn the_old_files_hold_where_the_new_one_is_missing_or_wrong() {
    let old = [
        ("ip", "10.0.2.15\n"),
        ("ip_subnet", "255.255.0.0\n"),
        ("ip_router", "10.0.2.2"),
        ("dns", "9.9.9.9\n"),
    ];
    let without = directory(&old);
    let loaded = load(without.path());
    assert!(loaded.errors.is_empty());
    assert_eq!(loaded.sources.len(), 4);
    let expected = "dns = ['9.9.9.9']\n[[interface]]\nmatch.name = 'eth0'\naddresses = ['10.0.2.15/16']\n\
                    routes = [{ to = 'default', via = '10.0.2.2' }]";
    assert_eq!(loaded.config, config(expected));

    fs::write(without.path().join(FILE), "mtu = 1500\n").unwrap();
    let loaded = load(without.path());
    assert_eq!(loaded.config, config(expected));
    assert!(loaded.errors[0].to_string().ends_with("netd.toml:1: unknown key `mtu`, did you mean `dns`?"));

    fs::write(without.path().join(FILE), "dns = ['1.1.1.1']\n").unwrap();
    assert_eq!(load(without.path()).config, config("dns = ['1.1.1.1']"));
}

#[test]
fn without_files_and_without_an_address_all_is_left_to_dhcp() {
    assert_eq!(load(Path::new("/nowhere")).config, Config::default());
    let directory = directory(&[("dns", "10.0.2.3\n"), ("ip_router", "10.0.2.2\n")]);
    assert_eq!(load(directory.path()).config, Config::default(), "what netd wrote there for a lease");
}

#[test]
fn an_old_file_that_makes_no_sense_is_named() {
    let bad = directory(&[("ip", "10.0.2.15\n"), ("ip_router", "router\n")]);
    let loaded = load(bad.path());
    assert_eq!(loaded.config, config("[[interface]]\nmatch.name = 'eth0'\naddresses = ['10.0.2.15/24']"));
    let error = loaded.errors[0].to_string();
    assert!(error.ends_with("ip_router:1: \"router\" is not the IPv4 address of a host"), "{error}");

    let broadcast = directory(&[("ip", "10.0.2.255\n")]);
    let loaded = load(broadcast.path());
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.errors[0].to_string().contains("no host has the address 10.0.2.255"));
}
