//! What a user of Redox looks at first: the configuration, and the driver's files.

use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;

use crate::{SCHEME, WAIT_FOR_LEASE, e1000};

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn netcfg_shows_the_interface() {
    let script = format!("{WAIT_FOR_LEASE}\nnetcfg\n");
    let finished = Guest::with(Parts::All).unwrap().nic(e1000()).run(&script).unwrap();
    let output = finished.success().unwrap();
    for expected in ["eth0", "52:54:00:12:34:56", "10.0.2.15/24", "10.0.2.2", "10.0.2.3", "127.0.0.1/8"] {
        assert!(output.contains(expected), "{expected} in {output}");
    }
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn the_drivers_files_can_be_read() {
    let script = format!("cat {SCHEME}/address\ncat {SCHEME}/mtu\ncat {SCHEME}/mac\n");
    let finished = Guest::with(Parts::All).unwrap().nic(e1000()).run(&script).unwrap();
    assert_eq!(finished.success().unwrap(), "52:54:00:12:34:56\n1500\nRT\0\u{12}4V");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn the_link_follows_the_cable() {
    let node = "/scheme/netcfg/ifaces/eth0/flags";
    let script = format!(
        "{WAIT_FOR_LEASE}\ncat {node}\nsleep 4\ncat {SCHEME}/link\ncat {node}\nsleep 4\ncat {SCHEME}/link\ncat {node}\n"
    );
    let mut running = Guest::with(Parts::All).unwrap().nic(e1000()).start(&script).unwrap();
    let limit = std::time::Duration::from_secs(180);
    running.wait_for("RUNNING", limit).unwrap();
    running.run().monitor().plug(false).unwrap();
    running.wait_for("state down\n", limit).unwrap();
    running.run().monitor().plug(true).unwrap();
    let finished = running.finish().unwrap();
    let flags: Vec<_> = finished.success().unwrap().lines().filter(|line| line.starts_with("UP")).collect();
    assert_eq!(
        flags,
        ["UP RUNNING BROADCAST MULTICAST", "UP BROADCAST MULTICAST", "UP RUNNING BROADCAST MULTICAST"]
    );
}
