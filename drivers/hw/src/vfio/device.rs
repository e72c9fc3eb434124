//! A VFIO device: its configuration space, and what its other parts share.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use pci_types::{CommandRegister, ConfigRegionAccess, PciAddress};

use super::group::{self, Claim};
use super::ioctl::{self, DeviceFlags};
use super::iommu::reported_ranges;
use super::iova::IovaSpace;
use crate::{Error, Power};

/// Offset of the command register (PCI Local Bus Specification 3.0, section 6.2.2).
const COMMAND: u64 = 0x04;

/// A claimed function; its registers' mappings, arenas and interrupts keep it alive.
pub struct Device {
    pub location: PciAddress,
    pub iova: RefCell<IovaSpace>,
    /// Whether an interrupt of it is claimed.
    pub interrupt_held: Cell<bool>,
    pub power: Power,
    flags: DeviceFlags,
    /// Where its configuration space begins behind its descriptor.
    config_offset: u64,
    claim: Claim,
}

impl Device {
    pub fn open(location: PciAddress) -> Result<Self, Error> {
        let claim = group::claim(location)?;
        let look = || format!("look at PCI function {location}");
        let flags = ioctl::device_info(claim.device.as_fd()).map_err(Error::system(look()))?;
        let config =
            ioctl::region(claim.device.as_fd(), ioctl::CONFIG_REGION).map_err(Error::system(look()))?;
        let device = Self {
            location,
            iova: RefCell::new(iova_space(&claim, location)),
            interrupt_held: Cell::new(false),
            power: Power::default(),
            flags,
            config_offset: config.offset,
            claim,
        };
        device
            .set_command(CommandRegister::BUS_MASTER_ENABLE, false)
            .and_then(|()| device.set_command(CommandRegister::MEMORY_ENABLE, true))
            .map_err(Error::system(format!("set up the command register of PCI function {location}")))?;
        Ok(device)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.claim.device.as_fd()
    }

    pub fn container(&self) -> BorrowedFd<'_> {
        self.claim.container.as_fd()
    }

    /// Switches bits of the command register. The status register beside it is left alone: writing ones
    /// there clears them.
    pub fn set_command(&self, bits: CommandRegister, on: bool) -> io::Result<()> {
        let mut bytes = [0; 2];
        self.read_config(COMMAND, &mut bytes)?;
        let mut command = CommandRegister::from_bits_retain(u16::from_le_bytes(bytes));
        command.set(bits, on);
        self.write_config(COMMAND, &command.bits().to_le_bytes())
    }

    /// Stops DMA, for the last time; there is nobody left to tell an error to but the log.
    pub fn quiet(&self) {
        if let Err(error) = self.set_command(CommandRegister::BUS_MASTER_ENABLE, false) {
            log::error!("cannot switch bus mastering of PCI function {} off: {error}", self.location);
        }
    }

    /// `false` if the function has no reset of its own.
    pub fn reset(&self) -> io::Result<bool> {
        if !self.flags.contains(DeviceFlags::RESET) {
            return Ok(false);
        }
        ioctl::reset(self.fd()).map(|()| true)
    }

    fn read_config(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        match rustix::io::pread(self.fd(), &mut *bytes, self.config_offset + offset)? {
            read if read == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write_config(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match rustix::io::pwrite(self.fd(), bytes, self.config_offset + offset)? {
            written if written == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.quiet();
    }
}

/// The bus addresses that the kernel reports as usable. One that does not is an old one.
fn iova_space(claim: &Claim, location: PciAddress) -> IovaSpace {
    let info = ioctl::iommu_info(claim.container.as_fd()).unwrap_or_else(|error| {
        log::debug!("{location}: VFIO does not describe the IOMMU: {error}");
        Vec::new()
    });
    let reported = reported_ranges(&info);
    log::debug!("{location}: the IOMMU translates {reported:x?}");
    IovaSpace::new(reported)
}

/// The function's configuration space. What cannot be read reads as all ones, as on the bus.
pub struct Config(pub(super) Rc<Device>);

impl ConfigRegionAccess for Config {
    unsafe fn read(&self, _address: PciAddress, offset: u16) -> u32 {
        let mut bytes = [0; 4];
        match self.0.read_config(offset.into(), &mut bytes) {
            Ok(()) => u32::from_le_bytes(bytes),
            Err(error) => {
                log::debug!("{}: cannot read configuration space at {offset:#x}: {error}", self.0.location);
                u32::MAX
            }
        }
    }

    unsafe fn write(&self, _address: PciAddress, offset: u16, value: u32) {
        if let Err(error) = self.0.write_config(offset.into(), &value.to_le_bytes()) {
            log::warn!("{}: cannot write configuration space at {offset:#x}: {error}", self.0.location);
        }
    }
}
