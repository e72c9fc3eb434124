//! The spawner on a tree of plain files that stands for `/sys/bus/pci`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A bus with these functions: address, vendor, device, class.
fn bus(functions: &[(&str, &str, &str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("drivers/vfio-pci")).unwrap();
    fs::create_dir_all(root.path().join("drivers/e1000")).unwrap();
    for (address, vendor, device, class) in functions {
        let function = root.path().join("devices").join(address);
        fs::create_dir_all(&function).unwrap();
        for (name, value) in [("vendor", vendor), ("device", device), ("class", class)] {
            fs::write(function.join(name), format!("{value}\n")).unwrap();
        }
    }
    root
}

fn bind(root: &TempDir, address: &str, driver: &str) {
    let link = root.path().join("devices").join(address).join("driver");
    symlink(root.path().join("drivers").join(driver), link).unwrap();
}

fn e1000d() -> Vec<Driver> {
    let text = "[[drivers]]\nclass = 2\nids = { 0x8086 = [0x100e] }\ncommand = ['e1000d', '-v']";
    pcid::parse(Path::new("test.toml"), text).unwrap()
}

/// What `--dry-run` prints for `root`.
fn dry_run(root: &TempDir) -> Vec<String> {
    let functions = Bus::new(root.path()).functions().unwrap();
    let drivers = e1000d();
    match_functions(&functions, &drivers).iter().map(|(function, driver)| plan(function, driver)).collect()
}

#[test]
fn each_function_that_matches_gets_a_driver_of_its_own() {
    let root = bus(&[
        ("0000:00:04.0", "0x8086", "0x100e", "0x020000"),
        ("0000:00:00.0", "0x8086", "0x29c0", "0x060000"),
        ("0000:00:03.0", "0x8086", "0x100e", "0x020000"),
        ("0000:00:05.0", "0x10ec", "0x8139", "0x020000"),
    ]);
    bind(&root, "0000:00:04.0", "e1000");
    assert_eq!(
        dry_run(&root),
        [
            "0000:00:03.0 (vendor 8086, device 100e, class 020000): given to vfio-pci, \
             /usr/lib/drivers/e1000d -v",
            "0000:00:04.0 (vendor 8086, device 100e, class 020000): taken from e1000 for vfio-pci, \
             /usr/lib/drivers/e1000d -v",
        ]
    );
}

#[test]
fn a_bus_without_a_network_controller_starts_nothing() {
    let root = bus(&[("0000:00:00.0", "0x8086", "0x29c0", "0x060000")]);
    assert_eq!(dry_run(&root), [""; 0]);
}

#[test]
fn a_function_that_cannot_be_read_does_not_hide_the_others() {
    let root = bus(&[
        ("0000:00:02.0", "0x8086", "gibberish", "0x020000"),
        ("0000:00:03.0", "0x8086", "0x100e", "0x020000"),
    ]);
    fs::create_dir(root.path().join("devices/0000:00:01.0")).unwrap();
    assert_eq!(dry_run(&root).len(), 1);
}

#[test]
fn a_missing_bus_is_named() {
    let error = Bus::new("/nowhere").functions().unwrap_err();
    assert!(error.to_string().starts_with("cannot list /nowhere/devices: "), "{error}");
}

#[test]
fn a_function_is_taken_from_its_driver_and_offered_to_vfio() {
    let root = bus(&[("0000:00:03.0", "0x8086", "0x100e", "0x020000")]);
    bind(&root, "0000:00:03.0", "e1000");

    // Files do not act on what is written to them as the kernel does, so the function stays where it was.
    let error = Bus::new(root.path()).give_to_vfio("0000:00:03.0").unwrap_err();

    let read = |path| fs::read_to_string(root.path().join(path)).unwrap();
    assert_eq!(read("devices/0000:00:03.0/driver_override"), "vfio-pci");
    assert_eq!(read("drivers/e1000/unbind"), "0000:00:03.0");
    assert_eq!(read("drivers_probe"), "0000:00:03.0");
    assert!(error.to_string().contains("is the module vfio-pci loaded"), "{error}");
}

#[test]
fn a_function_that_vfio_has_is_left_alone() {
    let root = bus(&[("0000:00:03.0", "0x8086", "0x100e", "0x020000")]);
    bind(&root, "0000:00:03.0", "vfio-pci");
    Bus::new(root.path()).give_to_vfio("0000:00:03.0").unwrap();
    assert!(!root.path().join("drivers_probe").exists());
}
