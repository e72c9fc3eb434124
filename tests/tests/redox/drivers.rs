//! Each driver with each kind of interrupt, and the mixtures of ours and stock's.

use testbed::nic::Nic;
use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;

use crate::{WAIT_FOR_LEASE, e1000};

/// QEMU's device, and the interrupts by which its driver of ours is to run it.
const DEVICES: [(&str, &str); 7] = [
    ("e1000", "INTx"),
    ("e1000-82544gc", "INTx"),
    ("e1000-82545em", "INTx"),
    ("rtl8139", "INTx"),
    ("virtio-net-pci,vectors=0", "INTx"),
    ("virtio-net-pci", "MSI-X"),
    ("virtio-net-pci,disable-legacy=on", "MSI-X"),
];

/// The stock `ping` against QEMU's user network.
fn ping_works_with(parts: Parts, nic: Nic) -> String {
    let model = nic.model.clone();
    let script = format!("{WAIT_FOR_LEASE}\ncat /scheme/netcfg/ifaces/eth0/addr/list\nping 10.0.2.2\n");
    let finished = Guest::with(parts).unwrap().nic(nic).run(&script).unwrap();
    let output = finished.success().unwrap_or_else(|error| panic!("{model}: {error}"));
    assert!(output.starts_with("10.0.2.15/24\n"), "{model}: {output}");
    assert!(output.contains("4 packets received"), "{model}: {output}");
    finished.console().unwrap()
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn every_driver_works_with_every_kind_of_interrupt() {
    for (model, interrupts) in DEVICES {
        let console = ping_works_with(Parts::All, Nic::user(model));
        let expected = format!("interrupts by {interrupts}");
        assert!(console.contains(&expected), "{model}: no `{expected}` in {console}");
    }
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn netd_works_over_stock_drivers() {
    for model in ["e1000", "rtl8139"] {
        ping_works_with(Parts::Netd, Nic::user(model));
    }
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn the_stock_network_stack_works_over_our_driver() {
    ping_works_with(Parts::Drivers, e1000());
}
