//! Nothing about a network device holds up the boot.

use testbed::nic::Nic;
use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;

use crate::{SCHEME, WAIT_FOR_LEASE, e1000};

fn ours() -> Guest {
    Guest::with(Parts::All).unwrap()
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn without_a_network_device_it_boots_and_has_its_loopback() {
    let script = "cat /scheme/netcfg/ifaces/eth0/driver\nping 127.0.0.1\n";
    let finished = ours().run(script).unwrap();
    let output = finished.success().unwrap();
    assert!(output.starts_with("none\n") && output.contains("4 packets received"), "{output}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn without_a_cable_it_boots() {
    let script = format!("cat {SCHEME}/link\ncat /scheme/netcfg/ifaces/eth0/flags");
    let finished = ours().nic(e1000()).unplugged().run(&script).unwrap();
    let output = finished.success().unwrap();
    assert!(output.starts_with("state down\n"), "{output}");
    assert!(output.contains("UP ") && !output.contains("RUNNING"), "{output}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn with_a_device_that_no_driver_serves_it_boots() {
    let finished = ours().nic(Nic::user("pcnet")).run("cat /scheme/netcfg/ifaces/eth0/driver").unwrap();
    assert_eq!(finished.success().unwrap(), "none\n");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn with_a_second_device_it_boots_and_one_of_them_works() {
    let script = format!("{WAIT_FOR_LEASE}\nls /scheme\nping 10.0.2.2\n");
    let finished = ours().nic(e1000()).nic(Nic::user("e1000")).run(&script).unwrap();
    let output = finished.success().unwrap();
    assert_eq!(output.matches("_e1000\n").count(), 2, "{output}");
    assert!(output.contains("4 packets received"), "{output}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn with_a_driver_that_ends_at_once_it_boots() {
    let guest = ours().driver_that_ends("e1000d").unwrap().nic(e1000());
    let finished = guest.run("cat /scheme/netcfg/ifaces/eth0/driver").unwrap();
    assert_eq!(finished.success().unwrap(), "none\n");
    let console = finished.console().unwrap();
    assert!(console.contains("/usr/lib/drivers/e1000d"), "it was not started: {console}");
}
