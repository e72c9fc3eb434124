//! An 82599, from the other side of its registers (82599's data sheet).

mod faults;
mod filters;
mod interrupts;
mod loopback;
mod receive;
mod spread;
mod transmit;
mod wake;

use hw::fake::{Bus, Model, POWER_MANAGEMENT};
use hw::{Identity, InterruptKind};
use intel::advanced::RingControl;
use intel::registers::{RingRegisters, WUC, WUFC};
use ixgbe::chips::Generation;
use ixgbe::registers::{
    self as reg, Autoc, Ctrl, Dmatxctl, Eec, Interrupts, Links, RECEIVE, Rdrxctl, Rxctrl, Status, TRANSMIT,
    qprdc,
};

pub use self::faults::Faults;
use crate::intel::context::Context;
use crate::intel::eeprom;
use crate::intel::register_file::RegisterFile;
use crate::interrupt::Interrupt;

/// The device that the shared tests are about.
pub type Card = Ixgbe;

/// Intel's PCI vendor id.
const INTEL: u16 = 0x8086;

/// Length errors, and frames missed for want of room.
const ROC: usize = 0x40ac;
const RXMPC: usize = 0x3fa0;

/// What it counts is cleared by reading it.
fn is_counter(offset: usize) -> bool {
    offset == RXMPC || (0x4000..0x4100).contains(&offset) || (0..16).any(|queue| offset == qprdc(queue))
}

/// The device and the wire.
pub struct Ixgbe {
    device: u16,
    /// `None` for what is no device of the family.
    generation: Option<Generation>,
    messages: &'static [InterruptKind],
    registers: RegisterFile,
    /// Words, the address first.
    pub eeprom: Vec<u16>,
    link_up: bool,
    /// Its link's partner was looked for; a device with a PHY does so by itself.
    pub negotiated: bool,
    /// It has a place for a module, not a backplane.
    pub has_module: bool,
    /// How fast its link is, and a speed between those.
    pub speed: (u8, bool),
    interrupt: Interrupt,
    packet: Vec<u8>,
    /// The receive queue of the last frame that came.
    queue: u16,
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

    /// Receive queues that the driver uses.
    pub const QUEUES: u64 = 4;

    /// What can be written to `media`, and the `link` node that comes of it; and what cannot, as there is no such mode.
    pub const FORCED: (&str, &str) =
        ("autoneg off\nspeed 1000\nfull-duplex on\n", "state up\nspeed 1000\nduplex full\n");
    /// See there.
    pub const NEVER_FORCED: &str = "speed 100";

    /// LEDCTL after a reset.
    const LEDS: u32 = 0x0020_0100;

    /// AUTOC after a reset, with a place for a module: 10 Gbit/s over one lane (LMS of 3).
    const MODULE: u32 = 3 << 13;

    /// The same, with a backplane: negotiation (LMS of 4).
    const BACKPLANE: u32 = 4 << 13;

    /// What its LEDs do while they show which device it is: all of them are on, and blink.
    pub const IDENTIFYING: u32 = 0x8eae_8e8e;

    /// What its LEDs do.
    pub fn leds(&self) -> u32 {
        self.register(reg::LEDCTL)
    }

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 100;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 10000\nduplex full\n";

    /// A device that was just switched on.
    pub fn new() -> Self {
        Self::with_device(0x10fb)
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
        let generation = ixgbe::chips::find(INTEL, device).map(|(generation, _)| generation);
        let mut model = Self {
            device,
            generation,
            messages: &[InterruptKind::MsiX { vectors: 64 }, InterruptKind::Msi],
            registers: RegisterFile::default(),
            eeprom: wake::wired(eeprom::holding(Self::MAC)),
            link_up: true,
            negotiated: false,
            has_module: true,
            speed: (3, false),
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
        };
        model.load();
        model
    }

    fn set_register(&mut self, offset: usize, value: u32) {
        self.registers.set(offset, value);
    }

    /// What a register holds.
    pub fn register(&self, offset: usize) -> u32 {
        self.registers.get(offset)
    }

    /// Counts one more in the register of a counter.
    pub fn count(&mut self, counter: usize) {
        self.registers.count(counter);
    }

    /// The same, for a backplane.
    pub fn with_backplane() -> Self {
        let mut model = Self { has_module: false, ..Self::new() };
        model.load();
        model
    }

    /// What is there after a reset: what the EEPROM says, and what has been done.
    fn load(&mut self) {
        if let [first, second, third, ..] = *self.eeprom {
            self.set_register(reg::RAL0, u32::from(second) << 16 | u32::from(first));
            self.set_register(reg::RAH0, 1 << 31 | u32::from(third));
        }
        self.set_register(reg::LEDCTL, Self::LEDS);
        self.set_register(reg::AUTOC, if self.has_module { Self::MODULE } else { Self::BACKPLANE });
        self.negotiated = self.generation.is_some_and(|generation| generation != Generation::Serial);
        self.set_register(reg::EEC, if self.faults.endless_eeprom { 0 } else { Eec::AUTO_RD.bits() });
        self.set_register(reg::RDRXCTL, Rdrxctl::DMAIDONE.bits());
    }

    /// How fast the link is: what an 82599 is told, for which AUTOC has 1 Gbit/s without negotiation (LMS of 0).
    fn negotiated_or_told(&self) -> (u8, bool) {
        let is_told = self.generation == Some(Generation::Serial) && self.register(reg::AUTOC) >> 13 & 7 == 0;
        if is_told { (2, false) } else { self.speed }
    }

    fn has_link(&self) -> bool {
        self.link_up && self.negotiated || self.is_looped()
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

    /// Writes `word` over the second word of entry `entry` of the receive ring or of the transmit ring.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let ring = if receive { RECEIVE } else { TRANSMIT };
        bus.write(self.registers.descriptor(ring, entry % 256) + 8, &word.to_le_bytes());
    }

    fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        // What has to do with waking is kept.
        let kept = [WUC, WUFC].map(|register| (register, self.register(register)));
        self.registers.clear();
        kept.into_iter().for_each(|(register, value)| self.set_register(register, value));
        self.packet.clear();
        self.load();
        self.drive_interrupt(bus);
    }
}

impl Model for Ixgbe {
    fn identity(&self) -> Identity {
        Identity { vendor: INTEL, device: self.device, class: [2, 0, 0], revision: 1 }
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
                let (speed, between) = self.negotiated_or_told();
                Links::new().with_up(self.has_link()).with_speed(speed).with_between(between).into()
            }
            reg::EERD if self.generation == Some(Generation::X550) => self.register(offset),
            reg::EERD => eeprom::answer(&self.eeprom, self.register(offset), true),
            _ if is_counter(offset) => self.registers.take(offset),
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
            reg::AUTOC => {
                self.negotiated |= value & Autoc::RESTART_AN.bits() != 0;
                self.set_register(offset, value & !Autoc::RESTART_AN.bits());
            }
            reg::FCTRL => {
                assert!(!self.is_receiving(), "filters are changed while nothing is received");
                self.set_register(offset, value);
            }
            _ => self.set_register(offset, value),
        }
        match offset {
            reg::EIMS | reg::EIMC | reg::EICR => self.drive_interrupt(bus),
            _ if offset == TRANSMIT.tail() => self.transmit(bus),
            _ => {}
        }
    }
}
