//! From a function's address to its VFIO device: sysfs, IOMMU group, container.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use pci_types::PciAddress;
use rustix::fs::{Mode, OFlags};

use super::ioctl::{self, GroupFlags};
use crate::Error;

/// The descriptors by which a process holds a function. They are closed in this order: a group can only be
/// given back once its devices are.
pub struct Claim {
    pub device: OwnedFd,
    pub _group: OwnedFd,
    pub container: OwnedFd,
}

/// Claims the function at `location`, which must be bound to vfio-pci.
pub fn claim(location: PciAddress) -> Result<Claim, Error> {
    let sysfs = PathBuf::from(format!("/sys/bus/pci/devices/{location}"));
    if !sysfs.exists() {
        return Err(Error::NoFunction(format!(
            "there is no PCI function {location} (/sys/bus/pci/devices lists them)"
        )));
    }
    // In this order: without an IOMMU group it could not be bound either.
    let number = group_number(location, &sysfs)?;
    check_driver(location, &sysfs)?;
    let container = open_container()?;
    let group = open_group(location, &number)?;
    check_viable(location, &group, &number)?;
    ioctl::set_container(group.as_fd(), container.as_fd())
        .map_err(Error::system(format!("put IOMMU group {number} into a VFIO container")))?;
    ioctl::set_iommu(container.as_fd(), ioctl::TYPE1V2_IOMMU)
        .map_err(|error| refused_iommu(&number, error))?;
    let name = CString::new(location.to_string())
        .map_err(|error| Error::system("name the function to VFIO")(io::Error::from(error)))?;
    let device = ioctl::device_fd(group.as_fd(), &name)
        .map_err(Error::system(format!("get the VFIO device of PCI function {location}")))?;
    Ok(Claim { device, _group: group, container })
}

/// VFIO's EPERM means one thing here.
fn refused_iommu(number: &str, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            " (the machine does not remap interrupts, so a device could forge them; the module \
             vfio_iommu_type1 allows that with allow_unsafe_interrupts=1)"
        }
        _ => "",
    };
    Error::system(format!("turn on the IOMMU for group {number}{hint}"))(error)
}

/// The last component of the symbolic link `name` in `directory`, if there is one.
fn link_target(directory: &Path, name: &str) -> Option<String> {
    let target = fs::read_link(directory.join(name)).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

fn check_driver(location: PciAddress, sysfs: &Path) -> Result<(), Error> {
    let holder = match link_target(sysfs, "driver") {
        Some(driver) if driver == "vfio-pci" => return Ok(()),
        Some(driver) => {
            format!("it is bound to the kernel's driver {driver}, not to vfio-pci; unbind it, then")
        }
        None => "it is not bound to vfio-pci;".to_owned(),
    };
    Err(Error::NotReady {
        location,
        reason: format!(
            "{holder} write vfio-pci to {sysfs}/driver_override and {location} to /sys/bus/pci/drivers_probe",
            sysfs = sysfs.display()
        ),
    })
}

fn group_number(location: PciAddress, sysfs: &Path) -> Result<String, Error> {
    link_target(sysfs, "iommu_group").ok_or_else(|| Error::NotReady {
        location,
        reason:
            "it has no IOMMU group, so its DMA could not be confined; enable the IOMMU in the firmware and \
                 boot Linux with intel_iommu=on or amd_iommu=on"
                .to_owned(),
    })
}

fn open(path: &str) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

fn open_container() -> Result<OwnedFd, Error> {
    let action = "open /dev/vfio/vfio (root may, once the modules vfio-pci and vfio_iommu_type1 are loaded)";
    let container = open("/dev/vfio/vfio").map_err(Error::system(action))?;
    let version = ioctl::api_version(container.as_fd());
    let type1 = ioctl::has_extension(container.as_fd(), ioctl::TYPE1V2_IOMMU);
    match (version, type1) {
        (Ok(ioctl::API_VERSION), Ok(true)) => Ok(container),
        (Err(error), _) | (_, Err(error)) => Err(Error::system("ask VFIO for its version")(error)),
        _ => Err(Error::System {
            action: "use VFIO with a type 1 (version 2) IOMMU (is the module vfio_iommu_type1 loaded?)"
                .to_owned(),
            source: io::ErrorKind::Unsupported.into(),
        }),
    }
}

/// Only one process at a time can have a group open; that is how a function is claimed.
fn open_group(location: PciAddress, number: &str) -> Result<OwnedFd, Error> {
    let path = format!("/dev/vfio/{number}");
    open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => Error::Busy(location),
        _ => Error::system(format!(
            "open {path}, the IOMMU group of PCI function {location} (its owner may)"
        ))(error),
    })
}

fn check_viable(location: PciAddress, group: &OwnedFd, number: &str) -> Result<(), Error> {
    let status = ioctl::group_status(group.as_fd())
        .map_err(Error::system(format!("ask for the state of IOMMU group {number}")))?;
    if status.contains(GroupFlags::VIABLE) {
        return Ok(());
    }
    Err(Error::NotReady {
        location,
        reason: format!(
            "other functions of its IOMMU group are in use by the kernel; unbind all that \
             /sys/kernel/iommu_groups/{number}/devices lists from their drivers"
        ),
    })
}
