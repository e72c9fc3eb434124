//! The VFIO backend (Linux).

mod device;
mod group;
mod interrupt;
mod ioctl;
mod iommu;
mod iova;
mod location;
mod memory;

use std::env;
use std::rc::Rc;

use pci_types::{CommandRegister, PciAddress, PciHeader};

pub use device::Config;
pub use interrupt::Interrupt;
pub use memory::Registers;

use crate::{Error, Identity, InterruptKind, PciFunction, Power, dma};
use device::Device;

/// The environment variable that names the function.
const VARIABLE: &str = "PCID_FUNCTION";

/// A PCI function bound to vfio-pci.
pub struct Function {
    device: Rc<Device>,
    config: Config,
    identity: Identity,
}

impl Function {
    /// Claims the function that `PCID_FUNCTION` names (`SSSS:BB:DD.F`).
    pub fn from_environment() -> Result<Self, Error> {
        let named = env::var_os(VARIABLE).ok_or_else(|| {
            Error::NoFunction(format!(
                "{VARIABLE} is not set; it names the function to drive, as 0000:00:03.0"
            ))
        })?;
        let named = named.to_string_lossy();
        let location = location::parse(&named).ok_or_else(|| {
            Error::NoFunction(format!("{VARIABLE}={named} names no PCI function; write it as 0000:00:03.0"))
        })?;
        Self::claim(location)
    }

    fn claim(location: PciAddress) -> Result<Self, Error> {
        let device = Rc::new(Device::open(location)?);
        let config = Config(device.clone());
        // VFIO restores what a function loses on its way back.
        device.power.take_over(&config, location, [])?;
        let identity = identity_of(&config, location);
        Ok(Self { device, config, identity })
    }
}

/// Reads who the function at `location` is.
fn identity_of(config: &Config, location: PciAddress) -> Identity {
    let header = PciHeader::new(location);
    let (vendor, device) = header.id(config);
    let (revision, class, subclass, interface) = header.revision_and_class(config);
    Identity { vendor, device, class: [class, subclass, interface], revision }
}

impl PciFunction for Function {
    type Registers = Registers;
    type Interrupt = Interrupt;
    type Config = Config;

    fn location(&self) -> PciAddress {
        self.device.location
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn registers(&mut self, bar: usize) -> Result<Registers, Error> {
        memory::registers(&self.device, bar)
    }

    fn dma_arena(&mut self, size: usize, address_bits: u32) -> Result<dma::Arena, Error> {
        memory::dma_arena(&self.device, size, address_bits)
    }

    /// VFIO without one is not supported.
    fn is_behind_iommu(&self) -> bool {
        true
    }

    fn interrupt(&mut self, wanted: &[InterruptKind]) -> Result<Interrupt, Error> {
        Interrupt::claim(&self.device, wanted)
    }

    fn set_bus_master(&mut self, enabled: bool) -> Result<(), Error> {
        let switch = if enabled { "on" } else { "off" };
        let action = format!("switch bus mastering of PCI function {} {switch}", self.location());
        self.device.set_command(CommandRegister::BUS_MASTER_ENABLE, enabled).map_err(Error::system(action))
    }

    fn reset(&mut self) -> Result<bool, Error> {
        self.device.reset().map_err(Error::system(format!("reset PCI function {}", self.location())))
    }

    fn power(&self) -> &Power {
        &self.device.power
    }
}

impl Drop for Function {
    /// The function is quiet from here on, even where an arena or an interrupt keeps the device open.
    fn drop(&mut self) {
        if let Err(error) = self.power_up() {
            log::error!("{error}");
        }
        self.device.quiet();
    }
}
