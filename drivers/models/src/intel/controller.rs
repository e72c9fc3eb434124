//! A controller, from the other side of its registers (8254x SDM). What is a family's own, its [`Kind`] tells.

use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;

use hw::fake::{Bus, Model};
use hw::{Identity, InterruptKind};
use intel::Family;
use intel::descriptors::{IXSM, TXSM, Transmit as _};
use intel::registers::{self as reg, Ctrl, Interrupts, Mdic, Rctl, RingRegisters, Status, statistics};
use nic::Intervals;

use crate::packets::{filled_in, verdict};
use crate::wire::{Layout, cut};

type Transmit<K> = <<K as Kind>::Family as Family>::Transmit;

/// What a context says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// Where the checksum's cover begins.
    pub start: usize,
    /// Where it stands in that.
    pub offset: usize,
    /// What segments are to be made, if any are.
    pub segments: Layout,
}

/// A kind of controller.
pub trait Kind: Sized {
    /// As its driver sees it.
    type Family: Family;

    /// The device that tests are about, if they do not say.
    const DEVICE: u16;

    /// EERD has the layout of the 82541 and later.
    const LATE_EERD: bool;

    /// What it can interrupt by, beside its line.
    const MESSAGES: &'static [InterruptKind];

    /// A reset is one of its PHY, too, which then must be told to negotiate.
    const RESETS_PHY: bool = false;

    /// What it writes into the second word of a receive descriptor: this length, and whether the frame ends here.
    fn filled(card: &Controller<Self>, length: u16, last: bool) -> [u8; 8];

    /// Where in that the status and the errors stand.
    const STATUS_AND_ERRORS: [usize; 2];

    /// What a transmit descriptor says of the frames behind it, if it is a context.
    fn context(words: [u64; 2]) -> Option<Context>;

    /// The tag that it is to insert, by the last context and the second word of the last descriptor of a frame.
    fn tag(context: [u64; 2], word: u64) -> u16;

    /// Length and command byte (EOP, IFCS, RS) in the second word of a transmit descriptor, which it understands.
    fn command(word: u64) -> (u16, u8);

    /// The longest frame that it takes with RCTL.LPE, FCS included.
    fn longest(_card: &Controller<Self>) -> usize {
        16128
    }

    /// The rings may be used, as far as the family has a say in it.
    fn rings_are_enabled(_card: &Controller<Self>) -> bool {
        true
    }

    /// The receive queue that a frame goes to.
    fn queue(_card: &Controller<Self>, _frame: &[u8]) -> u16 {
        0
    }

    /// The causes for which it interrupts now.
    fn asserted(card: &Controller<Self>) -> u32 {
        card.icr & card.ims
    }

    /// A cause is there, and perhaps others by it.
    fn caused(_card: &mut Controller<Self>, _causes: Interrupts) {}

    /// What ICR becomes when it is read.
    fn after_read(_card: &Controller<Self>) -> u32 {
        0
    }

    /// The least time between two interrupts, in microseconds.
    fn interval(card: &Controller<Self>) -> u32 {
        (card.register(reg::ITR) * 256).div_ceil(1000)
    }

    /// A register of the family's own is written; `false` if it is none.
    fn write(_card: &mut Controller<Self>, _offset: usize, _value: u32) -> bool {
        false
    }
}

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
    /// Of the frames that it sends to itself, it does not receive the first, so many.
    pub deaf: usize,
    /// Its PHY does not answer.
    pub mute_phy: bool,
    /// Never ends a reset.
    pub endless_reset: bool,
    /// Writes this length into receive descriptors.
    pub length: Option<u16>,
    /// Never marks the end of a packet.
    pub endless_packet: bool,
    /// Lets nobody read its EEPROM.
    pub no_eerd: bool,
    /// Does not load its address from its EEPROM by itself.
    pub loads_no_address: bool,
    /// Does not clear counters that are read, as QEMU's.
    pub keeps_counters: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

/// The device and the wire.
pub struct Controller<K> {
    device: u16,
    /// What it can interrupt by, beside its line.
    pub messages: &'static [InterruptKind],
    registers: HashMap<usize, u32>,
    /// Words.
    pub eeprom: Vec<u16>,
    /// EERD has the layout of the 82541 and later.
    pub late_eerd: bool,
    /// The cable is plugged in.
    link_up: bool,
    /// The PHY has negotiated, or needs not be told to.
    negotiated: bool,
    /// The PHY receives what is sent.
    looped: bool,
    /// Interrupt causes that wait.
    pub icr: u32,
    /// Interrupt causes that are enabled.
    pub ims: u32,
    /// The causes that an interrupt was raised for already.
    told: u32,
    packet: Vec<u8>,
    /// The receive queue of the last frame that came.
    pub queue: u16,
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
    tag: Option<[u8; 2]>,
    /// Whether that of the frame that arrives is right.
    verdict: Option<bool>,
    /// Frames on the wire, oldest first.
    pub sent: Vec<Vec<u8>>,
    /// What is wrong with it.
    pub faults: Faults,
    /// Accesses outside the driver's memory.
    pub strays: usize,
    /// How often it was reset.
    pub resets: usize,
    kind: PhantomData<K>,
}

