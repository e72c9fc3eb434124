//! A PCI function with a device model behind it, for tests, faults and fuzzing.

mod bus;
mod interrupt;
mod power;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use pci_types::{CommandRegister, ConfigRegionAccess, PciAddress};

pub use bus::Bus;
pub use interrupt::Interrupt;
pub use power::CAPABILITY as POWER_MANAGEMENT;

use crate::interrupt::first_granted;
use crate::registers::fits;
use crate::{Error, Identity, InterruptKind, PciFunction, Power, dma};

/// Where every fake function is.
const LOCATION: (u16, u8, u8, u8) = (0, 0, 3, 0);

/// Where the predefined header ends.
const FIRST_CAPABILITY: u16 = 0x40;

/// DMA memory is given out in whole pages, as the systems do.
const PAGE: usize = 4096;

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

    /// The interrupts that it has; for MSI-X the number is the size of its table.
    fn interrupts(&self) -> Vec<InterruptKind> {
        vec![InterruptKind::Intx]
    }

    /// Its configuration space behind the predefined header: a list of capabilities that begins with the first byte
    /// (offset 0x40), in whole words; empty if it has none.
    fn capabilities(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Does a function level reset; `false` if the device has none.
    fn reset(&mut self, _bus: &mut Bus) -> bool {
        false
    }

    /// It returns from D3hot, and is as after a reset.
    fn power_up(&mut self, _bus: &mut Bus) {}
}

/// A slot with the device `M` in it: the test's end, which outlives the driver's. Clones are the same slot.
///
/// Only one side acts at a time: a model must not call the driver, and [`with`](Self::with) must not either.
pub struct Slot<M> {
    model: Rc<RefCell<M>>,
    bus: Rc<RefCell<Bus>>,
}

impl<M> Clone for Slot<M> {
    fn clone(&self) -> Self {
        Self { model: self.model.clone(), bus: self.bus.clone() }
    }
}

impl<M: Model> Slot<M> {
    /// Puts `model` on the bus.
    pub fn new(model: M) -> Self {
        Self { model: Rc::new(RefCell::new(model)), bus: Rc::default() }
    }

    /// Gives the function in the slot to a driver.
    pub fn claim(&self) -> Function<M> {
        let model = self.model.borrow();
        let (identity, capabilities) = (model.identity(), model.capabilities());
        let config = Config { bus: self.bus.clone(), identity, capabilities };
        Function { slot: self.clone(), config, power: Rc::default() }
    }

    /// Acts on the model from the wire's side (a frame arrives, the cable is pulled).
    pub fn with<T>(&self, act: impl FnOnce(&mut M, &mut Bus) -> T) -> T {
        let (mut model, mut bus) = (self.model.borrow_mut(), self.bus.borrow_mut());
        if bus.management.has_returned() {
            model.power_up(&mut bus);
        }
        act(&mut model, &mut bus)
    }

    /// Pulls the device out of its slot: from now on reads give all ones, writes go nowhere, and it neither
    /// reaches memory nor interrupts.
    pub fn unplug(&self) {
        self.bus.borrow_mut().unplug();
    }

    /// How often the driver has read or written a register.
    pub fn accesses(&self) -> usize {
        self.bus.borrow().accesses
    }

    /// How often it has tried to while the function was powered down, or its BARs were closed.
    pub fn lost_accesses(&self) -> usize {
        self.bus.borrow().lost_accesses
    }

    /// Whether the driver lets the device master the bus.
    pub fn is_bus_master(&self) -> bool {
        self.bus.borrow().is_bus_master()
    }

    /// Whether the function is in D3hot.
    pub fn is_powered_down(&self) -> bool {
        self.bus.borrow().management.is_down()
    }

    /// Whether the function signals PME, and so wakes the machine.
    pub fn wakes(&self) -> bool {
        self.bus.borrow().management.wakes()
    }
}

/// A driver's hold on the function in a [`Slot`].
pub struct Function<M> {
    slot: Slot<M>,
    config: Config,
    power: Rc<Power>,
}

