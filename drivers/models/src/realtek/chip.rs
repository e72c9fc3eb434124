//! A controller, from the other side of its registers (data sheets of the RTL8139C+ and the RTL8169). What is a family's
//! own, its [`Kind`] tells.

use std::collections::VecDeque;

use hw::fake::{Bus, Model};
use hw::{Identity, InterruptKind};
use nic::frame::is_tagged;
use realtek::Family;
use realtek::registers::{self as reg, Accept, Cpcr, Cr, Interrupts, Tcr};

/// A kind of controller, and what only it has.
pub trait Kind: Sized {
    /// As its driver sees it.
    type Family: Family;

    /// The most entries of a ring.
    const RING: usize;

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    const BURST: usize;

    /// The `link` node with the cable plugged in.
    const LINK: &str;

    /// Bits of a length in a receive descriptor.
    const LENGTH_BITS: u32;

    /// What its buffers' addresses and sizes are multiples of.
    const ALIGNMENT: u64;

    /// TCR.LBK that has it receive what it sends.
    const LOOPBACK: u8;

    /// A device that was just switched on.
    fn new() -> Chip<Self>;

    /// The BAR that has the registers in memory.
    fn bar(card: &Chip<Self>) -> usize;

    /// Where the interrupt mask is, and how many bytes it has.
    fn mask(_card: &Chip<Self>) -> (usize, usize) {
        (reg::IMR, 2)
    }

    /// Where the interrupt status is, and how many bytes it has.
    fn status(_card: &Chip<Self>) -> (usize, usize) {
        (reg::ISR, 2)
    }

    /// Where the doorbell is, how many bytes it has, and what rings it.
    fn doorbell(card: &Chip<Self>) -> (usize, usize, u32);

    /// Receives by descriptors.
    fn receives(card: &Chip<Self>) -> bool;

    /// The longest frame that it takes, FCS included.
    fn longest(card: &Chip<Self>) -> usize;

    /// The group with this CRC is in the hash.
    fn is_in_hash(card: &Chip<Self>, crc: u32) -> bool;

    /// There was no descriptor for a frame.
    fn missed(card: &mut Chip<Self>);

    /// A frame that it accepts arrives, where it has no descriptors for it; `false` if it has.
    fn take(_card: &mut Chip<Self>, _bus: &mut Bus, _frame: &[u8]) -> bool {
        false
    }

    /// Writes `word` over what it says of a frame, where it has no descriptors; `false` if it has.
    fn scribble(_card: &mut Chip<Self>, _bus: &mut Bus, _receive: bool, _entry: usize, _word: u64) -> bool {
        false
    }

    /// It is reset.
    fn reset(_card: &mut Chip<Self>) {}

    /// A register of the family's own is read, by so many bytes.
    fn read(card: &Chip<Self>, offset: usize, size: usize) -> Option<u32>;

    /// A register of the family's own is written; `false` if it is none.
    fn write(card: &mut Chip<Self>, bus: &mut Bus, offset: usize, size: usize, value: u32) -> bool;
}

/// A descriptor is the device's.
pub const OWN: u64 = 1 << 31;
const EOR: u64 = 1 << 30;
const FS: u64 = 1 << 29;
const LS: u64 = 1 << 28;

/// One of the errors, and the watchdog's: above the length.
const RES: u64 = 1 << 7;
const RWT: u64 = 1 << 8;

