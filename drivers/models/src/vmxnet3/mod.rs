//! A vmxnet3, from the other side of its registers and of the shared memory.

use std::collections::VecDeque;

use hw::fake::{Bus, Model};
use hw::{Identity, InterruptKind};
use nic::frame::is_tagged;
use vmxnet3::registers::{Command, Events, RxMode, pt, vd};
use vmxnet3::shared::{self, DriverShared, RssConfiguration, RxQueue, TxQueue};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::spread;
use crate::packets::{filled_in, verdict};
use crate::wire::{Layout, cut};

/// Commands after which the shared memory is read again.
const UPDATES: [u32; 5] = [
    Command::UpdateRxMode as u32,
    Command::UpdateMacFilters as u32,
    Command::UpdateVlanFilters as u32,
    Command::UpdateFeature as u32,
    Command::UpdateRssIdt as u32,
];

/// The device that the shared tests are about.
pub type Card = Vmxnet3;

/// What is wrong with the device.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Never interrupts.
    pub mute: bool,
    /// Its line is always up, whatever its causes are.
    pub stuck: bool,
    /// Takes frames and never sends them.
    pub hangs: bool,
    /// Does not take its configuration.
    pub refuses: bool,
    /// Adds this to the indices that it reports.
    pub shift: u64,
    /// Writes these lengths, in place of the right one.
    pub length: Option<u16>,
    /// Says that a frame is damaged.
    pub damaged: bool,
    /// Gives these for the next registers that are read.
    pub lies: VecDeque<u32>,
}

/// A ring of descriptors, from the device's end.
#[derive(Clone, Copy, Default)]
struct Ring {
    base: u64,
    entries: u64,
    next: u64,
    /// The bit of the round before, inverted.
    second_round: bool,
}

impl Ring {
    fn new(base: u64, entries: u32) -> Self {
        Self { base, entries: entries.into(), next: 0, second_round: false }
    }

    fn at(&self) -> u64 {
        self.base + self.next * 16
    }

    fn generation(&self) -> u64 {
        u64::from(!self.second_round)
    }

