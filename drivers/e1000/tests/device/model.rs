//! An 8254x, from the other side of its registers (8254x SDM).

use std::collections::{HashMap, VecDeque};

use e1000::registers::{self as reg, Interrupts, Rctl, Status, statistics};
use hw::Identity;
use hw::fake::{Bus, Model};

pub use e1000::Device;

/// The device that the shared tests are about.
pub type Card = E1000;

/// Bytes of a receive buffer (RCTL.BSIZE = 0).
const BUFFER: usize = 2048;

/// Longest frame without RCTL.LPE, tag and FCS included.
const STANDARD: usize = 1522;

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
    /// Writes this length into receive descriptors.
    pub length: Option<u16>,
    /// Never marks the end of a packet.
    pub endless_packet: bool,
    /// Does not clear counters that are read, as QEMU's.
    pub keeps_counters: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

/// The device and the wire.
pub struct E1000 {
    device: u16,
    registers: HashMap<usize, u32>,
    /// Words; none if EERD does not work.
    pub eeprom: Vec<u16>,
    /// EERD has the layout of the 82541 and later.
    pub late_eerd: bool,
    link_up: bool,
    icr: u32,
    ims: u32,
    packet: Vec<u8>,
    /// Frames on the wire, oldest first.
    pub sent: Vec<Vec<u8>>,
    pub faults: Faults,
    /// Accesses outside the driver's memory.
    pub strays: usize,
    pub resets: usize,
}

impl E1000 {
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 1000\nduplex full\n";

    pub fn new() -> Self {
        Self::with_device(0x100e)
    }

    /// The same; it has no other interrupt than its line.
    pub fn with_line() -> Self {
        Self::new()
    }

    pub fn with_device(device: u16) -> Self {
        Self {
            device,
            registers: HashMap::new(),
            eeprom: Self::MAC.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
            late_eerd: false,
            link_up: true,
            icr: 0,
            ims: 0,
            packet: Vec::new(),
            sent: Vec::new(),
            faults: Faults::default(),
            strays: 0,
            resets: 0,
        }
    }

    pub fn set_register(&mut self, offset: usize, value: u32) {
        self.registers.insert(offset, value);
    }

    pub fn register(&self, offset: usize) -> u32 {
        self.registers.get(&offset).copied().unwrap_or(0)
    }