/// What is wrong with the device.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Never interrupts.
    pub mute: bool,
    /// Its line is always up, whatever its causes are.
    pub stuck: bool,
    /// Takes frames and never sends them.
    pub hangs: bool,
    /// Of the frames that it sends to itself, it does not receive the first, so many.
    pub deaf: usize,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Writes this into receive descriptors, in place of the length and what it says of the frame.
    pub status: Option<u32>,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

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
    isr: u32,
    /// The causes that an interrupt was raised for already.
    told: u32,
    /// Entries of the receive and of the transmit ring that come next.
    places: [u64; 2],
    /// What it says of frames that it has sent.
    pub transmit_status: u64,
    /// What has been read of a frame that is to be sent.
    packet: Vec<u8>,
    /// How many tags it has inserted and taken off.
    pub tags: usize,
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
    /// The `link` node with the cable plugged in.
    pub const LINK: &str = K::LINK;

    /// A device that was just switched on.
    pub fn new() -> Self {
        K::new()
    }

    /// The same; it has no other interrupt than its line.
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
            isr: 0,
            told: 0,
            places: [0; 2],
            transmit_status: 0,
            packet: Vec::new(),
            tags: 0,
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

    fn enabled(&self) -> u32 {
        let (offset, size) = K::mask(self);
        self.get(offset, size)
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        self.enabled() == 0 && !self.command().intersects(Cr::RE | Cr::TE)
    }

    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        let works = self.link_up && self.command().contains(Cr::RE) && K::receives(self);
        if !works || !self.accepts(frame) || K::take(self, bus, frame) {
            return;
        }
        let (tag, frame) = self.without_tag(frame);
        let bytes = [&frame[..], &[0; 4]].concat();
        let longest = K::longest(self);
        let (bytes, errors) =
            if bytes.len() > longest { (&bytes[..longest], RES | RWT) } else { (&bytes[..], 0) };
        if !self.has_room(bus, bytes.len()) {
            K::missed(self);
            return self.cause(bus, Interrupts::RDU);
        }
        self.store(bus, bytes, bytes.len() as u64 | errors << K::LENGTH_BITS | tag);
        self.cause(bus, Interrupts::ROK);
    }

    /// What it says of the tag of a frame (TAVA, and its bytes as they come), and the frame without that, if it is to
    /// take tags off.
    fn without_tag(&mut self, frame: &[u8]) -> (u64, Vec<u8>) {
        let takes_off = Cpcr::from_bits_retain(self.get(reg::CPCR, 2) as u16).contains(Cpcr::RX_VLAN);
        if !takes_off || !is_tagged(frame) {
            return (0, frame.to_vec());
        }
        self.tags += 1;
        let tag = u64::from(u16::from_le_bytes([frame[14], frame[15]]));
        (1 << 48 | tag << 32, [&frame[..12], &frame[16..]].concat())
    }

    /// Whether the next descriptors are the device's, as many as `len` bytes need.
    fn has_room(&mut self, bus: &mut Bus, len: usize) -> bool {
        let (mut place, mut room) = (self.places[0], 0);
        for _ in 0..K::RING {
            if room >= len {
                break;
            }
            let (command, _) = self.read_descriptor(bus, self.base(reg::RDSAR) + place * 16);
            if command & OWN == 0 {
                return false;
            }
            room += Self::buffer_size(command);
            place = if command & EOR != 0 { 0 } else { place + 1 };
        }
        room >= len
    }

    fn buffer_size(command: u64) -> usize {
        (command & ((1 << K::LENGTH_BITS) - 1)) as usize
    }

    /// Fills buffers with `bytes`, and tells `said` with the last one.
    fn store(&mut self, bus: &mut Bus, mut bytes: &[u8], said: u64) {
        let said = self.faults.status.map_or(FS | LS | said, u64::from) & !(OWN | EOR);
        let mut begins = FS;
        // A mad ring may have no end.
        for _ in 0..K::RING {
            if bytes.is_empty() {
                break;
            }
            let at = self.descriptor(reg::RDSAR, 0);
            let (command, address) = self.read_descriptor(bus, at);
            let (piece, rest) = bytes.split_at(bytes.len().min(Self::buffer_size(command)));
            let size = Self::buffer_size(command) as u64;
            self.strays += usize::from(!(address | size).is_multiple_of(K::ALIGNMENT));
            bytes = rest;
            let wrote = bus.write(address, piece);
            // The length of the frame stands in the last descriptor.
            let mut status = if rest.is_empty() { said } else { said & FS };
            if begins == 0 {
                status &= !FS;
            }
            let told = bus.write(at, &(status | command & EOR).to_le_bytes());
            self.strays += usize::from(!(wrote && told));
            self.advance(0, command);
            begins = 0;
        }
    }

    /// Raises `causes`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        self.isr |= causes.bits() & 0xffff;
        self.drive_line(bus);
    }

    /// Writes `word` over the first word of entry `entry` of the receive ring, or of the transmit ring, where the entry
    /// is the driver's afterwards.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        if K::scribble(self, bus, receive, entry, word) {
            return;
        }
        let base = self.base(if receive { reg::RDSAR } else { reg::TNPDS });
        let word = if receive { word } else { word & !OWN };
        bus.write(base + (entry % K::RING) as u64 * 16, &word.to_le_bytes());
    }

    /// A line is up while there is a cause. A message is sent for each that comes.
    fn drive_line(&mut self, bus: &mut Bus) {
        let asserted = if self.faults.mute { 0 } else { self.isr & self.enabled() };
        if asserted & !self.told != 0 || self.faults.stuck {
            bus.raise(0);
        } else if asserted == 0 {
            bus.lower();
        }
        self.told = asserted;
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let accept = Accept::from_bits_retain(self.get(reg::RCR, 4));
        let Some(destination) = frame.get(..6) else { return false };
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => accept.contains(Accept::AB),
            [first, ..] if first & 1 != 0 => {
                accept.contains(Accept::AM) && K::is_in_hash(self, crc(destination))
            }
            _ => {
                accept.contains(Accept::AAP)
                    || accept.contains(Accept::APM) && destination == &self.bytes[..6]
            }
        }
    }

    fn base(&self, ring: usize) -> u64 {
        self.get(ring, 4).into()
    }

    fn descriptor(&self, ring: usize, which: usize) -> u64 {
        self.base(ring) + self.places[which] * 16
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
        let mut back = Vec::new();
        for _ in 0..K::RING {
            let at = self.descriptor(reg::TNPDS, 1);
            let (command, address) = self.read_descriptor(bus, at);
            if command & OWN == 0 {
                break;
            }
            assert_eq!(
                command & FS != 0,
                self.packet.is_empty(),
                "a frame begins where the last one has ended"
            );
            let mut piece = vec![0; (command & 0xffff) as usize];
            let read = bus.read(address, &mut piece);
            self.packet.extend(piece);
            if command & LS != 0 {
                let mut frame = std::mem::take(&mut self.packet);
                if command >> 49 & 1 != 0 {
                    self.tags += 1;
                    frame.splice(12..12, [0x81, 0, (command >> 32) as u8, (command >> 40) as u8]);
                }
                if Tcr::from(self.get(reg::TCR, 4)).lbk() == K::LOOPBACK {
                    back.push(frame);
                } else {
                    self.sent.push(frame);
                }
            }
            let told = bus.write(at, &(self.transmit_status | command & EOR).to_le_bytes());
            self.strays += usize::from(!(read && told));
            self.advance(1, command);
        }
        self.cause(bus, Interrupts::TOK | Interrupts::TDU);
        let lost = self.faults.deaf.min(back.len());
        self.faults.deaf -= lost;
        back.iter().skip(lost).for_each(|frame| self.arrive(bus, frame));
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
        self.drive_line(bus);
    }
}

/// The CRC of an address in the order of transmission, of which the upper six bits choose a bit of MAR0 to MAR7.
fn crc(destination: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in destination {
        for bit in 0..8 {
            let carry = crc >> 31 ^ u32::from(byte >> bit & 1);
            crc = crc << 1 ^ if carry == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    crc
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
            (reg::TCR, _) => panic!("{offset:#x} is not read by {size} bytes"),
            _ => self.get(offset, size),
        }
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize, value: u32) {
        let (doorbell, width, poll) = K::doorbell(self);
        if (offset, size) == K::status(self) {
            self.isr &= !value;
            return self.drive_line(bus);
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
            (reg::IDR0 | reg::IDR4, 4) if self.bytes[reg::CR9346] != reg::UNLOCK => {}
            (reg::IDR0..reg::MAR0, 1 | 2) => panic!("the address is written by words of 32 bits"),
            _ => self.set(offset, size, value),
        }
        if offset == K::mask(self).0 {
            self.drive_line(bus);
        }
    }
}