impl<K: Kind> Controller<K> {
    /// Its address.
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 100;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 1000\nduplex full\n";

    /// A device that was just switched on.
    pub fn new() -> Self {
        Self::with_device(K::DEVICE)
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
        Self {
            device,
            messages: K::MESSAGES,
            registers: HashMap::new(),
            eeprom: eeprom(Self::MAC),
            late_eerd: K::LATE_EERD,
            link_up: true,
            negotiated: true,
            looped: false,
            icr: 0,
            ims: 0,
            told: 0,
            packet: Vec::new(),
            queue: 0,
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
            kind: PhantomData,
        }
    }

    /// Sets a register, without what a write by the driver does.
    pub fn set_register(&mut self, offset: usize, value: u32) {
        self.registers.insert(offset, value);
    }

    /// What a register holds.
    pub fn register(&self, offset: usize) -> u32 {
        self.registers.get(&offset).copied().unwrap_or(0)
    }

    /// 1000 Mbit/s, full duplex, unless it is told otherwise (13.4.1).
    fn status(&self) -> Status {
        let ctrl = self.register(reg::CTRL);
        let told = Ctrl::from_bits_retain(ctrl);
        let speed = if told.contains(Ctrl::FRCSPD) { ctrl >> 8 & 3 } else { 2 };
        let full_duplex = !told.contains(Ctrl::FRCDPLX) || told.contains(Ctrl::FD);
        Status::new().with_fd(full_duplex).with_lu(self.has_link()).with_speed(speed as u8)
    }

    fn has_link(&self) -> bool {
        self.link_up && self.negotiated
    }

    /// The least times between two interrupts that the driver has set.
    pub fn intervals(&self) -> Intervals {
        Intervals::both(K::interval(self))
    }