    pub fn set_link(&mut self, bus: &mut Bus, up: bool) {
        self.link_up = up;
        self.cause(bus, Interrupts::LSC);
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        self.ims == 0 && self.register(reg::RCTL) & Rctl::EN.bits() == 0 && self.register(reg::TCTL) & 2 == 0
    }

    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        let control = Rctl::from_bits_retain(self.register(reg::RCTL));
        if !self.link_up || !control.contains(Rctl::EN) || !self.accepts(control, frame) {
            return;
        }
        let fcs = if control.contains(Rctl::SECRC) { 0 } else { 4 };
        if frame.len() + 4 > STANDARD && !control.contains(Rctl::LPE) {
            return self.count(statistics::ROC);
        }
        let bytes = [frame, &[0; 4][..fcs]].concat();
        let entries = self.register(reg::RDLEN) as usize / 16;
        let (head, tail) = (self.register(reg::RDH) as usize, self.register(reg::RDT) as usize);
        let free = (tail + entries - head) % entries.max(1);
        if bytes.len().div_ceil(BUFFER) > free {
            self.count(statistics::MPC);
            return self.cause(bus, Interrupts::RXO);
        }
        let pieces = bytes.chunks(BUFFER).count();
        for (index, piece) in bytes.chunks(BUFFER).enumerate() {
            let at = (head + index) % entries;
            self.write_back(bus, at, piece, index + 1 == pieces);
        }
        self.set_register(reg::RDH, ((head + pieces) % entries) as u32);
        self.cause(bus, Interrupts::RXT0);
    }

    fn write_back(&mut self, bus: &mut Bus, entry: usize, piece: &[u8], last: bool) {
        let at = self.base(reg::RDBAL, reg::RDBAH) + entry as u64 * 16;
        let mut address = [0; 8];
        let read = bus.read(at, &mut address);
        let wrote = bus.write(u64::from_le_bytes(address), piece);
        let length = self.faults.length.unwrap_or(piece.len() as u16);
        let last = last && !self.faults.endless_packet;
        // Length, checksum, status (DD, EOP, IXSM), errors, special: 3.2.3.
        let status = 1 | if last { 2 | 4 } else { 0 };
        let mut done = [0; 8];
        done[..2].copy_from_slice(&length.to_le_bytes());
        done[4] = status;
        let told = bus.write(at + 8, &done);
        self.strays += usize::from(!(read && wrote && told));
    }

    /// Writes `word` over the second word of entry `entry` of the receive ring or of the transmit ring.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let (low, high) = if receive { (reg::RDBAL, reg::RDBAH) } else { (reg::TDBAL, reg::TDBAH) };
        bus.write(self.base(low, high) + (entry % 256) as u64 * 16 + 8, &word.to_le_bytes());
    }

    /// Raises `causes`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        self.icr |= causes.bits();
        self.drive_line(bus);
    }

    fn drive_line(&self, bus: &mut Bus) {
        let asserted = self.icr & self.ims != 0 && !self.faults.mute;
        if asserted || self.faults.stuck { bus.raise(0) } else { bus.lower() }
    }

    fn accepts(&self, control: Rctl, frame: &[u8]) -> bool {
        let Some(destination) = frame.get(..6) else { return false };
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => control.contains(Rctl::BAM),
            [first, ..] if first & 1 != 0 => control.contains(Rctl::MPE) || self.is_in_table(destination),
            _ => control.contains(Rctl::UPE) || self.is_own(destination),
        }
    }

    fn is_own(&self, destination: &[u8]) -> bool {
        let low = self.register(reg::RAL0).to_le_bytes();
        let [fifth, sixth, _, flags] = self.register(reg::RAH0).to_le_bytes();
        flags & 0x80 != 0 && destination == [low[0], low[1], low[2], low[3], fifth, sixth]
    }

    /// 13.5.1: bits 47 to 36 of the address, of which the upper 7 select the word.
    fn is_in_table(&self, destination: &[u8]) -> bool {
        let value = u16::from_le_bytes([destination[4], destination[5]]) >> 4;
        let (word, bit) = (usize::from(value >> 5) & 0x7f, value & 0x1f);
        self.register(reg::MTA + 4 * word) >> bit & 1 != 0
    }

    fn base(&self, low: usize, high: usize) -> u64 {
        u64::from(self.register(high)) << 32 | u64::from(self.register(low))
    }

    fn count(&mut self, counter: usize) {
        *self.registers.entry(counter).or_default() += 1;
    }

    /// Sends what stands between head and tail of the transmit ring (3.3.3, 3.4).
    fn transmit(&mut self, bus: &mut Bus) {
        let entries = self.register(reg::TDLEN) / 16;
        if self.register(reg::TCTL) & 2 == 0 || entries == 0 || self.faults.hangs {
            return;
        }
        let mut head = self.register(reg::TDH);
        while head != self.register(reg::TDT) {
            let at = self.base(reg::TDBAL, reg::TDBAH) + u64::from(head) * 16;
            self.send_descriptor(bus, at);
            head = (head + 1) % entries;
            self.set_register(reg::TDH, head);
        }
        self.cause(bus, Interrupts::TXQE);
    }

    fn send_descriptor(&mut self, bus: &mut Bus, at: u64) {
        let mut descriptor = [0; 16];
        let mut ok = bus.read(at, &mut descriptor);
        let [a0, a1, a2, a3, a4, a5, a6, a7, l0, l1, _, command, ..] = descriptor;
        let mut piece = vec![0; u16::from_le_bytes([l0, l1]).into()];
        ok &= bus.read(u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]), &mut piece);
        self.packet.extend(piece);
        assert_eq!(command & 0x20, 0, "only legacy descriptors are understood");
        if command & 1 != 0 {
            assert_eq!(command & 2, 2, "the FCS is the device's to insert");
            self.sent.push(std::mem::take(&mut self.packet));
        }
        if command & 8 != 0 {
            ok &= bus.write(at + 12, &[descriptor[12] | 1]);
            self.cause(bus, Interrupts::TXDW);
        }
        self.strays += usize::from(!ok);
    }

    fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        self.registers.clear();
        self.packet.clear();
        (self.icr, self.ims) = (0, 0);
        self.drive_line(bus);
    }

    /// 13.4.4: bit 0 starts; bits 8 to 15 are the address and bit 4 the end, or bits 2 to 15 and bit 1.
    fn read_eeprom(&self) -> u32 {
        let request = self.register(reg::EERD);
        let (index, done) =
            if self.late_eerd { (request >> 2 & 0x3fff, 2) } else { (request >> 8 & 0xff, 0x10) };
        match self.eeprom.get(index as usize) {
            Some(word) if request & 1 != 0 => u32::from(*word) << 16 | request & 0xffff | done,
            _ => request,
        }
    }
}

impl Model for E1000 {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x8086, device: self.device, class: [2, 0, 0], revision: 3 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == 0 { reg::WINDOW } else { 0 }
    }

    fn read(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize) -> u32 {
        assert_eq!(size, 4, "registers are 32 bits wide");
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match offset {
            reg::STATUS => Status::new().with_fd(true).with_lu(self.link_up).with_speed(2).into(),
            reg::EERD => self.read_eeprom(),
            reg::IMS => self.ims,
            reg::ICR => {
                let causes = std::mem::take(&mut self.icr);
                self.drive_line(bus);
                causes
            }
            0x4000..0x4100 if !self.faults.keeps_counters => self.registers.remove(&offset).unwrap_or(0),
            _ => self.register(offset),
        }
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize, value: u32) {
        assert_eq!(size, 4, "registers are 32 bits wide");
        match offset {
            reg::CTRL if value & 1 << 26 != 0 && !self.faults.endless_reset => self.reset(bus),
            reg::IMS => {
                self.ims |= value;
                self.drive_line(bus);
            }
            reg::IMC => {
                self.ims &= !value;
                self.drive_line(bus);
            }
            reg::TDT => {
                self.set_register(reg::TDT, value);
                self.transmit(bus);
            }
            _ => self.set_register(offset, value),
        }
    }
}
