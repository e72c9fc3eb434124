//! An RTL8139C+, from the other side of its registers.

use std::collections::VecDeque;

use hw::Identity;
use hw::fake::{Bus, Model};
use rtl8139::registers::{self as reg, Accept, Bmcr, Cpcr, Cr, Msr};

pub use rtl8139::Device;
pub use rtl8139::registers::Interrupts;

/// The device that the shared tests are about.
pub type Card = Rtl8139;

const OWN: u64 = 1 << 31;
const EOR: u64 = 1 << 30;
const FS: u64 = 1 << 29;
const LS: u64 = 1 << 28;

/// The most entries of a ring.
const RING: usize = 64;

/// What is wrong with the device.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Never interrupts.
    pub mute: bool,
    /// Its line is always up, whatever its causes are.
    pub stuck: bool,
    /// Takes frames and never sends them.
    pub hangs: bool,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Writes this into receive descriptors, in place of the length and what it says of the frame.
    pub status: Option<u32>,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

/// The device and the wire.
pub struct Rtl8139 {
    bytes: [u8; reg::WINDOW],
    version: u32,
    link_up: bool,
    isr: u16,
    /// Entries of the receive and of the transmit ring that come next.
    places: [u64; 2],
    /// What it says of frames that it has sent.
    pub transmit_status: u64,
    /// Frames on the wire, oldest first.
    pub sent: Vec<Vec<u8>>,
    pub faults: Faults,
    /// Accesses outside the driver's memory.
    pub strays: usize,
    pub resets: usize,
}

impl Rtl8139 {
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 50;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 100\nduplex full\n";

    pub fn new() -> Self {
        Self::with_version(reg::HWVERID_C_PLUS)
    }

    /// The same; it has no other interrupt than its line.
    pub fn with_line() -> Self {
        Self::new()
    }

    pub fn with_version(version: u32) -> Self {
        let mut model = Self {
            bytes: [0; reg::WINDOW],
            version,
            link_up: true,
            isr: 0,
            places: [0; 2],
            transmit_status: 0,
            sent: Vec::new(),
            faults: Faults::default(),
            strays: 0,
            resets: 0,
        };
        model.set_address(Self::MAC);
        model.set(reg::BMCR, 2, Bmcr::ANE.bits().into());
        model.set(reg::ANAR, 2, 0x01e1);
        model.set(reg::ANLPAR, 2, 0x01e1);
        model
    }

    pub fn set_address(&mut self, address: [u8; 6]) {
        self.bytes[..6].copy_from_slice(&address);
    }

    pub fn set(&mut self, offset: usize, size: usize, value: u32) {
        self.bytes[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }

    fn get(&self, offset: usize, size: usize) -> u32 {
        self.bytes[offset..offset + size].iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
    }

    pub fn set_link(&mut self, bus: &mut Bus, up: bool) {
        self.link_up = up;
        self.cause(bus, Interrupts::LINK_CHG);
    }

    fn command(&self) -> Cr {
        Cr::from_bits_retain(self.bytes[reg::CR])
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        self.get(reg::IMR, 2) == 0 && !self.command().intersects(Cr::RE | Cr::TE)
    }

    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        let by_descriptors = Cpcr::from_bits_retain(self.get(reg::CPCR, 2) as u16).contains(Cpcr::CP_RX);
        if !self.link_up || !self.command().contains(Cr::RE) || !by_descriptors || !self.accepts(frame) {
            return;
        }
        let at = self.descriptor(reg::RDSAR, 0);
        let (command, address) = self.read_descriptor(bus, at);
        let bytes = [frame, &[0; 4]].concat();
        if command & OWN == 0 || bytes.len() as u64 > command & 0x1fff {
            self.set(reg::MPC, 4, self.get(reg::MPC, 4) + 1);
            return self.cause(bus, Interrupts::RDU);
        }
        let wrote = bus.write(address, &bytes);
        let said = self.faults.status.map_or(FS | LS | bytes.len() as u64, u64::from);
        let told = bus.write(at, &(said & !(OWN | EOR) | command & EOR).to_le_bytes());
        self.strays += usize::from(!(wrote && told));
        self.advance(0, command);
        self.cause(bus, Interrupts::ROK);
    }

