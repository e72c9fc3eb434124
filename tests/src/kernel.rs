//! The guest's kernel: its image and the modules that go with it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Context, Error, Result};

/// The modules that the guest loads, in this order: virtio for the ways out to the host, FUSE for the schemes,
/// VFIO for the drivers. What a kernel has built in, or does not split as others do, is not found and not loaded.
const MODULES: &[&str] = &[
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_console",
    "fuse",
    "irqbypass",
    "vfio",
    "vfio_virqfd",
    "vfio_iommu_type1",
    "vfio-pci-core",
    "vfio-pci",
];

/// A kernel that the guest can boot.
#[derive(Debug)]
pub struct Kernel {
    /// The image (Linux/x86 boot protocol).
    pub image: PathBuf,
    /// The modules to load, in order.
    pub modules: Vec<PathBuf>,
    /// The files of all that it has.
    files: Vec<PathBuf>,
}

impl Kernel {
    /// The kernel that the environment variable `NETD_KERNEL` names, with its modules from beside it or from
    /// `/lib/modules`.
    pub fn find() -> Result<Self> {
        let image = crate::variable("NETD_KERNEL")?;
        let version = version(&fs::read(&image).context("read", &image)?).ok_or_else(|| {
            Error::Missing(format!("{} is no Linux kernel image (bzImage)", image.display()))
        })?;
        let folder = modules_folder(&image, &version)?;
        let mut found = Vec::new();
        collect(&folder, &mut found)?;
        let modules = MODULES.iter().filter_map(|name| find(&found, name)).collect();
        Ok(Self { image, modules, files: found })
    }

    /// The files of these modules, without those that it has built in.
    ///
    /// # Errors
    /// The last one is not there: a kernel for virtual machines may lack it.
    pub fn modules_named(&self, names: &[String]) -> Result<Vec<PathBuf>> {
        if let Some(last) = names.last().filter(|name| find(&self.files, name).is_none()) {
            let image = self.image.display();
            return Err(Error::Missing(format!("the kernel {image} has no module {last}")));
        }
        Ok(names.iter().filter_map(|name| find(&self.files, name)).collect())
    }
}

/// The release that a kernel image names itself: what `uname -r` will say.
fn version(image: &[u8]) -> Option<String> {
    // "kernel_version" in the real-mode header: where, counted from 0x200, the text begins.
    let pointer = image.get(0x20e..0x210)?;
    let start = usize::from(u16::from_le_bytes([*pointer.first()?, *pointer.get(1)?])) + 0x200;
    let magic = image.get(0x202..0x206)?;
    let text = image.get(start..)?.split(|byte| *byte == b' ' || *byte == 0).next()?;
    (magic == b"HdrS").then(|| String::from_utf8_lossy(text).into_owned())
}

fn modules_folder(image: &Path, version: &str) -> Result<PathBuf> {
    let beside = image.parent().unwrap_or(Path::new("."));
    let candidates = [
        beside.join("../lib/modules").join(version),
        beside.join("lib/modules").join(version),
        beside.join("modules").join(version),
        Path::new("/lib/modules").join(version),
    ];
    candidates.iter().find(|folder| folder.is_dir()).cloned().ok_or_else(|| {
        let places: Vec<_> = candidates.iter().map(|folder| folder.display().to_string()).collect();
        Error::Missing(format!("the modules of kernel {version} are in none of {}", places.join(", ")))
    })
}

/// Every file below `folder`. Links (such as `build`, into the kernel's headers) are not followed.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).context("list", folder)? {
        let entry = entry.context("list", folder)?;
        let kind = entry.file_type().context("look at", &entry.path())?;
        if kind.is_dir() {
            collect(&entry.path(), found)?;
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The file of module `name`, compressed or not; `-` and `_` are the same in module names.
fn find(files: &[PathBuf], name: &str) -> Option<PathBuf> {
    let wanted = name.replace('-', "_");
    let stem = |file: &&PathBuf| {
        let file = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
        file.split_once(".ko").map(|(stem, _)| stem.replace('-', "_"))
    };
    files.iter().find(|file| stem(file).as_deref() == Some(&wanted)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_image() {
        let mut image = vec![0; 0x400];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x100_u16.to_le_bytes());
        image[0x300..0x312].copy_from_slice(b"6.1.0-1-cloud (me)");
        assert_eq!(version(&image).as_deref(), Some("6.1.0-1-cloud"));
        image[0x202] = b'X';
        assert_eq!(version(&image), None);
        assert_eq!(version(b"short"), None);
    }

    #[test]
    fn modules_are_found_by_either_spelling_and_compressed() {
        let files = [PathBuf::from("/m/vfio_pci.ko.xz"), PathBuf::from("/m/vfio-pci-core.ko")];
        assert_eq!(find(&files, "vfio-pci").as_deref(), Some(Path::new("/m/vfio_pci.ko.xz")));
        assert_eq!(find(&files, "vfio-pci-core").as_deref(), Some(Path::new("/m/vfio-pci-core.ko")));
        assert_eq!(find(&files, "fuse"), None);
    }
}
