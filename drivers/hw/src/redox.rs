//! The pcid backend (Redox).

mod interrupt;
mod memory;

use std::cell::{Cell, RefCell};
use std::env;
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::rc::Rc;

use pci_types::{CommandRegister, ConfigRegionAccess, PciAddress};

pub use interrupt::Interrupt;
pub use memory::Registers;

use crate::pcid::channel::{self, Channel};
use crate::pcid::message;
use crate::{Error, Identity, InterruptKind, PciFunction, Power, dma};
use memory::MemoryScheme;

/// The environment variable that names the channel's descriptor.
const VARIABLE: &str = "PCID_CLIENT_CHANNEL";

/// Offset of the command register and, in the upper half, the status register.
const COMMAND: u16 = 0x04;

/// A function's channel, which its arenas and interrupts share.
struct Device {
    channel: RefCell<Channel<File>>,
    location: PciAddress,
    /// Whether an interrupt of it is claimed.
    interrupt_held: Cell<bool>,
    power: Power,
}

impl Device {
    fn set_bus_master(&self, enabled: bool) -> io::Result<()> {
        let mut channel = self.channel.borrow_mut();
        let mut command = CommandRegister::from_bits_retain(channel.read_config(COMMAND)? as u16);
        command.set(CommandRegister::BUS_MASTER_ENABLE, enabled);
        // Zeros leave the status register in the upper half as it is.
        channel.write_config(COMMAND, command.bits().into())
    }

    /// Stops DMA, for the last time; there is nobody left to tell an error to but the log.
    fn quiet(&self) {
        if let Err(error) = self.set_bus_master(false) {
            log::error!("cannot switch bus mastering of PCI function {} off: {error}", self.location);
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.quiet();
    }
}

/// A PCI function held through pcid's channel.
pub struct Function {
    device: Rc<Device>,
    config: Config,
    found: message::Function,
    memory: MemoryScheme,
}

impl Function {
    /// Claims the function whose channel `PCID_CLIENT_CHANNEL` names.
    pub fn from_environment() -> Result<Self, Error> {
        let named = env::var(VARIABLE).map_err(|_| {
            Error::NoFunction(format!(
                "{VARIABLE} is not set; pcid-spawner passes a function's channel in it"
            ))
        })?;
        let descriptor = channel::descriptor(&named)
            .ok_or_else(|| Error::NoFunction(format!("{VARIABLE}={named} is no file descriptor")))?;
        // SAFETY: pcid-spawner left this descriptor open for this process, and nobody else here uses it.
        let channel = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
        Self::claim(Channel::new(channel))
    }

    fn claim(mut channel: Channel<File>) -> Result<Self, Error> {
        let found = channel.config().map_err(Error::system("ask pcid for the function"))?;
        let memory = MemoryScheme::open()?;
        let location = found.location;
        let device = Rc::new(Device {
            channel: RefCell::new(channel),
            location,
            interrupt_held: Cell::new(false),
            power: Power::default(),
        });
        let config = Config(device.clone());
        let memory_enable = (COMMAND, CommandRegister::MEMORY_ENABLE.bits().into());
        device.power.take_over(&config, location, found.bar_words().chain([memory_enable]))?;
        // pcid switches it on when the channel is opened.
        device
            .set_bus_master(false)
            .map_err(Error::system(format!("switch bus mastering of PCI function {location} off")))?;
        Ok(Self { config, device, found, memory })
    }
}

impl PciFunction for Function {
    type Registers = Registers;
    type Interrupt = Interrupt;
    type Config = Config;

    fn location(&self) -> PciAddress {
        self.device.location
    }

    fn identity(&self) -> Identity {
        self.found.identity
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn registers(&mut self, bar: usize) -> Result<Registers, Error> {
        memory::registers(&self.device, &self.memory, &self.found, bar)
    }

    fn dma_arena(&mut self, size: usize, address_bits: u32) -> Result<dma::Arena, Error> {
        memory::dma_arena(&self.device, &self.memory, size, address_bits)
    }

    /// Redox sets none up.
    fn is_behind_iommu(&self) -> bool {
        false
    }

    fn interrupt(&mut self, wanted: &[InterruptKind]) -> Result<Interrupt, Error> {
        let map_bar = |bar| memory::registers(&self.device, &self.memory, &self.found, bar);
        Interrupt::claim(&self.device, self.found.line.as_ref(), map_bar, wanted)
    }

    fn set_bus_master(&mut self, enabled: bool) -> Result<(), Error> {
        let switch = if enabled { "on" } else { "off" };
        let action = format!("switch bus mastering of PCI function {} {switch}", self.location());
        self.device.set_bus_master(enabled).map_err(Error::system(action))
    }

    /// pcid offers none.
    fn reset(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    fn power(&self) -> &Power {
        &self.device.power
    }
}

impl Drop for Function {
    /// The function is quiet from here on, even where an arena or an interrupt keeps the channel open.
    fn drop(&mut self) {
        if let Err(error) = self.power_up() {
            log::error!("{error}");
        }
        self.device.quiet();
    }
}

/// The function's configuration space. What cannot be read reads as all ones, as on the bus.
pub struct Config(Rc<Device>);

impl ConfigRegionAccess for Config {
    unsafe fn read(&self, _address: PciAddress, offset: u16) -> u32 {
        self.0.channel.borrow_mut().read_config(offset).unwrap_or_else(|error| {
            log::debug!("{}: cannot read configuration space at {offset:#x}: {error}", self.0.location);
            u32::MAX
        })
    }

    unsafe fn write(&self, _address: PciAddress, offset: u16, value: u32) {
        if let Err(error) = self.0.channel.borrow_mut().write_config(offset, value) {
            log::warn!("{}: cannot write configuration space at {offset:#x}: {error}", self.0.location);
        }
    }
}
