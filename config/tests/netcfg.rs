//! The `netcfg` command on a tree of plain files that stands for the scheme.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A root with these nodes under its `netcfg` scheme.
fn scheme(nodes: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in nodes {
        let file = root.path().join("netcfg").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    root
}

fn two_interfaces() -> TempDir {
    scheme(&[
        ("ifaces/eth0/state", "up\n"),
        ("ifaces/eth0/flags", "UP RUNNING BROADCAST MULTICAST\n"),
        ("ifaces/eth0/mac", "52-54-00-12-34-56\n"),
        ("ifaces/eth0/addr/list", "10.0.2.15/24\n"),
        ("ifaces/eth0/mtu", "1500\n"),
        ("ifaces/eth0/metric", "0\n"),
        ("ifaces/eth0/driver", "network.pci-0000-00-03.0_e1000\n"),
        ("ifaces/eth0/link", "state up\nspeed 1000\nduplex full\n"),
        (
            "ifaces/eth0/stats",
            "rx_packets 12\nrx_bytes 3456\nrx_errors 1\nrx_dropped 2\ntx_packets 10\ntx_bytes 1234\n\
             tx_dropped 0\ncollisions 0\ntap_dropped 7\n",
        ),
        ("ifaces/eth0/dhcp/state", "bound\n"),
        ("ifaces/eth0/dhcp/server", "10.0.2.2\n"),
        ("ifaces/eth0/dhcp/lease", "86400\n"),
        ("ifaces/eth0/dhcp/renew", "43200\n"),
        ("ifaces/lo/state", "up\n"),
        ("ifaces/lo/flags", "UP RUNNING LOOPBACK\n"),
        ("ifaces/lo/mac", "Not configured\n"),
        ("ifaces/lo/addr/list", "127.0.0.1/8\n"),
        ("ifaces/lo/addr/list6", "::1/128\n"),
        ("ifaces/lo/mtu", "65535\n"),
        ("ifaces/lo/driver", "none\n"),
        ("ifaces/lo/link", "state up\n"),
        ("ifaces/lo/stats", "rx_packets 0\nrx_bytes 0\ntx_packets 0\ntx_bytes 0\n"),
        (
            "route/list",
            "default via 10.0.2.2 dev eth0 src 10.0.2.15 metric 5\n10.0.2.0/24  dev eth0 src 10.0.2.15\n",
        ),
        ("resolv/nameservers", "10.0.2.3\n"),
        ("resolv/search", "home.arpa\n"),
    ])
}

fn netcfg(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netcfg")).args(arguments).env("SCHEME_ROOT", root).output().unwrap()
}

#[track_caller]
fn succeeds(root: &TempDir, arguments: &[&str]) -> String {
    let output = netcfg(root.path(), arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails(root: &Path, arguments: &[&str], code: i32) -> String {
    let output = netcfg(root, arguments);
    assert_eq!(output.status.code(), Some(code));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn json(root: &TempDir) -> Value {
    serde_json::from_str(&succeeds(root, &["--json"])).unwrap()
}

#[test]
fn people_get_aligned_text() {
    let expected = "\
eth0:
  state     up
  flags     UP RUNNING BROADCAST MULTICAST
  mac       52:54:00:12:34:56
  address   10.0.2.15/24
  mtu       1500
  link      up, 1000 Mbit/s, full duplex
  driver    network.pci-0000-00-03.0_e1000
  dhcp      bound, server 10.0.2.2, lease 86400 s, renewal after 43200 s
  received  12 packets, 3456 bytes, 1 errors, 2 dropped
  sent      10 packets, 1234 bytes, 0 dropped
  other     7 tap_dropped

lo:
  state     up
  flags     UP RUNNING LOOPBACK
  mac       none
  address   127.0.0.1/8, ::1/128
  mtu       65535
  link      up
  driver    none
  received  0 packets, 0 bytes
  sent      0 packets, 0 bytes

Routes:
  default      via 10.0.2.2  dev eth0  src 10.0.2.15  metric 5
  10.0.2.0/24                dev eth0  src 10.0.2.15

Name servers:
  10.0.2.3

Domains:
  home.arpa
";
    let root = two_interfaces();
    assert_eq!(succeeds(&root, &[]), expected);
    assert_eq!(succeeds(&root, &["show"]), expected);
}

#[test]
fn one_interface_is_shown_with_its_routes() {
    let root = two_interfaces();
    let text = succeeds(&root, &["show", "lo"]);
    assert!(text.starts_with("lo:\n") && !text.contains("eth0"), "{text}");
    assert!(
        text.ends_with("\nRoutes: none\n\nName servers:\n  10.0.2.3\n\nDomains:\n  home.arpa\n"),
        "{text}"
    );
    let text = succeeds(&root, &["show", "eth0"]);
    assert!(!text.contains("lo:") && text.contains("default      via 10.0.2.2"), "{text}");
    let error = fails(root.path(), &["show", "eth9"], 1);
    assert!(error.contains("there is no interface `eth9`: there are eth0, lo"), "{error}");
}

#[test]
fn programs_get_json() {
    let status = json(&two_interfaces());
    assert_eq!(
        status["interfaces"][0],
        json!({
            "name": "eth0",
            "state": "up",
            "flags": ["UP", "RUNNING", "BROADCAST", "MULTICAST"],
            "mac": "52:54:00:12:34:56",
            "addresses": ["10.0.2.15/24"],
            "mtu": 1500,
            "metric": 0,
            "driver": "network.pci-0000-00-03.0_e1000",
            "link": { "state": "up", "speed": 1000, "duplex": "full" },
            "stats": {
                "rx_packets": 12, "rx_bytes": 3456, "rx_errors": 1, "rx_dropped": 2, "tx_packets": 10,
                "tx_bytes": 1234, "tx_dropped": 0, "collisions": 0, "tap_dropped": 7,
            },
            "dhcp": { "state": "bound", "server": "10.0.2.2", "lease": 86400, "renew": 43200 },
        })
    );
    assert_eq!(status["interfaces"][1]["mac"], Value::Null);
    assert_eq!(status["interfaces"][1]["dhcp"], Value::Null);
    assert_eq!(
        status["routes"],
        json!([
            { "destination": "default", "via": "10.0.2.2", "interface": "eth0", "source": "10.0.2.15", "metric": 5 },
            { "destination": "10.0.2.0/24", "via": null, "interface": "eth0", "source": "10.0.2.15", "metric": 0 },
        ])
    );
    assert_eq!(status["nameservers"], json!(["10.0.2.3"]));
    assert_eq!(status["search"], json!(["home.arpa"]));
}

#[test]
fn an_interface_that_waits_for_its_driver_is_shown() {
    let root = scheme(&[
        ("ifaces/eth0/state", "up\n"),
        ("ifaces/eth0/flags", "UP BROADCAST MULTICAST\n"),
        ("ifaces/eth0/mac", "Device not found\n"),
        ("ifaces/eth0/addr/list", "Not configured\n"),
        ("ifaces/eth0/mtu", "1500\n"),
        ("ifaces/eth0/driver", "none\n"),
        ("ifaces/eth0/link", "state down\n"),
        ("ifaces/eth0/dhcp/state", "searching\n"),
        ("route/list", ""),
        ("resolv/nameserver", ""),
    ]);
    let text = succeeds(&root, &[]);
    assert!(
        text.contains("\n  address   none\n  mtu       1500\n  link      down\n  driver    none\n"),
        "{text}"
    );
    assert!(text.contains("\n  dhcp      searching\n"), "{text}");
    assert!(text.ends_with("\nRoutes: none\n\nName servers: none\n"), "{text}");
    assert_eq!(json(&root)["interfaces"][0]["addresses"], json!([]));
}

#[test]
fn without_netd_the_error_says_what_and_why_and_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let error = fails(root.path(), &[], 1);
    let path = root.path().join("netcfg/ifaces");
    assert_eq!(
        error,
        format!(
            "netcfg: cannot list {}: No such file or directory (os error 2): \
             is netd running? Start it, or see its log\n",
            path.display()
        )
    );
}

#[test]
fn a_node_that_says_nonsense_is_named() {
    let root = scheme(&[("ifaces/eth0/mtu", "large\n")]);
    let error = fails(root.path(), &["--json"], 1);
    assert!(error.ends_with("ifaces/eth0/mtu says `large` where a number is expected\n"), "{error}");
}

#[test]
fn a_wrong_option_is_answered_with_the_right_one() {
    let error = fails(Path::new("/nowhere"), &["--jsno"], 2);
    assert!(error.contains("'--json'"), "{error}");
}
