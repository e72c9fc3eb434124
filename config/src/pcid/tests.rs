use std::fs;
use std::path::Path;

use super::*;

const INTEL_82540EM: FunctionId =
    FunctionId { vendor: 0x8086, device: 0x100e, class: 2, subclass: 0, interface: 0 };

fn drivers(text: &str) -> Vec<Driver> {
    parse(Path::new("test.toml"), text).unwrap()
}

fn error(text: &str) -> String {
    parse(Path::new("test.toml"), text).unwrap_err().to_string()
}

fn matches(conditions: &str, id: FunctionId) -> bool {
    let drivers = drivers(&format!("[[drivers]]\n{conditions}\ncommand = ['driver']"));
    find(&drivers, &id).is_some()
}

#[test]
fn installed_files_serve_intels_controllers() {
    let (drivers, errors) = load(&[concat!(env!("CARGO_MANIFEST_DIR"), "/pcid.d")]);
    assert!(errors.is_empty(), "{errors:?}");
    let families = [
        ("e1000d", [0x1004, 0x100c, 0x100e, 0x100f]),
        ("e1000ed", [0x109a, 0x10d3, 0x1503, 0x15b8]),
        ("igbd", [0x10c9, 0x1521, 0x1533, 0x1539]),
        ("ixgbed", [0x10fb, 0x1528, 0x1560, 0x1563]),
    ];
    for (daemon, devices) in families {
        for device in devices {
            let driver = find(&drivers, &FunctionId { device, ..INTEL_82540EM }).unwrap();
            assert_eq!(driver.command.program(), Path::new("/usr/lib/drivers").join(daemon));
        }
    }
    assert_eq!(find(&drivers, &FunctionId { device: 0x1572, ..INTEL_82540EM }), None);
}

#[test]
fn installed_files_serve_realteks_controllers() {
    let (drivers, _) = load(&[concat!(env!("CARGO_MANIFEST_DIR"), "/pcid.d")]);
    for (daemon, device) in [("rtl8139d", 0x8139), ("rtl8168d", 0x8168), ("rtl8168d", 0x8125)] {
        let id = FunctionId { vendor: 0x10ec, device, ..INTEL_82540EM };
        let driver = find(&drivers, &id).unwrap();
        assert_eq!(driver.command.program(), Path::new("/usr/lib/drivers").join(daemon));
    }
}

#[test]
fn installed_files_serve_virtio_network_devices_and_no_others() {
    let (drivers, _) = load(&[concat!(env!("CARGO_MANIFEST_DIR"), "/pcid.d")]);
    let id = |device, class| FunctionId { vendor: 0x1af4, device, class, subclass: 0, interface: 0 };
    for device in [0x1000, 0x1041] {
        let driver = find(&drivers, &id(device, 2)).unwrap();
        assert_eq!(driver.command.program(), Path::new("/usr/lib/drivers/virtio-netd"));
    }
    assert_eq!(find(&drivers, &id(0x1043, 7)), None, "a serial port");
}

#[test]
fn every_condition_must_be_met() {
    let id = FunctionId { vendor: 0x10ec, device: 0x8139, class: 2, subclass: 3, interface: 4 };
    assert!(matches("class = 2\nsubclass = 3\ninterface = 4\nvendor = 0x10ec\ndevice = 0x8139", id));
    for wrong in ["class = 1", "subclass = 1", "interface = 1", "vendor = 1", "device = 1"] {
        assert!(!matches(wrong, id), "{wrong}");
    }
    assert!(matches("", id), "a table without conditions serves everything");
}

#[test]
fn ids_stand_in_for_vendor_and_device() {
    assert!(matches("vendor = 1\ndevice = 1\nids = { 0x8086 = [0x100e] }", INTEL_82540EM));
    assert!(matches("ids = { 8086 = [0x100f, 0x100e] }", INTEL_82540EM));
    assert!(!matches("vendor = 0x8086\ndevice = 0x100e\nids = { 0x8086 = [0x100f] }", INTEL_82540EM));
    assert!(!matches("ids = { 0x10ec = [0x100e] }", INTEL_82540EM));
    assert!(!matches("class = 1\nids = { 0x8086 = [0x100e] }", INTEL_82540EM));
}

