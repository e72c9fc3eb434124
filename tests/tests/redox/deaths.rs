//! A driver or netd is killed, as a crash would, and started again.

use std::time::Duration;

use testbed::redox::guest::{Guest, Running};
use testbed::redox::install::Parts;

use crate::{SCHEME, WAIT_FOR_LEASE, e1000};

/// How long the guest may take to come to a point of its script, its boot included.
const LIMIT: Duration = Duration::from_secs(180);

/// PCI's command register, and Bus Master Enable in it.
const COMMAND: u8 = 0x04;
const BUS_MASTER: u32 = 1 << 2;

/// The first network device's slot.
const SLOT: u8 = 3;

fn start(script: &str) -> Running {
    Guest::with(Parts::All).unwrap().program("probe").unwrap().nic(e1000()).start(script).unwrap()
}

fn is_bus_master(running: &mut Running) -> bool {
    running.run().monitor().read_config(SLOT, COMMAND).unwrap() & BUS_MASTER != 0
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn who_waits_in_a_driver_that_is_killed_is_told_and_the_next_one_takes_over() {
    let flags = "cat /scheme/netcfg/ifaces/eth0/flags";
    let mut running = start(&format!(
        "{WAIT_FOR_LEASE}\ncat {SCHEME}/frame >/tmp/frames &\nsleep 1\necho begun\nsleep 2\n\
         probe kill e1000d\nwait\necho told\n{flags}\nsleep 3\n\
         pcid-spawner\nsleep 3\n{flags}\nping 10.0.2.2\n"
    ));
    running.wait_for("begun", LIMIT).unwrap();
    assert!(is_bus_master(&mut running));
    running.wait_for("told", LIMIT).unwrap();
    assert!(!is_bus_master(&mut running), "the device of the dead driver reaches memory");
    let finished = running.finish().unwrap();
    let output = finished.success().unwrap();
    let expected = "begun\ntold\nUP BROADCAST MULTICAST\nUP RUNNING BROADCAST MULTICAST\n";
    assert!(output.starts_with(expected) && output.contains("4 packets received"), "{output}");
    assert!(finished.stderr().contains("No such device"), "{}", finished.stderr());
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn who_waits_in_netd_when_it_is_killed_is_told_and_the_next_one_takes_over() {
    // One waits for a connection, one for a datagram, one polls.
    let running = start(&format!(
        "{WAIT_FOR_LEASE}\nnc -l 0.0.0.0:4000 &\nnc -u -l 0.0.0.0:4001 &\ncat /scheme/udp/10.0.2.2:9 &\nsleep 2\n\
         probe kill netd\nwait\necho told\nls /scheme/netcfg\n\
         netd &\nsleep 6\nls /scheme/netcfg/ifaces\nping 10.0.2.2\n"
    ));
    let finished = running.finish().unwrap();
    let output = finished.success().unwrap();
    assert!(output.contains("told\neth0\nlo\n") && output.contains("4 packets received"), "{output}");
    assert!(
        output.contains("nc error: listen_tcp error: cannot establish connection (No such device"),
        "{output}"
    );
    assert!(
        finished.stderr().contains("Error occurred while reading from file/socket."),
        "{}",
        finished.stderr()
    );
}
