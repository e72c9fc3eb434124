//! The VFIO backend (Linux).

use crate::Error;

/// A PCI function bound to vfio-pci.
pub struct Function {}

impl Function {
    /// Claims the function that `PCID_FUNCTION` names.
    pub fn from_environment() -> Result<Self, Error> {
        todo!()
    }
}
