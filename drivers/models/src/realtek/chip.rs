//! A controller, from the other side of its registers (data sheets of the RTL8139C+ and the RTL8169). What is a family's
//! own, its [`Kind`] tells.

mod descriptors;
mod eeprom;
mod faults;
mod filters;
mod interrupts;
mod kind;
mod receive;
mod tasks;
mod transmit;
mod wake;

use hw::fake::{Bus, Model, POWER_MANAGEMENT};
use hw::{Identity, InterruptKind};
use realtek::registers::{self as reg, Cr, Interrupts};
use realtek::wake::CONFIG1;

use self::eeprom::Pins;
pub use self::faults::Faults;
pub use self::kind::Kind;
use crate::interrupt::Interrupt;

/// The device and the wire.
pub struct Chip<K> {
    /// What PCI tells of it.
    pub identity: Identity,
    /// What it can interrupt by, beside its line.
    pub messages: &'static [InterruptKind],
    /// Its registers.
    pub bytes: [u8; reg::WINDOW],
    /// What TCR tells of it.
    pub version: u32,
    /// The cable is plugged in.
    pub link_up: bool,
    /// The words of its EEPROM, 64 or 128, or none where it has none.
    pub eeprom: Vec<u16>,
    pins: Pins,
    isr: u32,
    interrupt: Interrupt,
    /// Entries of the receive and of the transmit ring that come next.
    places: [u64; 2],
    /// What it says of frames that it has sent.
    pub transmit_status: u64,
    /// What has been read of a frame that is to be sent.
    packet: Vec<u8>,
    /// How many tags it has inserted and taken off.
    pub tags: usize,
    /// How many checksums it has filled in.
    pub filled_in: usize,
    /// Of how many frames it has made segments.
    pub cut: usize,
    /// Frames on the wire, oldest first.
    pub sent: Vec<Vec<u8>>,
    /// What is wrong with it.
    pub faults: Faults,
    /// Accesses outside the driver's memory, and buffers where they must not be.
    pub strays: usize,
    /// How often it was reset.
    pub resets: usize,
    /// What only its kind has.
    pub own: K,
}

impl<K: Kind> Chip<K> {
    /// Its address.
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
    /// Frames that can arrive at once.
    pub const BURST: usize = K::BURST;
    /// What can be written to `media`, and the `link` node that comes of it; and what cannot: that is always negotiated.
    pub const FORCED: (&str, &str) =
        ("autoneg off\nspeed 100\nfull-duplex off\n", "state up\nspeed 100\nduplex half\n");
    /// See there.
    pub const NEVER_FORCED: &str = "speed 1000";

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = K::LINK;

    /// A device that was just switched on.
    pub fn new() -> Self {
        K::new()
    }

    /// One that can wake the machine.
    pub fn waking() -> Self {
        K::waking()
    }

    /// A device that was just switched on; it has no other interrupt than its line.
    pub fn with_line() -> Self {
        Self { messages: &[], ..Self::new() }
    }

    /// The device with this PCI id, and this version in TCR.
    pub fn of(own: K, device: u16, version: u32, messages: &'static [InterruptKind]) -> Self {
        let mut model = Self {
            identity: Identity { vendor: 0x10ec, device, class: [2, 0, 0], revision: 0x20 },
            messages,
            bytes: [0; reg::WINDOW],
            version,
            link_up: true,
            eeprom: eeprom::words(Self::MAC),
            pins: Pins::default(),
            isr: 0,
            interrupt: Interrupt::default(),
            places: [0; 2],
            transmit_status: 0,
            packet: Vec::new(),
            tags: 0,
            filled_in: 0,
            cut: 0,
            sent: Vec::new(),
            faults: Faults::default(),
            strays: 0,
            resets: 0,
            own,
        };
        model.set_address(Self::MAC);
        model
    }

    /// Gives it another address.
    pub fn set_address(&mut self, address: [u8; 6]) {
        self.bytes[..6].copy_from_slice(&address);
    }

    /// Sets a register of `size` bytes, without what a write by the driver does.
    pub fn set(&mut self, offset: usize, size: usize, value: u32) {
        self.bytes[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }

    /// What a register of `size` bytes holds.
    pub fn get(&self, offset: usize, size: usize) -> u32 {
        self.bytes[offset..offset + size].iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
    }

    /// Plugs the cable in, or pulls it.
    pub fn set_link(&mut self, bus: &mut Bus, up: bool) {
        self.link_up = up;
        self.cause(bus, Interrupts::LINK_CHG);
    }

    fn command(&self) -> Cr {
        Cr::from_bits_retain(self.bytes[reg::CR])
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        self.enabled() == 0 && !self.command().intersects(Cr::RE | Cr::TE)
    }

    fn write_command(&mut self, bus: &mut Bus, value: u8) {
        if !Cr::from_bits_retain(value).contains(Cr::RST) {
            self.bytes[reg::CR] = value;
            return;
        }
        self.resets += 1;
        self.bytes[reg::CR] = if self.faults.endless_reset { value } else { 0 };
        self.isr = 0;
        self.places = [0; 2];
        self.packet.clear();
        let (mask, size) = K::mask(self);
        self.set(mask, size, 0);
        self.set(reg::CPCR, 2, 0);
        K::reset(self);
        self.drive_interrupt(bus);
    }
}

impl<K: Kind> Model for Chip<K> {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == K::bar(self) { reg::WINDOW } else { 0 }
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        [self.messages, &[InterruptKind::Intx]].concat()
    }

    fn capabilities(&self) -> Vec<u8> {
        POWER_MANAGEMENT.to_vec()
    }

    fn power_up(&mut self, bus: &mut Bus) {
        self.write_command(bus, Cr::RST.bits());
    }

    fn read(&mut self, _bus: &mut Bus, _bar: usize, offset: usize, size: usize) -> u32 {
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        if (offset, size) == K::status(self) {
            return self.isr;
        }
        if let Some(value) = K::read(self, offset, size) {
            return value;
        }
        match (offset, size) {
            (reg::TCR, 4) => self.get(reg::TCR, 4) & !reg::HWVERID | self.version,
            (reg::RCR, 4) => self.get(reg::RCR, 4) & !(1 << 6) | u32::from(self.eeprom.len() > 64) << 6,
            (reg::CR9346, 1) => self.get(reg::CR9346, 1) & !1 | u32::from(self.data_out()),
            (reg::TCR, _) => panic!("{offset:#x} is not read by {size} bytes"),
            _ => self.get(offset, size),
        }
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize, value: u32) {
        let (doorbell, width, poll) = K::doorbell(self);
        if (offset, size) == K::status(self) {
            self.isr &= !value;
            return self.drive_interrupt(bus);
        }
        if (offset, size) == (doorbell, width) {
            assert_eq!(value, poll, "what the doorbell is rung with");
            return self.transmit(bus);
        }
        if K::write(self, bus, offset, size, value) {
            return;
        }
        match (offset, size) {
            (reg::CR, 1) => self.write_command(bus, value as u8),
            (reg::CR9346, 1) => self.write_pins(value as u8),
            (reg::IDR0 | reg::IDR4, 4) | (CONFIG1, 1) if self.bytes[reg::CR9346] != reg::UNLOCK => {}
            (offset, 1) if offset == K::CONFIG[0] && self.bytes[reg::CR9346] != reg::UNLOCK => {}
            (reg::IDR0..reg::MAR0, 1 | 2) => panic!("the address is written by words of 32 bits"),
            _ => self.set(offset, size, value),
        }
        if offset == K::mask(self).0 {
            self.drive_interrupt(bus);
        }
    }
}
