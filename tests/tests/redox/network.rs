//! What a user of Redox does: look at the configuration, ping, and use the frames themselves.

use testbed::nic::Nic;
use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;

use crate::{SCHEME, WAIT_FOR_LEASE, e1000};

/// The stock `ping` against QEMU's user network.
fn ping_works_with(parts: Parts) {
    let script = format!("{WAIT_FOR_LEASE}\ncat /scheme/netcfg/ifaces/eth0/addr/list\nping 10.0.2.2\n");
    let finished = Guest::with(parts).unwrap().nic(e1000()).run(&script).unwrap();
    let output = finished.success().unwrap();
    assert!(output.starts_with("10.0.2.15/24\n"), "{output}");
    assert!(output.contains("4 packets received"), "{output}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn stock_ping_works_over_netd_and_our_driver() {
    ping_works_with(Parts::All);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn netd_works_over_a_stock_driver() {
    ping_works_with(Parts::Netd);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn the_stock_network_stack_works_over_our_driver() {
    ping_works_with(Parts::Drivers);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn every_driver_of_ours_works() {
    for model in
        ["e1000-82544gc", "e1000-82545em", "e1000e", "virtio-net-pci", "virtio-net-pci,disable-legacy=on"]
    {
        let script = format!("{WAIT_FOR_LEASE}\nping 10.0.2.2\n");
        let finished = Guest::with(Parts::All).unwrap().nic(Nic::user(model)).run(&script).unwrap();
        let output = finished.success().unwrap();
        assert!(output.contains("4 packets received"), "{model}: {output}");
    }
}

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
fn a_frame_that_echo_writes_leaves_byte_for_byte() {
    let frame = "to all and from me: a frame of sixty bytes and a few more to see";
    let script = format!("echo '{frame}' >{SCHEME}/frame\nsleep 1\n");
    let finished = Guest::with(Parts::All).unwrap().nic(e1000()).keep_frames().run(&script).unwrap();
    finished.success().unwrap();
    let sent = format!("{frame}\n").into_bytes();
    assert!(finished.frames().unwrap().contains(&sent), "the frame did not leave as it is");
}
