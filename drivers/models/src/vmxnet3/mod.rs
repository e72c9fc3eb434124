//! A vmxnet3, from the other side of its registers and of the shared memory.

mod commands;
mod faults;
mod filters;
mod interrupts;
mod receive;
mod ring;
mod spread;
mod transmit;

use hw::fake::{Bus, Model, POWER_MANAGEMENT};
use hw::{Identity, InterruptKind};
use vmxnet3::registers::{Events, REVISION_1, REVISION_2, pt, vd};
use vmxnet3::shared::{self, DriverShared, RssConfiguration};
use zerocopy::FromZeros;

pub use self::faults::Faults;
use self::ring::Ring;

/// The device that the shared tests are about.
pub type Card = Vmxnet3;

/// A receive queue: heads, bodies and completions.
#[derive(Clone, Copy, Default)]
struct Queue {
    rings: [Ring; 2],
    done: Ring,
    vector: u16,
}

/// The device and the wire.
pub struct Vmxnet3 {
    kinds: Vec<InterruptKind>,
    address: [u8; 6],
    /// Revisions that it knows, of itself and of UPT.
    pub revisions: [u32; 2],
    /// The revision of itself that the driver has chosen.
    spoken: u32,
    /// The shared memory, as it was read last.
    pub shared: DriverShared,
    shared_at: u64,
    link_up: bool,
    active: bool,
    /// Of each vector.
    masks: [bool; shared::QUEUES],
    pending: [bool; shared::QUEUES],
    answer: u32,
    groups: Vec<u8>,
    transmit: Ring,
    transmit_done: Ring,
    receive: [Queue; shared::QUEUES],
    rss: RssConfiguration,
    packet: Vec<u8>,
    /// pktsTxError, pktsTxDiscard, pktsRxOutOfBuf and pktsRxError.
    pub counters: [u64; 4],
    /// Of the frame that is being sent, what its first descriptor says.
    first: u64,
    /// How many checksums it has filled in.
    pub filled_in: usize,
    /// Of how many frames it has made segments.
    pub cut: usize,
    /// How many tags it has inserted and taken off.
    pub tags: usize,
    /// The tag that was taken off the frame that arrives.
    tag: Option<u16>,
    /// Of the frame that arrives, if it is joined: how many segments it was, their size, and that it is IPv6's.
    joined: Option<(usize, usize, bool)>,
    /// It does not say the size of segments that it has joined.
    pub hides_size: bool,
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

impl Vmxnet3 {
    /// Its address.
    pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    pub const BURST: usize = 100;

    /// Receive queues.
    pub const QUEUES: u8 = shared::QUEUES as u8;

    /// The `link` node with the cable plugged in.
    pub const LINK: &str = "state up\nspeed 10000\nduplex full\n";

    /// A device that was just switched on.
    pub fn new() -> Self {
        Self::with_interrupts(&[InterruptKind::MsiX { vectors: 25 }])
    }

    /// The same; it has no other interrupt than its line.
    pub fn with_line() -> Self {
        Self::with_interrupts(&[InterruptKind::Intx])
    }

    fn with_interrupts(kinds: &[InterruptKind]) -> Self {
        Self {
            kinds: kinds.to_vec(),
            address: Self::MAC,
            revisions: [REVISION_1 | REVISION_2, REVISION_1],
            spoken: 0,
            shared: DriverShared::new_zeroed(),
            shared_at: 0,
            link_up: true,
            active: false,
            masks: [true; shared::QUEUES],
            pending: [false; shared::QUEUES],
            answer: 0,
            groups: Vec::new(),
            transmit: Ring::default(),
            transmit_done: Ring::default(),
            receive: Default::default(),
            rss: RssConfiguration::new_zeroed(),
            packet: Vec::new(),
            counters: [0; 4],
            sent: Vec::new(),
            first: 0,
            filled_in: 0,
            cut: 0,
            tags: 0,
            tag: None,
            joined: None,
            hides_size: false,
            verdict: None,
            faults: Faults::default(),
            strays: 0,
            resets: 0,
        }
    }

    /// Gives it another address.
    pub fn set_address(&mut self, address: [u8; 6]) {
        self.address = address;
    }

    /// Plugs the cable in, or pulls it.
    pub fn set_link(&mut self, bus: &mut Bus, up: bool) {
        self.link_up = up;
        self.cause(bus, Events::LINK);
    }

    /// The device is quiet: it neither moves frames nor interrupts.
    pub fn is_quiet(&self) -> bool {
        !self.active && self.masks == [true; shared::QUEUES]
    }

    /// Writes `word` over what a completion says, of receptions or of transmissions.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let queue = entry % shared::QUEUES;
        let ring = if receive { self.receive[queue].done } else { self.transmit_done };
        let entry = entry as u64 % ring.entries.max(1);
        bus.write(ring.base + entry * 16 + 8 * (word & 1), &word.to_le_bytes());
    }

    fn read_descriptor(&mut self, bus: &mut Bus, at: u64) -> (u64, u64) {
        let mut words = [[0; 8]; 2];
        for (index, word) in words.iter_mut().enumerate() {
            let read = bus.read(at + 8 * index as u64, word);
            self.strays += usize::from(!read);
        }
        let [address, word] = words.map(u64::from_le_bytes);
        (address, word)
    }
}

impl Model for Vmxnet3 {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x15ad, device: 0x07b0, class: [2, 0, 0], revision: 1 }
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        self.kinds.clone()
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar < 2 { 0x1000 } else { 0 }
    }

    fn capabilities(&self) -> Vec<u8> {
        POWER_MANAGEMENT.to_vec()
    }

    fn power_up(&mut self, bus: &mut Bus) {
        self.reset(bus);
    }

    fn read(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize) -> u32 {
        assert_eq!((bar, size), (1, 4), "only BAR 1 is read, by 32 bits");
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match offset {
            vd::VRRS => self.revisions[0],
            vd::UVRS => self.revisions[1],
            vd::CMD => self.answer,
            vd::ICR => {
                let pending = std::mem::take(&mut self.pending[0]);
                self.drive(bus);
                pending.into()
            }
            _ => 0,
        }
    }

    fn write(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize, value: u32) {
        assert_eq!(size, 4, "registers are 32 bits wide");
        match (bar, offset) {
            (0, offset) if offset < 8 * shared::QUEUES => {
                self.masks[offset / 8] = value & 1 != 0;
                self.drive(bus);
            }
            (0, pt::TXPROD) => self.send(bus),
            (1, vd::VRRS) => self.spoken = value,
            (1, vd::DSAL) => self.shared_at = self.shared_at & !0xffff_ffff | u64::from(value),
            (1, vd::DSAH) => self.shared_at = self.shared_at & 0xffff_ffff | u64::from(value) << 32,
            (1, vd::CMD) => self.command(bus, value),
            (1, vd::MACL) => self.address[..4].copy_from_slice(&value.to_le_bytes()),
            (1, vd::MACH) => self.address[4..].copy_from_slice(&value.to_le_bytes()[..2]),
            (1, vd::ECR) => {
                let mut word = [0; 4];
                let at = self.shared_at + shared::ECR as u64;
                if bus.read(at, &mut word) {
                    bus.write(at, &(u32::from_le_bytes(word) & !value).to_le_bytes());
                }
            }
            _ => {}
        }
    }
}