    fn advance(&mut self) {
        self.next += 1;
        if self.next == self.entries {
            self.next = 0;
            self.second_round = !self.second_round;
        }
    }
}

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
            revisions: [1; 2],
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

    /// A frame without FCS arrives from the wire.
    pub fn arrive(&mut self, bus: &mut Bus, frame: &[u8]) {
        if !self.link_up || !self.active || !self.accepts(frame) {
            return;
        }
        self.verdict = verdict(frame);
        let spreads = self.shared.upt_features.get() & shared::F_RSS != 0;
        let number = if spreads { spread::queue(&self.rss, frame) } else { 0 };
        let frame = &self.without_tag(frame);
        let before = self.receive[number];
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            let Some(count) = self.fill_buffer(bus, number, rest, rest.len() == frame.len()) else {
                // No completion of it has been shown yet.
                self.receive[number] = before;
                self.counters[2] += 1;
                return;
            };
            rest = &rest[count..];
        }
        self.interrupt(bus, self.receive[number].vector);
    }

    /// The frame, with its tag taken off if that is wanted.
    fn without_tag(&mut self, frame: &[u8]) -> Vec<u8> {
        self.tag = None;
        if self.shared.upt_features.get() & shared::F_RXVLAN != 0 && is_tagged(frame) {
            self.tags += 1;
            self.tag = Some(u16::from_be_bytes([frame[14], frame[15]]));
            return [&frame[..12], &frame[16..]].concat();
        }
        frame.to_vec()
    }

    /// Frames without a tag are of VLAN 0.
    fn accepts_vlan(&self, frame: &[u8]) -> bool {
        let tag = if is_tagged(frame) { [frame[14] & 0xf, frame[15]] } else { [0; 2] };
        let number = u16::from_be_bytes(tag);
        self.shared.filter.vf_table[usize::from(number / 32)].get() >> (number % 32) & 1 != 0
    }

    /// Puts as much of `rest` as fits into the next buffer of a queue, and says so; how much that was.
    fn fill_buffer(&mut self, bus: &mut Bus, number: usize, rest: &[u8], first: bool) -> Option<usize> {
        let which = usize::from(!first);
        let Queue { rings, done: completions, .. } = self.receive[number];
        let ring = rings[which];
        let (address, word) = self.read_descriptor(bus, ring.at());
        if ring.entries == 0 || word >> 31 & 1 != ring.generation() {
            return None;
        }
        assert_eq!(word >> 14 & 1, which as u64, "ring 0 is for heads, ring 1 for bodies");
        let count = rest.len().min((word & 0x3fff) as usize);
        let wrote = bus.write(address, &rest[..count]);
        let index = (ring.next + self.faults.shift) & 0xfff;
        let eop = u64::from(count == rest.len());
        let (unknown, checksum) = checksum(self.verdict);
        let place = index
            | eop << 14
            | u64::from(first) << 15
            | ((number + which * shared::QUEUES) as u64) << 16
            | unknown;
        let length = u64::from(self.faults.length.unwrap_or(count as u16));
        let done = length | checksum | u64::from(self.faults.damaged) << 14 | completions.generation() << 63;
        let done = done | self.tag.map_or(0, |tag| 1 << 15 | u64::from(tag) << 16);
        let told = bus.write(completions.at(), &place.to_le_bytes())
            && bus.write(completions.at() + 8, &done.to_le_bytes());
        self.strays += usize::from(!(wrote && told));
        self.receive[number].rings[which].advance();
        self.receive[number].done.advance();
        Some(count)
    }

    /// Raises `events`, as it pleases.
    pub fn cause(&mut self, bus: &mut Bus, events: Events) {
        let mut word = [0; 4];
        if self.active && bus.read(self.shared_at + shared::ECR as u64, &mut word) {
            let all = u32::from_le_bytes(word) | events.bits();
            bus.write(self.shared_at + shared::ECR as u64, &all.to_le_bytes());
        }
        self.interrupt(bus, 0);
    }

    /// Writes `word` over what a completion says, of receptions or of transmissions.
    pub fn scribble(&mut self, bus: &mut Bus, receive: bool, entry: usize, word: u64) {
        let queue = entry % shared::QUEUES;
        let ring = if receive { self.receive[queue].done } else { self.transmit_done };
        let entry = entry as u64 % ring.entries.max(1);
        bus.write(ring.base + entry * 16 + 8 * (word & 1), &word.to_le_bytes());
    }

    fn interrupt(&mut self, bus: &mut Bus, vector: u16) {
        self.pending[usize::from(vector)] = true;
        self.drive(bus);
    }

    /// A message is sent once; the line stays up until its cause was read.
    fn drive(&mut self, bus: &mut Bus) {
        if self.faults.stuck {
            return bus.raise(0);
        }
        let mut lower = true;
        for vector in 0..shared::QUEUES {
            if self.pending[vector] && !self.masks[vector] && !self.faults.mute {
                lower = false;
                bus.raise(vector as u16);
                self.pending[vector] = self.kinds == [InterruptKind::Intx];
            }
        }
        if lower {
            bus.lower();
        }
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let mode = RxMode::from_bits_retain(self.shared.filter.rx_mode.get());
        let Some(destination) = frame.get(..6) else { return false };
        match destination {
            _ if mode.contains(RxMode::PROMISC) => true,
            _ if !self.accepts_vlan(frame) => false,
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => mode.contains(RxMode::BCAST),
            [first, ..] if first & 1 != 0 => {
                let listed = self.groups.chunks(6).any(|group| group == destination);
                mode.contains(RxMode::ALL_MULTI) || mode.contains(RxMode::MCAST) && listed
            }
            _ => mode.contains(RxMode::UCAST) && destination == self.address,
        }
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

    /// Sends what it owns of the transmit ring.
    fn send(&mut self, bus: &mut Bus) {
        if !self.active || self.faults.hangs {
            return;
        }
        loop {
            let (address, word) = self.read_descriptor(bus, self.transmit.at());
            if word >> 14 & 1 != self.transmit.generation() {
                break;
            }
            let mut piece = vec![0; (word & 0x3fff) as usize];
            let read = bus.read(address, &mut piece);
            self.strays += usize::from(!read);
            if self.packet.is_empty() {
                self.first = word;
            }
            self.packet.extend(piece);
            let (eop, report) = (word >> 44 & 1 == 1, word >> 45 & 1 == 1);
            assert_eq!(eop, report, "the last buffer of a frame is reported");
            if eop {
                let frames = self.finished();
                self.sent.extend(frames);
                self.report_sent(bus);
            }
            self.transmit.advance();
        }
        self.interrupt(bus, 0);
    }

    /// A frame, or its segments, as they leave, by what the first descriptor says.
    fn finished(&mut self) -> Vec<Vec<u8>> {
        let frame = std::mem::take(&mut self.packet);
        let (at, start, mode) = (self.first >> 18 & 0x3fff, self.first >> 32 & 0x3ff, self.first >> 42 & 3);
        let mut frames = match mode {
            0 => vec![frame],
            2 => {
                self.filled_in += 1;
                vec![filled_in(&frame, start as usize, (at - start) as usize)]
            }
            3 => {
                self.cut += 1;
                cut(&frame, Layout::of(&frame, start as usize, at as usize))
            }
            other => panic!("no mode {other} was asked for"),
        };
        if self.first >> 47 & 1 != 0 {
            self.tags += 1;
            frames.iter_mut().for_each(|frame| nic::vlan::insert(frame, (self.first >> 48) as u16));
        }
        frames
    }

    fn report_sent(&mut self, bus: &mut Bus) {
        let index = (self.transmit.next + self.faults.shift) & 0xfff;
        let done = self.transmit_done.generation() << 63;
        let told = bus.write(self.transmit_done.at(), &index.to_le_bytes())
            && bus.write(self.transmit_done.at() + 8, &done.to_le_bytes());
        self.strays += usize::from(!told);
        self.transmit_done.advance();
    }

    fn read_shared(&mut self, bus: &mut Bus) {
        let read = bus.read(self.shared_at, self.shared.as_mut_bytes());
        let filter = &self.shared.filter;
        self.groups = vec![0; filter.mf_table_len.get().into()];
        let listed = self.groups.is_empty() || bus.read(filter.mf_table.get(), &mut self.groups);
        self.strays += usize::from(!(read && listed));
        if self.shared.upt_features.get() & shared::F_RSS != 0 {
            let [version, length] = [self.shared.rss.version.get(), self.shared.rss.length.get()];
            assert_eq!((version, length as usize), (1, size_of::<RssConfiguration>()));
            let read = bus.read(self.shared.rss.place.get(), self.rss.as_mut_bytes());
            self.strays += usize::from(!read);
        }
    }

    fn activate(&mut self, bus: &mut Bus) -> u32 {
        self.read_shared(bus);
        if self.shared.magic.get() != shared::MAGIC || self.faults.refuses {
            return 1;
        }
        assert_eq!([self.shared.num_tx_queues, self.shared.num_rx_queues], [1, Self::QUEUES]);
        let mut queues = [0; shared::receive_queue(shared::QUEUES)];
        let read = bus.read(self.shared.queue_desc.get(), &mut queues);
        self.strays += usize::from(!read);
        let (transmit, _) = TxQueue::ref_from_prefix(&queues).expect("the description is whole");
        self.transmit = Ring::new(transmit.tx_ring.get(), transmit.tx_ring_size.get());
        self.transmit_done = Ring::new(transmit.comp_ring.get(), transmit.comp_ring_size.get());
        for (number, queue) in self.receive.iter_mut().enumerate() {
            let description = &queues[shared::receive_queue(number)..];
            let (receive, _) = RxQueue::ref_from_prefix(description).expect("the description is whole");
            for (which, ring) in queue.rings.iter_mut().enumerate() {
                *ring = Ring::new(receive.rx_ring[which].get(), receive.rx_ring_size[which].get());
                assert_eq!((ring.base % 512, ring.entries % 32), (0, 0), "rings are aligned");
            }
            queue.done = Ring::new(receive.comp_ring.get(), receive.comp_ring_size.get());
            queue.vector = receive.intr_idx.into();
            assert!(receive.intr_idx < self.shared.interrupts.num_intrs);
        }
        self.counters = [0; 4];
        self.active = true;
        0
    }

    fn reset(&mut self, bus: &mut Bus) {
        self.resets += 1;
        self.active = false;
        (self.masks, self.pending) = ([true; shared::QUEUES], [false; shared::QUEUES]);
        self.packet.clear();
        self.drive(bus);
    }

    fn write_statistics(&mut self, bus: &mut Bus) {
        let queues = self.shared.queue_desc.get();
        for (index, counter) in self.counters.into_iter().enumerate() {
            let queue = (index / 2 * shared::QUEUE) as u64;
            let at = queues + queue + (shared::STATISTICS + 64 + index % 2 * 8) as u64;
            if self.active {
                bus.write(at, &counter.to_le_bytes());
            }
        }
    }

    fn command(&mut self, bus: &mut Bus, command: u32) {
        let [a, b, c, d, e, f] = Self::MAC.map(u32::from);
        self.answer = match command {
            _ if command == Command::ActivateDev as u32 => self.activate(bus),
            _ if command == Command::QuiesceDev as u32 => {
                self.active = false;
                0
            }
            _ if command == Command::ResetDev as u32 => {
                self.reset(bus);
                0
            }
            _ if UPDATES.contains(&command) => {
                self.read_shared(bus);
                0
            }
            _ if command == Command::GetStats as u32 => {
                self.write_statistics(bus);
                0
            }
            _ if command == Command::GetLink as u32 => u32::from(self.link_up) | 10_000 << 16,
            _ if command == Command::GetPermMacLo as u32 && self.address != [0; 6] => {
                a | b << 8 | c << 16 | d << 24
            }
            _ if command == Command::GetPermMacHi as u32 && self.address != [0; 6] => e | f << 8,
            _ => 0,
        };
    }
}

/// What the words of a completion say of a checksum that is right or wrong (VMXNET3_RCD: cnc; tuc, tcp).
fn checksum(verdict: Option<bool>) -> (u64, u64) {
    match verdict {
        None => (1 << 30, 0),
        Some(is_right) => (0, 1 << 50 | u64::from(is_right) << 48),
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
