//! pcid's side of Redox's PCI: the channel's messages (base, `drivers/pcid/src/driver_interface`) and the irq
//! scheme's files (kernel, `src/scheme/irq.rs`), apart from the system so that they are tested on every host.

mod bincode;
pub mod channel;
pub mod irq;
pub mod message;
pub mod msix;
#[cfg(test)]
mod tests;
