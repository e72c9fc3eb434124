//! An 82599, from the other side of its registers (82599's data sheet).

use std::collections::{HashMap, VecDeque};

use hw::fake::{Bus, Model};
use hw::{Identity, InterruptKind};
use intel::advanced::{ADVANCED_ONE_BUFFER, AdvancedTransmit, RingControl, Srrctl};
use intel::descriptors::{IXSM, TXSM, Transmit};
use intel::registers::RingRegisters;
use ixgbe::registers::{
    self as reg, Autoc, Ctrl, Dmatxctl, Eec, Eitr, Fctrl, Gpie, Hlreg0, Interrupts, Ivar, IvarMisc, Links,
    Mcstctrl, RECEIVE, Rdrxctl, Rxctrl, Status, TRANSMIT, Vlnctrl,
};
use nic::Intervals;
use nic::frame::is_tagged;

use crate::intel::advanced;
use crate::intel::context::Context;
use crate::packets::{filled_in, verdict};
use crate::wire::cut;

/// The device that the shared tests are about.
pub type Card = Ixgbe;

/// Bytes of a receive buffer, as SRRCTL says.
const BUFFER: usize = 2048;

/// Length errors, and frames missed for want of room.
const ROC: usize = 0x40ac;
const RXMPC: usize = 0x3fa0;

/// What it counts is cleared by reading it.
fn is_counter(offset: usize) -> bool {
    offset == RXMPC || (0x4000..0x4100).contains(&offset)
}

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
    /// Never has read its EEPROM.
    pub endless_eeprom: bool,
    /// Writes this length into receive descriptors.
    pub length: Option<u16>,
    /// Writes these errors there, from bit 20 on.
    pub errors: u64,
    /// Never marks the end of a packet.
    pub endless_packet: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

/// The device and the wire.
pub struct Ixgbe {
    device: u16,
    messages: &'static [InterruptKind],
    registers: HashMap<usize, u32>,
    /// What its EEPROM holds.
    pub address: [u8; 6],
    link_up: bool,
    /// Its link's partner was looked for; a device with a PHY does so by itself.
    pub negotiated: bool,
    /// How fast its link is, and a speed between those.
    pub speed: (u8, bool),
    /// The causes that an interrupt was raised for already.
    told: u32,
    packet: Vec<u8>,
    /// What it was told by the last context, and that.
    context: Context,
    context_words: [u64; 2],
    /// How many checksums it has filled in.
    pub filled_in: usize,
    /// Of how many frames it has made segments.
    pub cut: usize,
    /// How many tags it has inserted and taken off.
    pub tags: usize,
    /// The tag that was taken off the frame that arrives.
    tag: Option<u16>,
    /// Whether the checksum of the frame that arrives is right.
    verdict: Option<bool>,
    /// Frames on the wire, oldest first.
    pub sent: Vec<Vec<u8>>,
    /// What is wrong with it.
    pub faults: Faults,
    /// Accesses outside the driver's memory.
    pub strays: usize,
    /// How often it was reset.
    pub resets: usize,
}

impl Ixgbe {
    /// Its address.
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 100;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 10000\nduplex full\n";

    /// A device that was just switched on.
    pub fn new() -> Self {
        Self::with_device(0x10fb)
    }

    /// The same; it has no other interrupt than its line.
    pub fn with_line() -> Self {
        Self::with_interrupts(&[])
    }

    /// The same; it can interrupt by these messages and by its line.
    pub fn with_interrupts(messages: &'static [InterruptKind]) -> Self {
        Self { messages, ..Self::new() }
    }

    /// One with this PCI device id.
    pub fn with_device(device: u16) -> Self {
        let mut model = Self {
            device,
            messages: &[InterruptKind::MsiX { vectors: 64 }, InterruptKind::Msi],
            registers: HashMap::new(),
            address: Self::MAC,
            link_up: true,
            negotiated: ixgbe::chips::COPPER.iter().any(|chip| chip.device == device),
            speed: (3, false),
            told: 0,
            packet: Vec::new(),
            context: Context::default(),
            context_words: [0; 2],
            filled_in: 0,
            cut: 0,
            tags: 0,
            tag: None,
            verdict: None,
            sent: Vec::new(),
            faults: Faults::default(),
            strays: 0,
            resets: 0,
        };
        model.load();
        model
    }

    fn set_register(&mut self, offset: usize, value: u32) {
        self.registers.insert(offset, value);
    }

    /// What a register holds.
    pub fn register(&self, offset: usize) -> u32 {
        self.registers.get(&offset).copied().unwrap_or(0)
    }