#[test]
fn a_range_of_devices_ends_before_its_end() {
    let in_range = |device| {
        let range = "vendor = 0x8086\ndevice_id_range = { start = 0x1000, end = 0x1010 }";
        matches(range, FunctionId { device, ..INTEL_82540EM })
    };
    assert!(!in_range(0x0fff));
    assert!(in_range(0x1000));
    assert!(in_range(0x100f));
    assert!(!in_range(0x1010));
}

#[test]
fn a_command_is_a_file_of_the_driver_directory_unless_it_begins_with_a_slash() {
    let drivers = drivers(
        "[[drivers]]\ncommand = ['e1000d', '--fast']\n[[drivers]]\ncommand = ['/opt/e1000d']\n\
         [[drivers]]\ncommand = ['net/e1000d']",
    );
    let programs: Vec<_> = drivers.iter().map(|driver| driver.command.program()).collect();
    assert_eq!(
        programs,
        ["/usr/lib/drivers/e1000d", "/opt/e1000d", "/usr/lib/drivers/net/e1000d"].map(PathBuf::from)
    );
    assert_eq!(drivers[0].command.arguments(), ["--fast"]);
}

#[test]
fn a_later_directory_replaces_by_name_and_names_give_the_order() {
    let root = tempfile::tempdir().unwrap();
    let (vendor, local) = (root.path().join("lib"), root.path().join("etc"));
    fs::create_dir(&vendor).unwrap();
    fs::create_dir(&local).unwrap();
    let entry = |command| format!("[[drivers]]\ncommand = ['{command}']");
    fs::write(vendor.join("20-b.toml"), entry("replaced")).unwrap();
    fs::write(vendor.join("30-c.toml"), entry("third")).unwrap();
    fs::write(vendor.join("readme.txt"), "no TOML at all").unwrap();
    fs::write(local.join("20-b.toml"), entry("second")).unwrap();
    fs::write(local.join("10-a.toml"), entry("first")).unwrap();

    let (drivers, errors) = load(&[vendor, local, root.path().join("missing")]);

    assert!(errors.is_empty(), "{errors:?}");
    let commands: Vec<_> = drivers.iter().map(|driver| driver.command.program()).collect();
    assert_eq!(commands, ["first", "second", "third"].map(|name| Path::new(DRIVER_DIRECTORY).join(name)));
    assert_eq!(find(&drivers, &INTEL_82540EM), drivers.first(), "the first that matches serves");
}

#[test]
fn a_bad_file_is_reported_and_the_others_are_used() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("bad.toml"), "[[drivers]]\nname = 'x'\nclass = \n").unwrap();
    fs::write(directory.path().join("binary.toml"), [0xff, 0xfe]).unwrap();
    fs::write(directory.path().join("good.toml"), "[[drivers]]\ncommand = ['good']").unwrap();

    let (drivers, errors) = load(&[directory.path()]);

    assert_eq!(drivers.len(), 1);
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert!(errors[0].contains("bad.toml:3: "), "{errors:?}");
    assert!(errors[1].contains("cannot read ") && errors[1].contains("binary.toml"), "{errors:?}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    assert_eq!(
        error("[[drivers]]\nname = 'x'\nclas = 2\ncommand = ['x']"),
        "test.toml:3: unknown key `clas`, did you mean `class`?"
    );
    assert_eq!(
        error("# drivers\n\n[[driver]]\ncommand = ['x']"),
        "test.toml:3: unknown key `driver`, did you mean `drivers`?"
    );
    assert_eq!(
        error("[[drivers]]\ncommand = ['x']\n[[drivers]]\ndevice_id_rage = { start = 1, end = 2 }"),
        "test.toml:4: unknown key `device_id_rage`, did you mean `device_id_range`?"
    );
}

#[test]
fn values_that_cannot_be_meant_are_named_with_their_line() {
    assert!(error("[[drivers]]\nclass = 256\ncommand = ['x']").starts_with("test.toml:2: "));
    assert!(error("[[drivers]]\nids = { intel = [1] }\ncommand = ['x']").contains("`intel` is no vendor ID"));
    assert!(error("[[drivers]]\ncommand = []").contains("`command` names no program"));
    assert!(error("[[drivers]]\ncommand = ['']").contains("`command` names no program"));
    assert!(error("[[drivers]]\nclass = 2").contains("command"), "a driver without a command");
    assert!(error("drivers = 5").starts_with("test.toml:1: "));
}
