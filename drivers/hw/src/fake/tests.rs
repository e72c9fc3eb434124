//! A small copying device, driven through the fake.

use super::{Bus, Model, POWER_MANAGEMENT, Slot};
use crate::{
    Capability, Error, Identity, Interrupt, InterruptKind, PciFunction, Registers, capabilities,
    capability_word,
};

const SOURCE: usize = 0x00;
const SOURCE_HIGH: usize = 0x04;
const TARGET: usize = 0x08;
const TARGET_HIGH: usize = 0x0c;
const COUNT: usize = 0x10;
const CAUSE: usize = 0x14;

/// Copies `COUNT` bytes from `SOURCE` to `TARGET` when `COUNT` is written, and keeps its line up until
/// `CAUSE` is read.
#[derive(Default)]
struct Copier {
    source: u64,
    target: u64,
    cause: u32,
    messages: bool,
}

impl Model for Copier {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x1234, device: 0x5678, class: [2, 0, 1], revision: 9 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == 0 { 0x20 } else { 0 }
    }

    fn read(&mut self, bus: &mut Bus, _bar: usize, offset: usize, _size: usize) -> u32 {
        if offset != CAUSE {
            return 0;
        }
        bus.lower();
        std::mem::take(&mut self.cause)
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, _size: usize, value: u32) {
        let value64 = u64::from(value);
        match offset {
            SOURCE => self.source = value64,
            SOURCE_HIGH => self.source |= value64 << 32,
            TARGET => self.target = value64,
            TARGET_HIGH => self.target |= value64 << 32,
            COUNT => {
                let mut bytes = vec![0; value as usize];
                let copied = bus.read(self.source, &mut bytes) && bus.write(self.target, &bytes);
                self.cause = if copied { 1 } else { 2 };
                bus.raise(0);
            }
            _ => {}
        }
    }

    fn capabilities(&self) -> Vec<u8> {
        if !self.messages {
            return Vec::new();
        }
        // Of the vendor's own kind and 12 bytes, then power management.
        [&[9, 0x4c, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9][..], &POWER_MANAGEMENT].concat()
    }

    fn power_up(&mut self, _bus: &mut Bus) {
        *self = Self { messages: self.messages, ..Self::default() };
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        if self.messages {
            vec![InterruptKind::Intx, InterruptKind::Msi, InterruptKind::MsiX { vectors: 3 }]
        } else {
            vec![InterruptKind::Intx]
        }
    }
}

fn copy(registers: &impl Registers, source: u64, target: u64, count: u32) {
    for (offset, address) in [(SOURCE, source), (TARGET, target)] {
        registers.write32(offset, address as u32);
        registers.write32(offset + 4, (address >> 32) as u32);
    }
    registers.write32(COUNT, count);
}

#[test]
fn a_device_copies_memory_and_interrupts_until_its_cause_is_read() {
    let mut function = Slot::new(Copier::default()).claim();
    let registers = function.registers(0).unwrap();
    let arena = function.dma_arena(4096, 64).unwrap();
    let (from, to) = (arena.allocate(16, 8).unwrap(), arena.allocate(16, 8).unwrap());
    let mut interrupt = function.interrupt(&[InterruptKind::Intx]).unwrap();
    function.set_bus_master(true).unwrap();
    assert!(from.bus_address() > u64::from(u32::MAX), "the test should see lost upper halves");

    from.copy_from(0, b"sixteen bytes ok");
    copy(&registers, from.bus_address(), to.bus_address(), 16);
    let mut copied = [0; 16];
    assert!(to.copy_to(0, &mut copied));
    assert_eq!(&copied, b"sixteen bytes ok");

    assert_eq!(interrupt.take(0).unwrap(), 1);
    assert_eq!(interrupt.take(0).unwrap(), 0, "the line is masked until acknowledged");
    interrupt.acknowledge(0).unwrap();
    assert_eq!(interrupt.take(0).unwrap(), 1, "the cause was not read: the line is still up");
    assert_eq!(registers.read32(CAUSE), 1);
    interrupt.acknowledge(0).unwrap();
    assert_eq!(interrupt.take(0).unwrap(), 0);
}