    /// Counts one more in the register of a counter.
    pub fn count(&mut self, counter: usize) {
        *self.registers.entry(counter).or_default() += 1;
    }

    /// What is there after a reset: the address, and what has been done.
    fn load(&mut self) {
        let [a, b, c, d, e, f] = self.address;
        self.set_register(reg::RAL0, u32::from_le_bytes([a, b, c, d]));
        self.set_register(reg::RAH0, 1 << 31 | u32::from_le_bytes([e, f, 0, 0]));
        self.set_register(reg::EEC, if self.faults.endless_eeprom { 0 } else { Eec::AUTO_RD.bits() });
        self.set_register(reg::RDRXCTL, Rdrxctl::DMAIDONE.bits());
    }

    fn has_link(&self) -> bool {
        self.link_up && self.negotiated
    }

    /// Plugs the cable in, or pulls it.
    pub fn set_link(&mut self, bus: &mut Bus, up: bool) {
        self.link_up = up;
        self.cause(bus, Interrupts::LSC);
    }

    fn is_receiving(&self) -> bool {
        self.register(reg::RXCTRL) & Rxctrl::RXEN.bits() != 0
    }

    fn is_sending(&self) -> bool {
        self.register(reg::DMATXCTL) & Dmatxctl::TE.bits() != 0
    }

    fn has_ring(&self, ring: RingRegisters) -> bool {
        self.register(ring.control()) & RingControl::ENABLE.bits() != 0
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        self.register(reg::EIMS) == 0 && !self.is_receiving() && !self.is_sending()
    }

