use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use gpt::mbr::{PartRecord, ProtectiveMBR};
use redoxfs::{DiskIo, FileSystem};

use super::*;
use crate::redox::filesystem::Place;
use crate::redox::install::{PLAIN, PROGRAM};

const MIB: u64 = 1 << 20;

/// The stock files that matter here.
const STOCK: [(&str, &str); 4] = [
    ("/usr/lib/init.d/10_smolnetd.service", "cmd = \"netstack\""),
    ("/usr/lib/pcid.d/e1000d.toml", "# stock"),
    ("/usr/lib/drivers/e1000d", "stock driver"),
    ("/usr/bin/netstack", "stock netstack"),
];

/// A folder with a base image in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// An image of `size` bytes with a RedoxFS in `place`.
    fn new(size: u64, place: Range<u64>, password: Option<&[u8]>) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        File::create(bench.base()).unwrap().set_len(size).unwrap();
        let disk = DiskIo(Place::new(bench.disk(), place));
        FileSystem::create(disk, password, 0, 0).map(drop).unwrap();
        bench
    }

    /// With the stock files.
    fn stock(self) -> Self {
        let mut volume = Volume::open(self.disk(), Duration::from_secs(1)).unwrap();
        for (path, content) in STOCK {
            volume.write(path, PLAIN, content.as_bytes()).unwrap();
        }
        volume.close().unwrap();
        self
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("base.img")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("new.img")
    }

    fn disk(&self) -> File {
        File::options().read(true).write(true).open(self.base()).unwrap()
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        let mut disk = self.disk();
        disk.seek(SeekFrom::Start(offset)).unwrap();
        disk.write_all(bytes).unwrap();
    }

    fn make(&self, items: &[Item]) -> Result<Vec<Change>> {
        let before = fs::read(self.base()).unwrap();
        let result = make(&self.base(), &self.out(), items);
        assert!(fs::read(self.base()).unwrap() == before, "the base image was changed");
        result
    }

    /// Makes an image, which must fail and leave nothing; gives the reason.
    fn refuse(&self, items: &[Item]) -> String {
        let error = self.make(items).unwrap_err().to_string();
        let left: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [self.base()], "something half-made was left");
        assert!(error.starts_with(&self.base().display().to_string()), "{error}");
        error
    }

    fn read(&self, path: &str) -> String {
        let image = File::options().read(true).write(true).open(self.out()).unwrap();
        let content = Volume::open(image, Duration::ZERO).unwrap().read(path).unwrap();
        String::from_utf8(content).unwrap()
    }
}

fn items() -> Vec<Item> {
    let unit = Item {
        path: "/usr/lib/init.d/10_smolnetd.service".into(),
        shadow: Some("/etc/init.d/10_smolnetd.service".into()),
        mode: PLAIN,
        content: b"cmd = \"netd\"".into(),
    };
    vec![
        Item::new("/usr/lib/drivers/e1000d", PROGRAM, b"our driver".repeat(100_000)),
        Item::new("/usr/bin/netd", PROGRAM, b"netd".into()),
        unit,
    ]
}

/// Puts our files into the image, and looks at all of them and at the stock ones.
fn install_into(bench: &Bench) {
    let changes = bench.make(&items()).unwrap();
    assert_eq!(
        changes,
        [
            Change::Replaced("/usr/lib/drivers/e1000d".into()),
            Change::Added("/usr/bin/netd".into()),
            Change::Replaced("/usr/lib/init.d/10_smolnetd.service".into()),
        ]
    );
    assert_eq!(bench.read("/usr/lib/drivers/e1000d"), "our driver".repeat(100_000));
    assert_eq!(bench.read("/usr/bin/netd"), "netd");
    assert_eq!(bench.read("/usr/lib/init.d/10_smolnetd.service"), "cmd = \"netd\"");
    assert_eq!(bench.read("/usr/bin/netstack"), "stock netstack", "nothing else is touched");
    assert_eq!(bench.read("/usr/lib/pcid.d/e1000d.toml"), "# stock", "nothing else is touched");
}

#[test]
fn ours_goes_into_a_bare_file_system() {
    install_into(&Bench::new(16 * MIB, 0..16 * MIB, None).stock());
}

#[test]
fn a_bare_file_system_may_stand_behind_a_boot_loader() {
    let bench = Bench::new(16 * MIB, 2 * MIB..16 * MIB, None).stock();
    // A boot sector, whose partition table is empty.
    bench.write(510, &[0x55, 0xaa]);
    install_into(&bench);
}

