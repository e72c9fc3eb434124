//! A claimed PCI function: configuration space, registers, DMA memory and interrupts.
//!
//! Drivers are written against the traits here and never learn which system they run on. [`claim`] gives the
//! function that the environment names: through VFIO on Linux, through pcid on Redox. The `fake` backend
//! stands in for both in tests, with a device model behind it.

mod capabilities;
pub mod dma;
pub mod fake;
mod interrupt;
mod mmio;
#[cfg(all(any(test, target_os = "redox"), not(feature = "fuzzing")))]
mod pcid;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod pcid;
mod power;
mod registers;

#[cfg(target_os = "redox")]
mod redox;
#[cfg(target_os = "linux")]
mod vfio;

#[cfg(target_os = "redox")]
pub use redox::Function as SystemFunction;
#[cfg(target_os = "linux")]
pub use vfio::Function as SystemFunction;

pub use capabilities::{Capability, capabilities, capability_word};
pub use interrupt::{Interrupt, InterruptKind};
pub use pci_types::{ConfigRegionAccess, PciAddress};
pub use power::Power;
pub use registers::Registers;

/// What went wrong with a function: what was tried, on what, and why.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment names no function, or names it wrongly.
    #[error("{0}")]
    NoFunction(String),
    /// Another driver holds the function.
    #[error("PCI function {0} is claimed by another driver")]
    Busy(PciAddress),
    /// The system is not set up for the function to be driven.
    #[error("PCI function {location} cannot be driven: {reason}")]
    NotReady {
        /// The function.
        location: PciAddress,
        /// What is wrong, and what to do about it.
        reason: String,
    },
    /// The function has no such BAR, or it is not memory.
    #[error("PCI function {location} has no memory BAR {bar}")]
    NoBar {
        /// The function.
        location: PciAddress,
        /// BAR number, 0 to 5.
        bar: usize,
    },
    /// The function has none of the wanted interrupt kinds.
    #[error("PCI function {location} has none of the interrupts {wanted:?}")]
    NoInterrupt {
        /// The function.
        location: PciAddress,
        /// What the driver could use, best first.
        wanted: Vec<InterruptKind>,
    },
    /// The arena has no room left, or the bus cannot reach it.
    #[error("no DMA memory: {0}")]
    NoMemory(String),
    /// The system refused.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried, and on what.
        action: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err`: the system's reason, with what was tried.
    pub(crate) fn system<E: Into<std::io::Error>>(action: impl Into<String>) -> impl FnOnce(E) -> Self {
        let action = action.into();
        move |source| Self::System { action, source: source.into() }
    }

    /// The driver has the function's interrupt already.
    pub(crate) fn interrupt_held(location: PciAddress) -> Self {
        Self::System {
            action: format!("claim a second interrupt of PCI function {location}"),
            source: std::io::ErrorKind::ResourceBusy.into(),
        }
    }
}

/// Who the function says it is (PCI Local Bus Specification 3.0, section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Vendor id.
    pub vendor: u16,
    /// Device id.
    pub device: u16,
    /// Base class, sub-class and programming interface.
    pub class: [u8; 3],
    /// Revision id.
    pub revision: u8,
}

/// A PCI function that this process holds. It is given back, quiet (bus master off), when dropped.
pub trait PciFunction {
    /// Register windows of this backend.
    type Registers: Registers;
    /// Interrupts of this backend.
    type Interrupt: Interrupt;
    /// Configuration space of this backend.
    type Config: ConfigRegionAccess;

    /// Where the function is.
    fn location(&self) -> PciAddress;

    /// Who it says it is.
    fn identity(&self) -> Identity;

    /// Its configuration space (of this function only: the address given to it is
    /// [`location`](Self::location)).
    fn config(&self) -> &Self::Config;

    /// Maps memory BAR `bar`.
    fn registers(&mut self, bar: usize) -> Result<Self::Registers, Error>;

    /// Memory of `size` bytes (rounded up to pages) that the function reaches by DMA, zeroed, contiguous on
    /// the bus and below 2^`address_bits`.
    ///
    /// When the last of an arena and its regions is dropped, the function is stopped from mastering the bus
    /// before the memory is given back; a driver that goes on with other memory turns it on again.
    fn dma_arena(&mut self, size: usize, address_bits: u32) -> Result<dma::Arena, Error>;

    /// Whether an IOMMU gives the addresses of [`dma_arena`](Self::dma_arena) their meaning. A device that goes
    /// round it, to physical memory, must not be given any.
    fn is_behind_iommu(&self) -> bool;

    /// Claims the first of the `wanted` kinds that the function and the system have. Messages (MSI, MSI-X)
    /// only arrive while the function is bus master.
    fn interrupt(&mut self, wanted: &[InterruptKind]) -> Result<Self::Interrupt, Error>;

    /// Lets the function master the bus, or stops it.
    fn set_bus_master(&mut self, enabled: bool) -> Result<(), Error>;

    /// Resets the function by the bus's means (function level reset); `false` if it has none, and the driver
    /// must use its registers.
    fn reset(&mut self) -> Result<bool, Error>;

    /// Whether it is powered down.
    fn power(&self) -> &Power;

    /// Whether the function can be powered down: it has the capability of power management.
    fn can_power_down(&self) -> bool {
        power::is_managed(self.config(), self.location())
    }

    /// Powers the quiet function down, to D3hot. Until it is powered up again its registers read as all ones, and what is
    /// written there is lost, as on the bus.
    fn power_down(&mut self) -> Result<(), Error> {
        self.power().down(self.config(), self.location())
    }

    /// Has the function signal PME for what its device shall wake the machine for, or no longer; nothing where it cannot.
    /// VFIO keeps that to itself.
    fn enable_wake(&mut self, on: bool) {
        power::enable_wake(self.config(), self.location(), on);
    }

    /// Powers the function up again, if it is down. It may be as after a reset, and neither masters the bus nor signals PME.
    fn power_up(&mut self) -> Result<(), Error> {
        self.power().up(self.config(), self.location())
    }
}

/// `pci-SSSS-BB-DD.F`, the function's part of a network scheme's name (Redox, driver-network).
pub fn scheme_name_of(location: PciAddress) -> String {
    format!(
        "pci-{:04x}-{:02x}-{:02x}.{:x}",
        location.segment(),
        location.bus(),
        location.device(),
        location.function()
    )
}

/// Claims the function that the environment names: `PCID_CLIENT_CHANNEL` on Redox (pcid's channel),
/// `PCID_FUNCTION=SSSS:BB:DD.F` on Linux.
pub fn claim() -> Result<SystemFunction, Error> {
    SystemFunction::from_environment()
}
