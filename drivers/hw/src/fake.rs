//! A PCI function with a device model behind it, for tests, faults and fuzzing.

use std::cell::RefCell;
use std::rc::Rc;

use pci_types::{ConfigRegionAccess, PciAddress};

use crate::{Error, Identity, Interrupt, InterruptKind, PciFunction, Registers, dma};

/// What a device model is given to act on the machine around it.
pub struct Bus {}

impl Bus {
    /// Reads the machine's memory, as the device would by DMA. `false` outside the arena, with nothing read:
    /// an IOMMU would have stopped it.
    pub fn read(&self, _address: u64, _buf: &mut [u8]) -> bool {
        todo!()
    }

    /// Writes the machine's memory by DMA; `false` outside the arena, with nothing written.
    pub fn write(&mut self, _address: u64, _bytes: &[u8]) -> bool {
        todo!()
    }

    /// Raises interrupt vector `vector` (0 for a line).
    pub fn raise(&mut self, _vector: u16) {
        todo!()
    }
}

/// A device, as its data sheet describes it from the other side of the registers.
pub trait Model {
    /// Who it is.
    fn identity(&self) -> Identity;

    /// Size of memory BAR `bar` in bytes, 0 if there is none.
    fn bar_size(&self, bar: usize) -> usize;

    /// The driver reads `size` (1, 2 or 4) bytes at `offset` of BAR `bar`.
    fn read(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize) -> u32;

    /// The driver writes `size` (1, 2 or 4) bytes at `offset` of BAR `bar`.
    fn write(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize, value: u32);
}

/// A function whose device is the model `M`. Clones are the same function, so that a test keeps hold of the
/// model while the driver has the function.
pub struct Function<M> {
    model: Rc<RefCell<M>>,
}

impl<M: Model> Function<M> {
    /// Puts `model` on the bus.
    pub fn new(_model: M) -> Self {
        todo!()
    }

    /// Acts on the model from the wire's side (a frame arrives, the cable is pulled).
    pub fn with<T>(&self, _act: impl FnOnce(&mut M, &mut Bus) -> T) -> T {
        todo!()
    }
}
