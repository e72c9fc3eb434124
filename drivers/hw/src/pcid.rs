//! What the Redox backend does that needs no Redox, so that it is tested on every host: the messages of
//! pcid's channel (base, `drivers/pcid/src/driver_interface`), the irq scheme's counting (kernel,
//! `src/scheme/irq.rs`), the MSI-X table, and the reach of physical memory.

mod bincode;
pub mod channel;
pub mod irq;
pub mod message;
pub mod msix;
pub mod reach;
#[cfg(test)]
mod tests;