#[test]
fn ours_goes_into_a_partition_by_gpt() {
    // The second partition, whose start is no multiple of RedoxFS' blocks.
    let second = 4097 * 512..4097 * 512 + 12 * MIB;
    let bench = Bench::new(16 * MIB, second.clone(), None);
    ProtectiveMBR::with_lb_size((16 * MIB / 512) as u32 - 1).overwrite_lba0(&mut bench.disk()).unwrap();
    let mut table = gpt::GptConfig::new().writable(true).create_from_device(bench.disk(), None).unwrap();
    table.add_partition_at("BOOT", 1, 2048, 2048, gpt::partition_types::BIOS, 0).unwrap();
    let sectors = (second.end - second.start) / 512;
    table
        .add_partition_at("REDOX", 2, second.start / 512, sectors, gpt::partition_types::LINUX_FS, 0)
        .unwrap();
    table.write().unwrap();
    install_into(&bench.stock());
}

#[test]
fn ours_goes_into_a_partition_by_mbr() {
    let bench = Bench::new(16 * MIB, MIB..16 * MIB, None).stock();
    let mut table = ProtectiveMBR::with_lb_size(0);
    table.set_partition(0, PartRecord::zero());
    let redox = PartRecord { os_type: 0x83, lb_start: 2048, lb_size: 15 * 2048, ..PartRecord::zero() };
    table.set_partition(1, redox);
    table.overwrite_lba0(&mut bench.disk()).unwrap();
    install_into(&bench);
}

#[test]
fn what_would_go_before_ours_is_replaced_too() {
    let bench = Bench::new(16 * MIB, 0..16 * MIB, None).stock();
    let own = "/etc/init.d/10_smolnetd.service";
    let mut volume = Volume::open(bench.disk(), Duration::ZERO).unwrap();
    volume.write(own, PLAIN, b"the user's own").unwrap();
    volume.close().unwrap();
    assert!(bench.make(&items()).unwrap().contains(&Change::Replaced(own.into())));
    assert_eq!(bench.read(own), "cmd = \"netd\"");
}

#[test]
fn an_image_can_be_made_of_one_that_was_made() {
    let bench = Bench::new(16 * MIB, 0..16 * MIB, None).stock();
    bench.make(&items()).unwrap();
    fs::rename(bench.out(), bench.base()).unwrap();
    let changes = bench.make(&items()).unwrap();
    assert!(changes.iter().all(|change| matches!(change, Change::Replaced(_))), "{changes:?}");
}

#[test]
fn the_base_image_is_not_overwritten() {
    let bench = Bench::new(16 * MIB, 0..16 * MIB, None).stock();
    let before = fs::read(bench.base()).unwrap();
    let error = make(&bench.base(), &bench.base(), &items()).unwrap_err().to_string();
    assert!(error.contains("never changed"), "{error}");
    assert!(fs::read(bench.base()).unwrap() == before);
}

#[test]
fn a_full_file_system_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, None).stock();
    let mut noise = 1_u64;
    let content = std::iter::repeat_with(|| {
        // Something that does not compress (xorshift).
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise.to_le_bytes()
    });
    let content: Vec<u8> = content.take(1 << 19).flatten().collect();
    let error = bench.refuse(&[Item::new("/usr/bin/netd", PROGRAM, content)]);
    assert!(error.contains("full: /usr/bin/netd takes 4096 KiB"), "{error}");
}

#[test]
fn a_foreign_file_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, None);
    fs::write(bench.base(), vec![0x55; 3 << 20]).unwrap();
    assert!(bench.refuse(&items()).contains("there is no RedoxFS in it"));
    fs::write(bench.base(), "").unwrap();
    assert!(bench.refuse(&items()).contains("there is no RedoxFS in it"));
}

#[test]
fn an_encrypted_file_system_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, Some(b"secret"));
    assert!(bench.refuse(&items()).contains("encrypted"));
}

#[test]
fn a_file_system_of_another_version_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, None);
    for block in 0..redoxfs::HEADER_RING {
        bench.write(block * redoxfs::BLOCK_SIZE + 8, &7_u64.to_le_bytes());
    }
    assert!(bench.refuse(&items()).contains("version 7, and only version 8"));
}

#[test]
fn a_damaged_file_system_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, None);
    for block in 0..redoxfs::HEADER_RING {
        bench.write(block * redoxfs::BLOCK_SIZE + 100, &[0xff; 64]);
    }
    assert!(bench.refuse(&items()).contains("damaged"));
}

#[test]
fn a_system_without_the_network_stack_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, None);
    assert!(bench.refuse(&items()).contains("no 10_smolnetd.service"));
}

#[test]
fn a_file_where_a_folder_should_be_is_refused() {
    let bench = Bench::new(4 * MIB, 0..4 * MIB, None).stock();
    let error = bench.refuse(&[Item::new("/usr/bin/netstack/netd", PROGRAM, b"netd".into())]);
    assert!(error.contains("netstack is no folder"), "{error}");
    let error = bench.refuse(&[Item::new("/usr/bin", PROGRAM, b"netd".into())]);
    assert!(error.contains("/usr/bin is no file"), "{error}");
}
