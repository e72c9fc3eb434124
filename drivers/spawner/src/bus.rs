//! The PCI bus as Linux shows it: `/sys/bus/pci`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use config::pcid::FunctionId;

/// The kernel's driver that hands functions to programs.
pub const VFIO: &str = "vfio-pci";

/// The base class of network controllers (PCI Code and ID Assignment, section 1.3).
const NETWORK: u8 = 2;

/// Why the bus did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    System {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The kernel took the request and did not act on it.
    #[error("{VFIO} did not take {address}: is the module vfio-pci loaded, and the IOMMU on?")]
    NotTaken {
        /// The function's address.
        address: String,
    },
}

/// One PCI function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Segment, bus, device and function, as in `0000:00:03.0`.
    pub address: String,
    /// What the function says that it is.
    pub id: FunctionId,
    /// The kernel's driver that has it now.
    pub bound_to: Option<String>,
}

impl Function {
    /// Whether it is a network controller.
    pub fn is_network(&self) -> bool {
        self.id.class == NETWORK
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FunctionId { vendor, device, class, subclass, interface } = self.id;
        write!(
            f,
            "{} (vendor {vendor:04x}, device {device:04x}, class {class:02x}{subclass:02x}{interface:02x})",
            self.address
        )
    }
}

/// A PCI bus's directory.
pub struct Bus {
    root: PathBuf,
}

impl Bus {
    /// The bus at `root`, which is `/sys/bus/pci` outside tests.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// All functions by their address. One that cannot be read (it may just have been unplugged) is left out
    /// with a warning.
    pub fn functions(&self) -> Result<Vec<Function>, BusError> {
        let directory = self.root.join("devices");
        let mut addresses = list(&directory).map_err(|source| BusError::System {
            action: "list",
            path: directory.clone(),
            source,
        })?;
        addresses.sort();
        let read = |address: String| {
            read_function(&directory, &address)
                .inspect_err(|error| log::warn!("cannot read what {address} is, leaving it out: {error}"))
                .ok()
        };
        Ok(addresses.into_iter().filter_map(read).collect())
    }

    /// Gives the function at `address` to [`VFIO`], taking it from another driver first.
    pub fn give_to_vfio(&self, address: &str) -> Result<(), BusError> {
        let function = self.root.join("devices").join(address);
        let bound_to = bound_driver(&function);
        if bound_to.as_deref() == Some(VFIO) {
            return Ok(());
        }
        write(&function.join("driver_override"), VFIO)?;
        if bound_to.is_some() {
            write(&function.join("driver/unbind"), address)?;
        }
        write(&self.root.join("drivers_probe"), address)?;
        match bound_driver(&function) {
            Some(driver) if driver == VFIO => Ok(()),
            _ => Err(BusError::NotTaken { address: address.to_owned() }),
        }
    }
}

fn list(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn read_function(directory: &Path, address: &str) -> io::Result<Function> {
    let path = directory.join(address);
    let [_, class, subclass, interface] = read_number(&path.join("class"))?.to_be_bytes();
    let id = FunctionId {
        vendor: read_id(&path.join("vendor"))?,
        device: read_id(&path.join("device"))?,
        class,
        subclass,
        interface,
    };
    Ok(Function { address: address.to_owned(), id, bound_to: bound_driver(&path) })
}

fn read_id(path: &Path) -> io::Result<u16> {
    u16::try_from(read_number(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Reads a number as sysfs writes it: `0x8086`.
fn read_number(path: &Path) -> io::Result<u32> {
    let text = fs::read_to_string(path)?;
    let digits = text.trim_end().strip_prefix("0x").ok_or(io::ErrorKind::InvalidData)?;
    u32::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn bound_driver(function: &Path) -> Option<String> {
    let link = fs::read_link(function.join("driver")).ok()?;
    Some(link.file_name()?.to_string_lossy().into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), BusError> {
    fs::write(path, text).map_err(|source| BusError::System {
        action: "write to",
        path: path.to_owned(),
        source,
    })
}