#[test]
fn a_device_that_is_powered_down_does_not_answer_and_comes_back_as_after_a_reset() {
    let slot = Slot::new(Copier { messages: true, cause: 7, ..Copier::default() });
    let mut function = slot.claim();
    let registers = function.registers(0).unwrap();
    assert!(function.can_power_down());
    function.enable_wake(true);
    function.power_down().unwrap();
    slot.with(|_, bus| bus.signal_wake());
    assert!(slot.is_powered_down() && slot.wakes());
    registers.write32(SOURCE, 1);
    assert_eq!((registers.read32(CAUSE), slot.lost_accesses()), (u32::MAX, 2));

    function.power_up().unwrap();
    assert!(!slot.is_powered_down() && !slot.wakes());
    assert_eq!((registers.read32(CAUSE), slot.lost_accesses()), (0, 2));

    function.power_down().unwrap();
    drop(function);
    assert!(!slot.is_powered_down(), "the next driver finds it in D0");
    assert!(!Slot::new(Copier::default()).claim().can_power_down());
}

#[test]
fn capabilities_are_listed_and_read() {
    let function = Slot::new(Copier { messages: true, ..Copier::default() }).claim();
    let vendors = Capability { id: 9, offset: 0x40 };
    let listed: Vec<_> = capabilities(&function).collect();
    assert_eq!(listed, [vendors, Capability { id: 1, offset: 0x4c }]);
    let words = [0, 1, 2].map(|index| capability_word(&function, vendors, index));
    assert_eq!(words, [0x010c_4c09, 0x0504_0302, 0x0908_0706]);
    assert_eq!(capability_word(&function, vendors, 0x30), u32::MAX, "behind the 256 bytes");
    assert_eq!(capability_word(&function, vendors, u16::MAX), u32::MAX);

    let plain = Slot::new(Copier::default()).claim();
    assert_eq!(capabilities(&plain).count(), 0);
}

#[test]
fn dma_needs_the_bus_and_live_memory() {
    let slot = Slot::new(Copier::default());
    let mut function = slot.claim();
    let registers = function.registers(0).unwrap();
    let arena = function.dma_arena(1, 32).unwrap();
    let address = arena.allocate(4096, 8).unwrap().bus_address();
    assert!(address < 1 << 32);

    copy(&registers, address, address + 8, 8);
    assert_eq!(registers.read32(CAUSE), 2, "not bus master");

    function.set_bus_master(true).unwrap();
    copy(&registers, address, address + 8, 8);
    assert_eq!(registers.read32(CAUSE), 1);
    copy(&registers, address, address + 4090, 8);
    assert_eq!(registers.read32(CAUSE), 2, "past the end of the arena");

    drop(arena);
    assert!(!slot.is_bus_master(), "the device is quiet once its memory is given back");
    function.set_bus_master(true).unwrap();
    copy(&registers, address, address + 8, 8);
    assert_eq!(registers.read32(CAUSE), 2, "the memory is gone");
}

#[test]
fn an_arena_lies_where_the_device_can_reach_it() {
    let mut function = Slot::new(Copier::default()).claim();
    let first = function.dma_arena(8192, 32).unwrap();
    let second = function.dma_arena(8192, 32).unwrap();
    assert_eq!(first.size(), 8192);
    let (first, second) = (first.allocate(8192, 8).unwrap(), second.allocate(8192, 8).unwrap());
    assert!(first.bus_address() + 8192 <= second.bus_address());
    assert!(matches!(function.dma_arena(8192, 16), Err(Error::NoMemory(_))));
}