    /// The least time between two interrupts, which is one for both directions.
    pub fn intervals(&self) -> Intervals {
        Intervals::both(u32::from(Eitr::from(self.register(reg::EITR0)).interval()) * 2)
    }

    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        let works = self.has_link() && self.is_receiving() && self.has_ring(RECEIVE);
        if !works || !self.accepts(frame) {
            return;
        }
        let mac = Hlreg0::from_bits_retain(self.register(reg::HLREG0));
        let strips = Rdrxctl::from_bits_retain(self.register(reg::RDRXCTL)).contains(Rdrxctl::CRC_STRIP);
        assert!(mac.contains(Hlreg0::RXCRCSTRP) && strips, "both say that the FCS is stripped");
        let longest = if mac.contains(Hlreg0::JUMBOEN) { self.register(reg::MAXFRS) >> 16 } else { 1518 };
        if frame.len() + 4 > longest as usize {
            return self.count(ROC);
        }
        self.verdict = verdict(frame);
        let frame = &self.without_tag(frame);
        let entries = self.register(RECEIVE.length()) as usize / 16;
        let (head, tail) = (self.register(RECEIVE.head()) as usize, self.register(RECEIVE.tail()) as usize);
        let free = (tail + entries - head) % entries.max(1);
        let pieces = frame.chunks(BUFFER).count();
        if pieces > free {
            return self.count(RXMPC);
        }
        for (index, piece) in frame.chunks(BUFFER).enumerate() {
            self.write_back(bus, (head + index) % entries, piece, index + 1 == pieces);
        }
        self.set_register(RECEIVE.head(), ((head + pieces) % entries) as u32);
        self.cause(bus, Interrupts::RECEIVE);
    }

    /// The frame, with its tag taken off if that is wanted.
    fn without_tag(&mut self, frame: &[u8]) -> Vec<u8> {
        self.tag = None;
        if self.register(RECEIVE.control()) & RingControl::VME.bits() != 0 && is_tagged(frame) {
            self.tags += 1;
            self.tag = Some(u16::from_be_bytes([frame[14], frame[15]]));
            return [&frame[..12], &frame[16..]].concat();
        }
        frame.to_vec()
    }

    /// The upper 7 bits of the VLAN's number select the word.
    fn accepts_vlan(&self, frame: &[u8]) -> bool {
        let filters = self.register(reg::VLNCTRL) == Vlnctrl::all().bits();
        let number = u16::from_be_bytes([frame[14], frame[15]]) & 0xfff;
        let word = self.register(reg::VFTA + 4 * usize::from(number >> 5));
        !filters || word >> (number & 0x1f) & 1 != 0
    }

    /// Status (DD, EOP, VP, L4I), errors (L4E), length, tag: 7.1.6.2.
    fn write_back(&mut self, bus: &mut Bus, entry: usize, piece: &[u8], last: bool) {
        let srrctl = Srrctl::from(self.register(reg::SRRCTL0));
        assert_eq!((srrctl.desctype(), srrctl.bsizepacket()), (ADVANCED_ONE_BUFFER, 2));
        let at = self.base(RECEIVE) + entry as u64 * 16;
        let mut address = [0; 8];
        let read = bus.read(at, &mut address);
        let wrote = bus.write(u64::from_le_bytes(address), piece);
        let length = u64::from(self.faults.length.unwrap_or(piece.len() as u16));
        let last = last && !self.faults.endless_packet;
        let word = length << 32 | self.faults.errors << 20 | if last { 3 } else { 1 };
        let word = word | self.tag.map_or(0, |tag| 1 << 3 | u64::from(tag) << 48);
        let word = word | self.verdict.map_or(0, |is_right| 1 << 5 | u64::from(!is_right) << 30);
        let told = bus.write(at + 8, &word.to_le_bytes());
        self.strays += usize::from(!(read && wrote && told));
    }

    /// Writes `word` over the second word of entry `entry` of the receive ring or of the transmit ring.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let ring = if receive { RECEIVE } else { TRANSMIT };
        bus.write(self.base(ring) + (entry % 256) as u64 * 16 + 8, &word.to_le_bytes());
    }

    /// Raises `causes`, as it pleases. Those of queues go where IVAR says, and all others by a vector of theirs, too.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        let ivar = Ivar::from(self.register(reg::IVAR0));
        let misc = IvarMisc::from(self.register(reg::IVAR_MISC));
        let mut raised = (causes - Interrupts::RECEIVE - Interrupts::TRANSMIT).bits();
        for (cause, valid, place) in [
            (Interrupts::RECEIVE, ivar.receive_valid(), ivar.receive()),
            (Interrupts::TRANSMIT, ivar.transmit_valid(), ivar.transmit()),
            (Interrupts::LSC, self.has_vectors() && misc.other_valid(), misc.other()),
        ] {
            if causes.contains(cause) && valid && place < 16 {
                raised |= 1 << place;
            }
        }
        self.set_register(reg::EICR, self.register(reg::EICR) | raised);
        self.drive_line(bus);
    }

    fn has_vectors(&self) -> bool {
        self.register(reg::GPIE) & Gpie::MULTIPLE_MSIX.bits() != 0
    }

    /// A line is up while there is a cause. A message is sent for each that comes.
    fn drive_line(&mut self, bus: &mut Bus) {
        let asserted = self.register(reg::EICR) & self.register(reg::EIMS);
        let asserted = if self.faults.mute { 0 } else { asserted };
        if asserted & !self.told != 0 || self.faults.stuck {
            bus.raise(0);
        } else if asserted == 0 {
            bus.lower();
        }
        self.told = asserted;
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let control = Fctrl::from_bits_retain(self.register(reg::FCTRL));
        let Some(destination) = frame.get(..6) else { return false };
        if is_tagged(frame) && !self.accepts_vlan(frame) {
            return false;
        }
        match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => control.contains(Fctrl::BAM),
            [first, ..] if first & 1 != 0 => control.contains(Fctrl::MPE) || self.is_in_table(destination),
            _ => control.contains(Fctrl::UPE) || self.is_own(destination),
        }
    }

    fn is_own(&self, destination: &[u8]) -> bool {
        let low = self.register(reg::RAL0).to_le_bytes();
        let [fifth, sixth, _, flags] = self.register(reg::RAH0).to_le_bytes();
        flags & 0x80 != 0 && destination == [low[0], low[1], low[2], low[3], fifth, sixth]
    }

    /// 8.2.3.7.7: bits 47 to 36 of the address, of which the upper 7 select the word.
    fn is_in_table(&self, destination: &[u8]) -> bool {
        let value = u16::from_le_bytes([destination[4], destination[5]]) >> 4;
        let (word, bit) = (usize::from(value >> 5) & 0x7f, value & 0x1f);
        let used = self.register(reg::MCSTCTRL) & Mcstctrl::MFE.bits() != 0;
        used && self.register(reg::MTA + 4 * word) >> bit & 1 != 0
    }

    fn base(&self, ring: RingRegisters) -> u64 {
        u64::from(self.register(ring.bah())) << 32 | u64::from(self.register(ring.bal()))
    }

    /// Sends what stands between head and tail of the transmit ring.
    fn transmit(&mut self, bus: &mut Bus) {
        let entries = self.register(TRANSMIT.length()) / 16;
        if !self.is_sending() || !self.has_ring(TRANSMIT) || self.faults.hangs || entries == 0 {
            return;
        }
        let mut head = self.register(TRANSMIT.head());
        while head != self.register(TRANSMIT.tail()) {
            let at = self.base(TRANSMIT) + u64::from(head) * 16;
            self.send_descriptor(bus, at);
            head = (head + 1) % entries;
            self.set_register(TRANSMIT.head(), head);
        }
    }

    /// 7.2.3.2.4: an advanced descriptor with data.
    fn send_descriptor(&mut self, bus: &mut Bus, at: u64) {
        let [mut address, mut word] = [[0; 8]; 2];
        let mut ok = bus.read(at, &mut address) && bus.read(at + 8, &mut word);
        let words = [address, word].map(u64::from_le_bytes);
        if let Some(context) = advanced::context(words) {
            (self.context, self.context_words) = (context, words);
            return;
        }
        let value = words[1];
        let (kind, command) = (value >> 20 & 0xf, (value >> 24) as u8);
        assert_eq!((kind, command & 0x20), (3, 0x20), "an advanced descriptor with data");
        let mut piece = vec![0; usize::from(value as u16)];
        ok &= bus.read(u64::from_le_bytes(address), &mut piece);
        self.packet.extend(piece);
        if command & 1 != 0 {
            assert_eq!(command & 2, 2, "the FCS is the device's to insert");
            let mut frames = self.finished(value);
            if command & 0x40 != 0 {
                self.tags += 1;
                let tag = advanced::tag(self.context_words);
                frames.iter_mut().for_each(|frame| nic::vlan::insert(frame, tag));
            }
            self.sent.extend(frames);
        }
        if command & 8 != 0 {
            ok &= bus.write(at + 12, &[word[4] | 1]);
            self.cause(bus, Interrupts::TRANSMIT);
        }
        self.strays += usize::from(!ok);
    }

    /// The frame, or its segments, as they leave, by the second word of its last descriptor. PAYLEN is the length of the
    /// frame, or of what segments are made of.
    fn finished(&mut self, word: u64) -> Vec<Vec<u8>> {
        let frame = std::mem::take(&mut self.packet);
        let Context { start, offset, segments } = self.context;
        let makes_segments = word & AdvancedTransmit::TSE != 0;
        let headers = if makes_segments { segments.header } else { 0 };
        assert_eq!(word >> 46, (frame.len() - headers) as u64);
        if makes_segments {
            assert_eq!(word & TXSM, TXSM, "segments have checksums of their own");
            assert_eq!(word & IXSM != 0, frame[12..14] == [8, 0], "and so have their IPv4 headers");
            self.cut += 1;
            cut(&frame, segments)
        } else if word & TXSM != 0 {
            self.filled_in += 1;
            vec![filled_in(&frame, start, offset)]
        } else {
            vec![frame]
        }
    }

    fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        self.registers.clear();
        self.packet.clear();
        self.load();
        self.drive_line(bus);
    }
}