impl<M: Model> PciFunction for Function<M> {
    type Registers = Registers<M>;
    type Interrupt = Interrupt;
    type Config = Config;

    fn location(&self) -> PciAddress {
        let (segment, bus, device, function) = LOCATION;
        PciAddress::new(segment, bus, device, function)
    }

    fn identity(&self) -> Identity {
        self.config.identity
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn registers(&mut self, bar: usize) -> Result<Registers<M>, Error> {
        match self.slot.model.borrow().bar_size(bar) {
            0 => Err(Error::NoBar { location: self.location(), bar }),
            size => Ok(Registers { slot: self.slot.clone(), bar, size, power: self.power.clone() }),
        }
    }

    fn dma_arena(&mut self, size: usize, address_bits: u32) -> Result<dma::Arena, Error> {
        let size = size.max(1).next_multiple_of(PAGE);
        let bus_base = self.slot.bus.borrow_mut().place(size, address_bits)?;
        let memory = Memory { words: vec![0; size / 8], bus: self.slot.bus.clone() };
        let arena = memory.into_arena(bus_base);
        self.slot.bus.borrow_mut().attach(&arena);
        Ok(arena)
    }

    fn is_behind_iommu(&self) -> bool {
        true
    }

    fn interrupt(&mut self, wanted: &[InterruptKind]) -> Result<Interrupt, Error> {
        let location = self.location();
        let has = self.slot.model.borrow().interrupts();
        let kind = first_granted(location, wanted, |kind| {
            Ok(has.iter().any(|own| covers(*own, kind)).then_some(kind))
        })?;
        if !self.slot.bus.borrow_mut().claim_interrupt(kind) {
            return Err(Error::interrupt_held(location));
        }
        Ok(Interrupt::new(self.slot.bus.clone(), kind))
    }

    fn set_bus_master(&mut self, enabled: bool) -> Result<(), Error> {
        self.slot.bus.borrow_mut().command.set(CommandRegister::BUS_MASTER_ENABLE, enabled);
        Ok(())
    }

    fn reset(&mut self) -> Result<bool, Error> {
        Ok(self.slot.with(|model, bus| model.reset(bus)))
    }

    fn power(&self) -> &Power {
        &self.power
    }
}

impl<M> Drop for Function<M> {
    /// The function is quiet from here on, even where an arena or an interrupt is still held.
    fn drop(&mut self) {
        let location = PciAddress::default();
        // There is nobody left to tell.
        let _ = self.power.up(&self.config, location);
        quiet(&self.slot.bus);
    }
}

/// Switches bus mastering off, as both systems do for a driver that gives its function or memory back. Not
/// while the test itself, inside [`Slot::with`], drops what the driver has.
fn quiet(bus: &RefCell<Bus>) {
    if let Ok(mut bus) = bus.try_borrow_mut() {
        bus.command.remove(CommandRegister::BUS_MASTER_ENABLE);
    }
}

/// Whether a device with the interrupt `own` can do `wanted`.
fn covers(own: InterruptKind, wanted: InterruptKind) -> bool {
    match (own, wanted) {
        (InterruptKind::MsiX { vectors: table }, InterruptKind::MsiX { vectors }) => vectors <= table,
        _ => own == wanted,
    }
}

/// A BAR of the model.
pub struct Registers<M> {
    slot: Slot<M>,
    bar: usize,
    size: usize,
    power: Rc<Power>,
}

impl<M: Model> Registers<M> {
    /// Whether there is something to reach at `offset` now.
    fn reaches(&self, offset: usize, width: usize) -> bool {
        let mut bus = self.slot.bus.borrow_mut();
        bus.accesses += 1;
        let is_open = !self.power.is_down() && bus.answers();
        bus.lost_accesses += usize::from(!is_open);
        is_open && fits(self.size, offset, width) && !bus.is_unplugged()
    }

    /// Not inlined, so that a profiler tells the device from its driver; nor is [`write`](Self::write).
    #[inline(never)]
    fn read(&self, offset: usize, width: usize) -> u32 {
        if !self.reaches(offset, width) {
            return u32::MAX;
        }
        self.slot.with(|model, bus| model.read(bus, self.bar, offset, width))
    }