    /// Plugs the cable in, or pulls it.
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
        let works = self.has_link() && control.contains(Rctl::EN) && K::rings_are_enabled(self);
        if !works || !self.accepts(control, frame) {
            return;
        }
        self.verdict = verdict(frame);
        self.queue = K::queue(self, frame);
        let frame = &self.without_tag(frame);
        let fcs = if control.contains(Rctl::SECRC) { 0 } else { 4 };
        let longest = if control.contains(Rctl::LPE) { K::longest(self) } else { STANDARD };
        if frame.len() + 4 > longest {
            return self.count(statistics::ROC);
        }
        let bytes = [frame, &[0; 4][..fcs]].concat();
        let ring = K::Family::receive_ring(self.queue);
        let entries = self.register(ring.length()) as usize / 16;
        let (head, tail) = (self.register(ring.head()) as usize, self.register(ring.tail()) as usize);
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
        self.set_register(ring.head(), ((head + pieces) % entries) as u32);
        self.cause(bus, Interrupts::RXT0);
    }

    fn write_back(&mut self, bus: &mut Bus, entry: usize, piece: &[u8], last: bool) {
        let at = self.base(K::Family::receive_ring(self.queue)) + entry as u64 * 16;
        let mut address = [0; 8];
        let read = bus.read(at, &mut address);
        let wrote = bus.write(u64::from_le_bytes(address), piece);
        let length = self.faults.length.unwrap_or(piece.len() as u16);
        let last = last && !self.faults.endless_packet;
        let told = bus.write(at + 8, &self.with_verdict(K::filled(self, length, last)));
        self.strays += usize::from(!(read && wrote && told));
    }

    /// The frame, with its tag taken off if that is wanted (9.2).
    fn without_tag(&mut self, frame: &[u8]) -> Vec<u8> {
        self.tag = None;
        if self.handles_tags() && self.is_tagged(frame) {
            self.tags += 1;
            self.tag = frame.get(14..16).and_then(|tag| tag.try_into().ok());
            return [&frame[..12], &frame[16..]].concat();
        }
        frame.to_vec()
    }

    fn handles_tags(&self) -> bool {
        self.register(reg::CTRL) & Ctrl::VME.bits() != 0
    }

    fn is_tagged(&self, frame: &[u8]) -> bool {
        frame.len() >= 18 && frame[12..14] == (self.register(reg::VET) as u16).to_be_bytes()
    }

    /// 9.3: the upper 7 bits of the VLAN's number select the word.
    fn accepts_vlan(&self, frame: &[u8]) -> bool {
        let number = u16::from_be_bytes([frame[14], frame[15]]) & 0xfff;
        self.register(reg::VFTA + 4 * usize::from(number >> 5)) >> (number & 0x1f) & 1 != 0
    }

    /// What it writes into a descriptor, with what it says of the tag (VP) and of the checksum: IXSM, TCPCS, TCPE.
    fn with_verdict(&self, mut word: [u8; 8]) -> [u8; 8] {
        let [status, errors] = K::STATUS_AND_ERRORS;
        if let Some([high, low]) = self.tag {
            word[status] |= 8;
            word[6..].copy_from_slice(&[low, high]);
        }
        if let Some(is_right) = self.verdict {
            word[status] = word[status] & !4 | 0x20;
            word[errors] |= if is_right { 0 } else { 0x20 };
        }
        word
    }

    /// Writes `word` over the second word of entry `entry` of the receive ring or of the transmit ring.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let ring = if receive { K::Family::RECEIVE_RING } else { K::Family::TRANSMIT_RING };
        bus.write(self.base(ring) + (entry % 256) as u64 * 16 + 8, &word.to_le_bytes());
    }

    /// Raises `causes`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, causes: Interrupts) {
        self.icr |= causes.bits();
        K::caused(self, causes);
        self.drive_line(bus);
    }

    /// A line is up while there is a cause. A message is sent for each that comes.
    fn drive_line(&mut self, bus: &mut Bus) {
        let asserted = if self.faults.mute { 0 } else { K::asserted(self) };
        if asserted & !self.told != 0 || self.faults.stuck {
            bus.raise(0);
        } else if asserted == 0 {
            bus.lower();
        }
        self.told = asserted;
    }

    fn accepts(&self, control: Rctl, frame: &[u8]) -> bool {
        let Some(destination) = frame.get(..6) else { return false };
        if control.contains(Rctl::VFE) && self.is_tagged(frame) && !self.accepts_vlan(frame) {
            return false;
        }
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

    fn base(&self, ring: RingRegisters) -> u64 {
        u64::from(self.register(ring.bah())) << 32 | u64::from(self.register(ring.bal()))
    }

    fn count(&mut self, counter: usize) {
        *self.registers.entry(counter).or_default() += 1;
    }

    /// Sends what stands between head and tail of the transmit ring (3.3.3, 3.4).
    fn transmit(&mut self, bus: &mut Bus) {
        let ring = K::Family::TRANSMIT_RING;
        let entries = self.register(ring.length()) / 16;
        let works = self.register(reg::TCTL) & 2 != 0 && K::rings_are_enabled(self) && !self.faults.hangs;
        if !works || entries == 0 {
            return;
        }
        let mut head = self.register(ring.head());
        while head != self.register(ring.tail()) {
            let at = self.base(ring) + u64::from(head) * 16;
            self.send_descriptor(bus, at);
            head = (head + 1) % entries;
            self.set_register(ring.head(), head);
        }
        self.cause(bus, Interrupts::TXQE);
    }

    fn send_descriptor(&mut self, bus: &mut Bus, at: u64) {
        let [mut address, mut word] = [[0; 8]; 2];
        let mut ok = bus.read(at, &mut address) && bus.read(at + 8, &mut word);
        let words = [address, word].map(u64::from_le_bytes);
        if let Some(context) = K::context(words) {
            self.context = context;
            self.context_words = words;
            return;
        }
        let (length, command) = K::command(words[1]);
        let mut piece = vec![0; length.into()];
        ok &= bus.read(u64::from_le_bytes(address), &mut piece);
        self.packet.extend(piece);
        if command & 1 != 0 {
            assert_eq!(command & 2, 2, "the FCS is the device's to insert");
            let frame = std::mem::take(&mut self.packet);
            let begin = self.sent.len();
            self.send(frame, words[1]);
            if self.handles_tags() && command & 0x40 != 0 {
                self.tags += 1;
                let tag = K::tag(self.context_words, words[1]).to_be_bytes();
                let announced = (self.register(reg::VET) as u16).to_be_bytes();
                for frame in &mut self.sent[begin..] {
                    frame.splice(12..12, [announced, tag].concat());
                }
            }
            if self.looped {
                let frames = self.sent.split_off(begin);
                frames.iter().skip(usize::from(self.loses())).for_each(|frame| self.arrive(bus, frame));
            }
        }
        if command & 8 != 0 {
            ok &= bus.write(at + 12, &[word[4] | 1]);
            self.cause(bus, Interrupts::TXDW);
        }
        self.strays += usize::from(!ok);
    }

    /// Sends a frame, whose last descriptor has the second word `word`.
    fn send(&mut self, frame: Vec<u8>, word: u64) {
        let Context { start, offset, segments } = self.context;
        if word & Transmit::<K>::TSE != 0 {
            assert_eq!(word & TXSM, TXSM, "segments have checksums of their own");
            assert_eq!(word & IXSM != 0, frame[12..14] == [8, 0], "and so have their IPv4 headers");
            self.cut += 1;
            self.sent.extend(cut(&frame, segments));
        } else if word & TXSM != 0 {
            self.filled_in += 1;
            self.sent.push(filled_in(&frame, start, offset));
        } else {
            self.sent.push(frame);
        }
    }

    /// Whether the next frame that comes back is lost.
    fn loses(&mut self) -> bool {
        let lost = self.faults.deaf > 0;
        self.faults.deaf = self.faults.deaf.saturating_sub(1);
        lost
    }

    fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        self.registers.clear();
        self.packet.clear();
        (self.icr, self.ims) = (0, 0);
        self.negotiated = !K::RESETS_PHY;
        self.looped &= !K::RESETS_PHY;
        self.load_address();
        self.drive_line(bus);
    }

    /// 13.5.2: entry 0 is loaded from the EEPROM.
    fn load_address(&mut self) {
        if let [first, second, third, ..] = *self.eeprom
            && !self.faults.loads_no_address
        {
            self.set_register(reg::RAL0, u32::from(second) << 16 | u32::from(first));
            self.set_register(reg::RAH0, 1 << 31 | u32::from(third));
        }
    }

    /// 13.4.4: bit 0 starts; bits 8 to 15 are the address and bit 4 the end, or bits 2 to 15 and bit 1.
    fn read_eeprom(&self) -> u32 {
        let request = self.register(reg::EERD);
        let (index, done) =
            if self.late_eerd { (request >> 2 & 0x3fff, 2) } else { (request >> 8 & 0xff, 0x10) };
        match self.eeprom.get(index as usize) {
            Some(word) if request & 1 != 0 && !self.faults.no_eerd => {
                u32::from(*word) << 16 | request & 0xffff | done
            }
            _ => request,
        }
    }
}