impl Model for Ixgbe {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x8086, device: self.device, class: [2, 0, 0], revision: 1 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == 0 { reg::WINDOW } else { 0 }
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        [self.messages, &[InterruptKind::Intx]].concat()
    }

    fn read(&mut self, _bus: &mut Bus, _bar: usize, offset: usize, size: usize) -> u32 {
        assert_eq!(size, 4, "registers are 32 bits wide");
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match offset {
            reg::STATUS => {
                let disabled = self.register(reg::CTRL) & Ctrl::MASTER_DISABLE.bits() != 0;
                if disabled { 0 } else { Status::MASTER_ENABLE.bits() }
            }
            reg::LINKS => {
                let (speed, between) = self.speed;
                Links::new().with_up(self.has_link()).with_speed(speed).with_between(between).into()
            }
            _ if is_counter(offset) => self.registers.remove(&offset).unwrap_or(0),
            _ => self.register(offset),
        }
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize, value: u32) {
        assert_eq!(size, 4, "registers are 32 bits wide");
        match offset {
            reg::CTRL if value & Ctrl::RST.bits() != 0 && !self.faults.endless_reset => self.reset(bus),
            reg::EIMS => self.set_register(reg::EIMS, self.register(reg::EIMS) | value),
            reg::EIMC => self.set_register(reg::EIMS, self.register(reg::EIMS) & !value),
            reg::EICR => self.set_register(reg::EICR, self.register(reg::EICR) & !value),
            reg::AUTOC => self.negotiated |= value & Autoc::RESTART_AN.bits() != 0,
            reg::FCTRL => {
                assert!(!self.is_receiving(), "filters are changed while nothing is received");
                self.set_register(offset, value);
            }
            _ => self.set_register(offset, value),
        }
        match offset {
            reg::EIMS | reg::EIMC | reg::EICR => self.drive_line(bus),
            _ if offset == TRANSMIT.tail() => self.transmit(bus),
            _ => {}
        }
    }
}