    /// Raises `causes`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        self.isr |= causes.bits();
        self.drive_line(bus);
    }

    /// Writes `word` over the first word of entry `entry` of the receive ring, or of the transmit ring, where the entry
    /// is the driver's afterwards.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let base = self.get(if receive { reg::RDSAR } else { reg::TNPDS }, 4);
        let word = if receive { word } else { word & !OWN };
        bus.write(u64::from(base) + (entry % RING) as u64 * 16, &word.to_le_bytes());
    }

    fn drive_line(&self, bus: &mut Bus) {
        let asserted = u32::from(self.isr) & self.get(reg::IMR, 2) != 0 && !self.faults.mute;
        if asserted || self.faults.stuck { bus.raise(0) } else { bus.lower() }
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let accept = Accept::from_bits_retain(self.get(reg::RCR, 4));
        let Some(destination) = frame.get(..6) else { return false };
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => accept.contains(Accept::AB),
            [first, ..] if first & 1 != 0 => accept.contains(Accept::AM) && self.is_in_hash(destination),
            _ => {
                accept.contains(Accept::AAP)
                    || accept.contains(Accept::APM) && destination == &self.bytes[..6]
            }
        }
    }

    /// The upper six bits of the CRC choose a bit of MAR0 to MAR7.
    fn is_in_hash(&self, destination: &[u8]) -> bool {
        let mut crc = u32::MAX;
        for byte in destination {
            for bit in 0..8 {
                let carry = crc >> 31 ^ u32::from(byte >> bit & 1);
                crc = crc << 1 ^ if carry == 1 { 0x04c1_1db7 } else { 0 };
            }
        }
        let index = (crc >> 26) as usize;
        self.bytes[reg::MAR0 + index / 8] >> (index % 8) & 1 != 0
    }

    fn descriptor(&self, ring: usize, which: usize) -> u64 {
        u64::from(self.get(ring, 4)) + self.places[which] * 16
    }

    fn read_descriptor(&mut self, bus: &mut Bus, at: u64) -> (u64, u64) {
        let mut words = [[0; 8]; 2];
        for (index, word) in words.iter_mut().enumerate() {
            let read = bus.read(at + 8 * index as u64, word);
            self.strays += usize::from(!read);
        }
        let [command, address] = words.map(u64::from_le_bytes);
        (command, address)
    }

    /// To the next entry; after the one that ends the ring, to the first.
    fn advance(&mut self, which: usize, command: u64) {
        let place = &mut self.places[which];
        *place = if command & EOR != 0 { 0 } else { *place + 1 };
    }

    /// Sends what it owns of the transmit ring.
    fn transmit(&mut self, bus: &mut Bus) {
        if !self.command().contains(Cr::TE) || self.faults.hangs {
            return;
        }
        for _ in 0..RING {
            let at = self.descriptor(reg::TNPDS, 1);
            let (command, address) = self.read_descriptor(bus, at);
            if command & OWN == 0 {
                break;
            }
            assert_eq!(command & (FS | LS), FS | LS, "a frame is one buffer");
            let mut frame = vec![0; (command & 0xffff) as usize];
            let read = bus.read(address, &mut frame);
            self.sent.push(frame);
            let told = bus.write(at, &(self.transmit_status | command & EOR).to_le_bytes());
            self.strays += usize::from(!(read && told));
            self.advance(1, command);
        }
        self.cause(bus, Interrupts::TOK | Interrupts::TDU);
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
        self.set(reg::IMR, 2, 0);
        self.set(reg::CPCR, 2, 0);
        self.drive_line(bus);
    }

    fn media(&self) -> u32 {
        let mut status = Msr::empty();
        status.set(Msr::LINKB, !self.link_up);
        status.bits().into()
    }
}

impl Model for Rtl8139 {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x10ec, device: 0x8139, class: [2, 0, 0], revision: 0x20 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == 1 { reg::WINDOW } else { 0 }
    }

    fn read(&mut self, _bus: &mut Bus, _bar: usize, offset: usize, size: usize) -> u32 {
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match (offset, size) {
            (reg::ISR, 2) => self.isr.into(),
            (reg::MSR, 1) => self.media(),
            (reg::TCR, 4) => self.get(reg::TCR, 4) & !reg::HWVERID | self.version,
            (reg::ISR | reg::MSR | reg::TCR, _) => panic!("{offset:#x} is not read by {size} bytes"),
            _ => self.get(offset, size),
        }
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize, value: u32) {
        match (offset, size) {
            (reg::CR, 1) => self.write_command(bus, value as u8),
            (reg::ISR, 2) => {
                self.isr &= !(value as u16);
                self.drive_line(bus);
            }
            (reg::IMR, 2) => {
                self.set(reg::IMR, 2, value);
                self.drive_line(bus);
            }
            (reg::MPC, 4) => self.set(reg::MPC, 4, 0),
            (reg::TPPOLL, 1) => self.transmit(bus),
            (reg::IDR0 | reg::IDR4, 4) if self.bytes[reg::CR9346] != reg::UNLOCK => {}
            (reg::IDR0..reg::MAR0, 1 | 2) => panic!("the address is written by words of 32 bits"),
            _ => self.set(offset, size, value),
        }
    }
}