/// The address, and what makes the sum of all words 0xbaba (5.6.35).
fn eeprom(address: [u8; 6]) -> Vec<u16> {
    let mut words: Vec<_> = address.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    words.resize(63, 0);
    words.push(words.iter().fold(0xbaba, |rest, word| rest.wrapping_sub(*word)));
    words
}

/// The PHY's control register, which is read so after a reset: 1000 Mbit/s, full duplex, and auto-negotiation, which has
/// not begun (IEEE 802.3, 22.2.4.1).
const PHY_CONTROL: u16 = 1 << 12 | 1 << 8 | 1 << 6;

/// What has it receive what is sent.
const PHY_LOOPBACK: u16 = 1 << 14;

/// What restarts auto-negotiation.
const PHY_NEGOTIATE: u16 = 1 << 12 | 1 << 9;

impl<K: Kind> Controller<K> {
    /// 13.4.10: the PHY's control register is read or written.
    fn ask_phy(&mut self, bus: &mut Bus, request: Mdic) {
        let answer = match (request.phyadd(), request.regadd(), request.op()) {
            (1, 0, 1) => {
                self.negotiated |= request.data() & PHY_NEGOTIATE == PHY_NEGOTIATE;
                self.looped = request.data() & PHY_LOOPBACK != 0;
                self.cause(bus, Interrupts::LSC);
                request
            }
            (1, 0, 2) => request.with_data(PHY_CONTROL),
            _ => request.with_error(true),
        };
        self.set_register(reg::MDIC, answer.with_ready(!self.faults.mute_phy).into());
    }
}

impl<K: Kind> Model for Controller<K> {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x8086, device: self.device, class: [2, 0, 0], revision: 3 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == 0 { reg::WINDOW } else { 0 }
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        [self.messages, &[InterruptKind::Intx]].concat()
    }

    fn read(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize) -> u32 {
        assert_eq!(size, 4, "registers are 32 bits wide");
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match offset {
            reg::STATUS => self.status().into(),
            reg::EERD => self.read_eeprom(),
            reg::IMS => self.ims,
            reg::ICR => {
                let causes = self.icr;
                self.icr = K::after_read(self);
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
            reg::MDIC => self.ask_phy(bus, Mdic::from(value)),
            // Ones clear (13.4.17).
            reg::ICR => {
                self.icr &= !value;
                self.drive_line(bus);
            }
            _ if offset == K::Family::TRANSMIT_RING.tail() => {
                self.set_register(offset, value);
                self.transmit(bus);
            }
            _ if K::write(self, offset, value) => self.drive_line(bus),
            _ => self.set_register(offset, value),
        }
    }
}
