//! Each driver with each kind of interrupt, and the mixtures of ours and stock's.

use testbed::nic::Nic;
use testbed::redox::guest::Guest;
use testbed::redox::install::Parts;

use crate::{WAIT_FOR_LEASE, e1000};

/// QEMU's device, the kind of interrupt that its driver of ours is told to use, and what the driver says of that.
type Device = (&'static str, &'static str, &'static str);

const DEVICES: [Device; 13] = [
    ("e1000", "intx", "INTx"),
    ("e1000-82544gc", "intx", "INTx"),
    ("e1000-82545em", "intx", "INTx"),
    ("e1000e", "msix", "MSI-X (2 vectors)"),
    ("e1000e", "msi", "MSI"),
    ("e1000e", "intx", "INTx"),
    ("rtl8139", "intx", "INTx"),
    ("virtio-net-pci", "msix", "MSI-X (4 vectors)"),
    ("virtio-net-pci", "intx", "INTx"),
    ("virtio-net-pci,disable-legacy=on", "msix", "MSI-X (4 vectors)"),
    ("vmxnet3", "msix", "MSI-X (4 vectors)"),
    ("vmxnet3", "msi", "MSI"),
    ("vmxnet3", "intx", "INTx"),
];

/// The same of the device that not every QEMU has.
const IGB: [Device; 3] =
    [("igb", "msix", "MSI-X (4 vectors)"), ("igb", "msi", "MSI"), ("igb", "intx", "INTx")];

/// The stock `ping` against QEMU's user network.
fn ping_works_with(guest: Guest, nic: Nic) -> String {
    let model = nic.model.clone();
    let script = format!("{WAIT_FOR_LEASE}\ncat /scheme/netcfg/ifaces/eth0/addr/list\nping 10.0.2.2\n");
    let finished = guest.nic(nic).run(&script).unwrap();
    let output = finished.success().unwrap_or_else(|error| panic!("{model}: {error}"));
    assert!(output.starts_with("10.0.2.15/24\n"), "{model}: {output}");
    assert!(output.contains("4 packets received"), "{model}: {output}");
    finished.console().unwrap()
}

fn works_by_its_interrupt((model, kind, name): Device) {
    let guest = Guest::with(Parts::All).unwrap().interrupt(kind).unwrap();
    let console = ping_works_with(guest, Nic::user(model));
    let told = format!("interrupts by {name}");
    assert!(console.lines().any(|line| line.trim_end().ends_with(&told)), "{model}, {kind}: {console}");
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn every_driver_works_with_every_kind_of_interrupt() {
    DEVICES.into_iter().for_each(works_by_its_interrupt);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn igb_works_with_every_kind_of_interrupt() {
    IGB.into_iter().for_each(works_by_its_interrupt);
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn netd_works_over_stock_drivers() {
    for model in ["e1000", "rtl8139"] {
        ping_works_with(Guest::with(Parts::Netd).unwrap(), Nic::user(model));
    }
}

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn the_stock_network_stack_works_over_our_driver() {
    ping_works_with(Guest::with(Parts::Drivers).unwrap(), e1000());
}

/// More than there are vectors in the system.
const USES: usize = 250;

#[test]
#[ignore = "boots Redox: ./x redox test --base IMAGE"]
fn vectors_do_not_run_out() {
    let scheme = "network.pci-0000-00-03.0_virtio_net";
    // Nobody else uses the device; then the driver is a new one, and at last the vector is of use again.
    let script = format!(
        "sleep 3\nprobe kill netd\nprobe reopen {scheme} {USES}\n\
         probe kill virtio-netd\nsleep 3\npcid-spawner\nprobe reopen {scheme} 3\n\
         netd &\nsleep 6\nping 10.0.2.2\ncat /scheme/{scheme}/stats\n"
    );
    let guest = Guest::with(Parts::All).unwrap().program("probe").unwrap().nic(Nic::user("virtio-net-pci"));
    let finished = guest.run(&script).unwrap();
    let output = finished.success().unwrap();
    assert!(output.contains("4 packets received"), "{output}");
    assert!(output.contains("\ninterrupts ") && !output.contains("\ninterrupts 0\n"), "{output}");
    // The first driver speaks on the console, the one that the script started with the script.
    let said = finished.console().unwrap() + finished.stderr();
    assert!(said.matches("interrupts by MSI-X").count() > USES + 3, "{said}");
    assert!(!said.contains("interrupts by INTx"), "{said}");
}
