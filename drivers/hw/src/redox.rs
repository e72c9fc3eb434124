//! The pcid backend (Redox).

use crate::Error;

/// A PCI function held through pcid's channel.
pub struct Function {}

impl Function {
    /// Claims the function whose channel `PCID_CLIENT_CHANNEL` names.
    pub fn from_environment() -> Result<Self, Error> {
        todo!()
    }
}