    #[inline(never)]
    fn write(&self, offset: usize, width: usize, value: u32) {
        if self.reaches(offset, width) {
            self.slot.with(|model, bus| model.write(bus, self.bar, offset, width, value));
        }
    }
}

impl<M: Model> crate::Registers for Registers<M> {
    fn size(&self) -> usize {
        self.size
    }

    fn read8(&self, offset: usize) -> u8 {
        self.read(offset, 1) as u8
    }

    fn read16(&self, offset: usize) -> u16 {
        self.read(offset, 2) as u16
    }

    fn read32(&self, offset: usize) -> u32 {
        self.read(offset, 4)
    }

    fn write8(&self, offset: usize, value: u8) {
        self.write(offset, 1, value.into());
    }

    fn write16(&self, offset: usize, value: u16) {
        self.write(offset, 2, value.into());
    }

    fn write32(&self, offset: usize, value: u32) {
        self.write(offset, 4, value);
    }
}

/// The model's configuration space: the predefined header (PCI Local Bus Specification 3.0, section 6.1) and what
/// capabilities the model has. Only the command register and that of power management can be written.
pub struct Config {
    bus: Rc<RefCell<Bus>>,
    identity: Identity,
    capabilities: Vec<u8>,
}

impl Config {
    /// The word behind the header of the capability of power management, which models have at any place of their list.
    fn is_pmcsr(&self, offset: u16) -> bool {
        let mut at = FIRST_CAPABILITY;
        while !self.capabilities.is_empty() && at >= FIRST_CAPABILITY {
            let header = self.capability_word(at);
            if header as u8 == power::ID {
                return offset == at + 4;
            }
            at = u16::from((header >> 8) as u8);
        }
        false
    }

    /// The word at `offset` behind the header.
    fn capability_word(&self, offset: u16) -> u32 {
        let at = usize::from(offset - FIRST_CAPABILITY);
        let bytes = self.capabilities.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }
}

impl ConfigRegionAccess for Config {
    unsafe fn read(&self, _address: PciAddress, offset: u16) -> u32 {
        let Identity { vendor, device, class: [class, subclass, interface], revision } = self.identity;
        let bus = self.bus.borrow();
        match offset {
            _ if bus.is_unplugged() => u32::MAX,
            0x00 => u32::from(device) << 16 | u32::from(vendor),
            // Status, in the upper half, has one bit: there is a list of capabilities.
            0x04 => u32::from(!self.capabilities.is_empty()) << (16 + 4) | u32::from(bus.command.bits()),
            0x08 => u32::from_be_bytes([class, subclass, interface, revision]),
            0x34 if !self.capabilities.is_empty() => FIRST_CAPABILITY.into(),
            FIRST_CAPABILITY.. if self.is_pmcsr(offset) => bus.management.read(),
            FIRST_CAPABILITY.. => self.capability_word(offset),
            _ => 0,
        }
    }

    unsafe fn write(&self, _address: PciAddress, offset: u16, value: u32) {
        let mut bus = self.bus.borrow_mut();
        if offset == 0x04 {
            bus.command = CommandRegister::from_bits_retain(value as u16);
        } else if self.is_pmcsr(offset) && bus.management.write(value) {
            bus.command = CommandRegister::empty();
        }
    }
}

/// The host's side of DMA memory.
struct Memory {
    words: Vec<u64>,
    bus: Rc<RefCell<Bus>>,
}

impl Memory {
    fn into_arena(mut self, bus_base: u64) -> dma::Arena {
        let size = self.words.len() * 8;
        let base = NonNull::from(self.words.as_mut_slice()).cast::<u8>();
        // SAFETY: the words are on the heap, stay there while `self` lives, are 8-byte aligned, and are never
        // reached by `self` again; `place` chose a page-aligned bus address below 2^64 - size.
        unsafe { dma::Arena::new(base, size, bus_base, Box::new(self)) }
    }
}

impl dma::Backing for Memory {
    fn quiet(&self) {
        quiet(&self.bus);
    }
}