#[test]
fn the_best_kind_of_interrupt_is_claimed_once() {
    let mut plain = Slot::new(Copier::default()).claim();
    assert!(matches!(plain.interrupt(&[InterruptKind::Msi]), Err(Error::NoInterrupt { .. })));
    let wanted = [InterruptKind::MsiX { vectors: 2 }, InterruptKind::Msi, InterruptKind::Intx];
    assert_eq!(plain.interrupt(&wanted).unwrap().kind(), InterruptKind::Intx);

    let slot = Slot::new(Copier { messages: true, ..Copier::default() });
    let mut modern = slot.claim();
    let mut interrupt = modern.interrupt(&wanted).unwrap();
    assert_eq!(interrupt.kind(), wanted[0]);
    assert!(modern.interrupt(&wanted).is_err(), "it is claimed");

    slot.with(|_, bus| bus.raise(0));
    assert_eq!(interrupt.take(0).unwrap(), 0, "a message is a write on the bus");
    modern.set_bus_master(true).unwrap();
    slot.with(|_, bus| (0..5).for_each(|vector| bus.raise(vector.min(1))));
    assert_eq!(interrupt.take(0).unwrap(), 1);
    assert_eq!(interrupt.take(1).unwrap(), 4);
    assert!(interrupt.take(2).is_err(), "not one of ours");

    drop(interrupt);
    let too_many = [InterruptKind::MsiX { vectors: 4 }, InterruptKind::Msi];
    assert_eq!(modern.interrupt(&too_many).unwrap().kind(), InterruptKind::Msi);
}

#[test]
fn a_line_that_is_up_already_fires_when_it_is_claimed() {
    let slot = Slot::new(Copier::default());
    let mut function = slot.claim();
    slot.with(|_, bus| bus.raise(0));
    let mut interrupt = function.interrupt(&[InterruptKind::Intx]).unwrap();
    assert_eq!(interrupt.take(0).unwrap(), 1);
}

#[test]
fn an_unplugged_device_reads_all_ones_and_is_silent() {
    let slot = Slot::new(Copier::default());
    let mut function = slot.claim();
    let registers = function.registers(0).unwrap();
    let mut interrupt = function.interrupt(&[InterruptKind::Intx]).unwrap();
    slot.unplug();
    assert_eq!(registers.read32(CAUSE), u32::MAX);
    assert_eq!(registers.read16(CAUSE), u16::MAX);
    copy(&registers, 0, 0, 8);
    assert_eq!(slot.with(|model, _| model.cause), 0);
    slot.with(|_, bus| bus.raise(0));
    assert_eq!(interrupt.take(0).unwrap(), 0);
}

#[test]
fn configuration_space_says_who_the_device_is() {
    let function = Slot::new(Copier::default()).claim();
    let header = pci_types::PciHeader::new(function.location());
    assert_eq!(header.id(function.config()), (0x1234, 0x5678));
    assert_eq!(header.revision_and_class(function.config()), (9, 2, 0, 1));
}

#[test]
fn a_function_given_back_is_quiet_whatever_of_it_is_still_held() {
    let slot = Slot::new(Copier::default());
    let mut function = slot.claim();
    let registers = function.registers(0).unwrap();
    let memory = function.dma_arena(4096, 64).unwrap().allocate(16, 8).unwrap();
    let _interrupt = function.interrupt(&[InterruptKind::Intx]).unwrap();
    function.set_bus_master(true).unwrap();
    drop(function);

    assert!(!slot.is_bus_master());
    copy(&registers, memory.bus_address(), memory.bus_address() + 8, 8);
    assert_eq!(registers.read32(CAUSE), 2, "the device does not reach the memory any more");
}

#[test]
fn letting_registers_go_does_not_stop_the_device() {
    let slot = Slot::new(Copier::default());
    let mut function = slot.claim();
    function.set_bus_master(true).unwrap();
    drop(function.registers(0).unwrap());
    assert!(slot.is_bus_master());
}
