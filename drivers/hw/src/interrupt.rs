//! Interrupts of every kind as one event source.

use std::fmt;
use std::io;
use std::os::fd::RawFd;

use pci_types::PciAddress;

use crate::Error;

/// The kinds of interrupt a function can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterruptKind {
    /// A line that may be shared.
    Intx,
    /// One message.
    Msi,
    /// Messages from a table; the driver uses this many vectors.
    MsiX {
        /// How many vectors.
        vectors: u16,
    },
}

impl InterruptKind {
    /// How many vectors there are, which are told apart.
    pub fn vectors(self) -> u16 {
        match self {
            Self::Intx | Self::Msi => 1,
            Self::MsiX { vectors } => vectors,
        }
    }
}

impl fmt::Display for InterruptKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intx => formatter.write_str("INTx"),
            Self::Msi => formatter.write_str("MSI"),
            Self::MsiX { vectors: 1 } => formatter.write_str("MSI-X"),
            Self::MsiX { vectors } => write!(formatter, "MSI-X ({vectors} vectors)"),
        }
    }
}

/// A claimed interrupt. It is given back when dropped.
///
/// For a line: it is masked from the moment it fires until [`acknowledge`](Self::acknowledge), which must
/// follow every [`take`](Self::take) that returned a count, whether or not the device was the one that pulled
/// it; a shared line would stay dead otherwise.
pub trait Interrupt {
    /// What was claimed.
    fn kind(&self) -> InterruptKind;

    /// Readable when vector `vector` has fired; `None` where there is nothing to wait on (tests).
    fn event_fd(&self, vector: u16) -> Option<RawFd>;

    /// How often `vector` has fired since the last call; 0 if it has not.
    fn take(&mut self, vector: u16) -> io::Result<u64>;

    /// Lets `vector` fire again.
    fn acknowledge(&mut self, vector: u16) -> io::Result<()>;
}

/// The driver asks for a vector that it did not claim.
pub(crate) fn no_vector(vector: u16) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("interrupt vector {vector} is not claimed"))
}

/// The first of the `wanted` kinds that `enable` grants. It gives `None` for what the function does not have;
/// what the system refuses is passed over as well, but is the error in the end.
pub(crate) fn first_granted<T>(
    location: PciAddress,
    wanted: &[InterruptKind],
    enable: impl Fn(InterruptKind) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let mut refused = None;
    for kind in wanted {
        match enable(*kind) {
            Ok(Some(interrupt)) => return Ok(interrupt),
            Ok(None) => {}
            Err(error) => {
                log::debug!("{location}: no {kind:?}: {error}");
                refused = Some(error);
            }
        }
    }
    Err(refused.unwrap_or_else(|| Error::NoInterrupt { location, wanted: wanted.to_vec() }))
}
