//! A controller, from the other side of its registers (8254x SDM). What is a family's own, its [`Kind`] tells.

mod eeprom;
mod faults;
mod filters;
mod interrupts;
mod kind;
mod phy;
mod receive;
mod transmit;

use std::marker::PhantomData;

use hw::fake::{Bus, Model, POWER_MANAGEMENT};
use hw::{Identity, InterruptKind};
use intel::Family;
use intel::registers::{self as reg, Ctrl, Interrupts, Mdic, Rctl, Status};

pub use self::faults::Faults;
pub use self::kind::Kind;
use crate::intel::context::Context;
use crate::intel::register_file::RegisterFile;
use crate::interrupt::Interrupt;

/// The device and the wire.
pub struct Controller<K> {
    device: u16,
    /// What it can interrupt by, beside its line.
    pub messages: &'static [InterruptKind],
    /// What the registers hold.
    pub(super) registers: RegisterFile,
    /// Words.
    pub eeprom: Vec<u16>,
    /// EERD has the layout of the 82541 and later.
    pub late_eerd: bool,
    /// The cable is plugged in.
    link_up: bool,
    /// The PHY has negotiated, or needs not be told to.
    negotiated: bool,
    /// The PHY's control register.
    phy_control: u16,
    /// Interrupt causes that wait.
    pub icr: u32,
    /// Interrupt causes that are enabled.
    pub ims: u32,
    interrupt: Interrupt,
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
    kind: PhantomData<K>,
}

impl<K: Kind> Controller<K> {
    /// Its address.
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 100;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 1000\nduplex full\n";

    /// What can be written to `media`, and the `link` node that comes of it; and what cannot: that is always negotiated.
    pub const FORCED: (&str, &str) =
        ("autoneg off\nspeed 100\nfull-duplex off\n", "state up\nspeed 100\nduplex half\n");
    /// See there.
    pub const NEVER_FORCED: &str = "speed 1000";

    /// LEDCTL after a reset.
    const LEDS: u32 = 0x0706_8302;

    /// What its LEDs do while they show which device it is: all of them are on, and blink.
    pub const IDENTIFYING: u32 = 0x8e8e_8e8e;

    /// What its LEDs do.
    pub fn leds(&self) -> u32 {
        self.register(reg::LEDCTL)
    }

    /// A device that was just switched on.
    pub fn new() -> Self {
        Self::with_device(K::DEVICE)
    }

    /// One that can wake the machine.
    pub fn waking() -> Self {
        Self::new()
    }

    /// A device that was just switched on; it has no other interrupt than its line.
    pub fn with_line() -> Self {
        Self::with_interrupts(&[])
    }

    /// The same; it can interrupt by these messages and by its line.
    pub fn with_interrupts(messages: &'static [InterruptKind]) -> Self {
        Self { messages, ..Self::new() }
    }

    /// One with this PCI device id.
    pub fn with_device(device: u16) -> Self {
        let mut card = Self {
            device,
            messages: K::MESSAGES,
            registers: RegisterFile::default(),
            eeprom: crate::intel::eeprom::holding(Self::MAC),
            late_eerd: K::LATE_EERD,
            link_up: true,
            negotiated: true,
            phy_control: phy::CONTROL,
            icr: 0,
            ims: 0,
            interrupt: Interrupt::default(),
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
        };
        card.set_register(reg::LEDCTL, Self::LEDS);
        card
    }

    /// Sets a register, without what a write by the driver does.
    pub fn set_register(&mut self, offset: usize, value: u32) {
        self.registers.set(offset, value);
    }

    /// What a register holds.
    pub fn register(&self, offset: usize) -> u32 {
        self.registers.get(offset)
    }

    /// 1000 Mbit/s, full duplex, unless it is told otherwise (13.4.1).
    fn status(&self) -> Status {
        let ctrl = self.register(reg::CTRL);
        let told = Ctrl::from_bits_retain(ctrl);
        let speed = if told.contains(Ctrl::FRCSPD) { ctrl >> 8 & 3 } else { 2 };
        let full_duplex = !told.contains(Ctrl::FRCDPLX) || told.contains(Ctrl::FD);
        Status::new().with_fd(full_duplex).with_lu(self.has_link()).with_speed(speed as u8)
    }

    /// What it counts is cleared by reading it.
    fn is_counter(&self, offset: usize) -> bool {
        (0x4000..0x4100).contains(&offset) || (0..4).any(|queue| K::Family::dropped(queue) == Some(offset))
    }

    fn has_link(&self) -> bool {
        self.link_up && self.negotiated
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

    /// Writes `word` over the second word of entry `entry` of the receive ring or of the transmit ring.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let ring = if receive { K::Family::RECEIVE_RING } else { K::Family::TRANSMIT_RING };
        bus.write(self.registers.descriptor(ring, entry % 256) + 8, &word.to_le_bytes());
    }

    fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        self.registers.clear();
        self.packet.clear();
        (self.icr, self.ims) = (0, 0);
        self.negotiated = !K::RESETS_PHY;
        if K::RESETS_PHY {
            self.phy_control = phy::CONTROL;
        }
        self.load_address();
        self.set_register(reg::LEDCTL, Self::LEDS);
        self.drive_interrupt(bus);
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

    fn capabilities(&self) -> Vec<u8> {
        POWER_MANAGEMENT.to_vec()
    }

    fn power_up(&mut self, bus: &mut Bus) {
        self.reset(bus);
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
                self.drive_interrupt(bus);
                causes
            }
            _ if self.is_counter(offset) && !self.faults.keeps_counters => self.registers.take(offset),
            _ => self.register(offset),
        }
    }

    fn write(&mut self, bus: &mut Bus, _bar: usize, offset: usize, size: usize, value: u32) {
        assert_eq!(size, 4, "registers are 32 bits wide");
        match offset {
            reg::CTRL if value & 1 << 26 != 0 && !self.faults.endless_reset => self.reset(bus),
            reg::IMS => {
                self.ims |= value;
                self.drive_interrupt(bus);
            }
            reg::IMC => {
                self.ims &= !value;
                self.drive_interrupt(bus);
            }
            reg::MDIC => self.ask_phy(bus, Mdic::from(value)),
            // Ones clear (13.4.17).
            reg::ICR => {
                self.icr &= !value;
                self.drive_interrupt(bus);
            }
            _ if offset == K::Family::TRANSMIT_RING.tail() => {
                self.set_register(offset, value);
                self.transmit(bus);
            }
            _ if K::write(self, offset, value) => self.drive_interrupt(bus),
            _ => self.set_register(offset, value),
        }
    }
}
