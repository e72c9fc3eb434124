//! An RTL8139C, from the other side of its registers.

use hw::fake::Bus;
use realtek::registers::{self as common, Cr, Interrupts};
use rtl8139::registers::{self as reg, BUFE, Bmcr, Msr, ReceiveHeader, Tsd};

use super::chip::{Chip, Kind};

/// The device that the shared tests are about.
pub type Card = Chip<Rtl8139>;

/// An RTL8139C.
#[derive(Default)]
pub struct Rtl8139 {
    missed: u32,
    /// Where the next frame is written in the receive buffer, and up to where the driver has read.
    written: usize,
    read: usize,
}

/// Bytes of the receive buffer, and what must stay free of it.
const BUFFER: usize = 0x1_0000;
const GAP: usize = 16;

fn sends(card: &mut Card, bus: &mut Bus, place: usize, value: u32) {
    let mut status = Tsd::from(value);
    assert!(!status.own() && usize::from(status.size()) <= 1792, "what it can send");
    let works = Cr::from_bits_retain(card.bytes[common::CR]).contains(Cr::TE) && !card.faults.hangs;
    if works {
        let address = card.get(reg::TSAD0 + 4 * place, 4);
        assert_eq!(address % 4, 0, "where it can send from");
        let mut frame = vec![0; status.size().into()];
        card.strays += usize::from(!bus.read(address.into(), &mut frame));
        card.sent.push(frame);
        status = Tsd::from(u32::from(status.with_own(true)) | card.transmit_status as u32);
        if card.transmit_status == 0 {
            status.set_tok(true);
        }
    }
    card.set(reg::TSD0 + 4 * place, 4, status.into());
    if works {
        card.cause(bus, Interrupts::TOK);
    }
}

/// Writes `bytes` where the next ones go.
fn put(card: &mut Card, bus: &mut Bus, bytes: &[u8]) {
    let (first, rest) = bytes.split_at(bytes.len().min(BUFFER - card.own.written));
    for part in [first, rest] {
        let address = u64::from(card.get(reg::RBSTART, 4)) + card.own.written as u64;
        card.strays += usize::from(!part.is_empty() && !bus.write(address, part));
        card.own.written = (card.own.written + part.len()) % BUFFER;
    }
}

impl Kind for Rtl8139 {
    type Family = ::rtl8139::Rtl8139;

    const RING: usize = 64;
    const BURST: usize = 40;
    const LINK: &str = "state up\nspeed 100\nduplex full\n";
    const LENGTH_BITS: u32 = 13;
    const ALIGNMENT: u64 = 1;
    const LOOPBACK: u8 = 3;
    const CONFIG: [usize; 2] = [reg::CONFIG3, reg::CONFIG5];

    fn new() -> Card {
        let mut model = Chip::of(Self::default(), 0x8139, 0x7400_0000, &[]);
        model.set(reg::BMCR, 2, Bmcr::ANE.bits().into());
        model.set(reg::ANAR, 2, 0x01e1);
        model.set(reg::ANLPAR, 2, 0x01e1);
        model
    }

    fn bar(_card: &Card) -> usize {
        1
    }

    fn doorbell(_card: &Card) -> (usize, usize, u32) {
        (usize::MAX, 0, 0)
    }

    fn receives(card: &Card) -> bool {
        card.get(common::RCR, 4) >> 11 & 3 == 3
    }

    fn longest(_card: &Card) -> usize {
        4096
    }

    fn is_in_hash(card: &Card, crc: u32) -> bool {
        let index = (crc >> 26) as usize;
        card.bytes[common::MAR0 + index / 8] >> (index % 8) & 1 != 0
    }

    fn missed(card: &mut Card) {
        card.own.missed += 1;
    }

    fn take(card: &mut Card, bus: &mut Bus, frame: &[u8]) -> bool {
        let bytes = [frame, &[0; 4]].concat();
        let used = (card.own.written + BUFFER - card.own.read) % BUFFER;
        if used + (bytes.len() + 4).next_multiple_of(4) + GAP > BUFFER {
            Self::missed(card);
            card.cause(bus, Interrupts::RDU);
            return true;
        }
        let header = ReceiveHeader::new().with_rok(true).with_length(bytes.len() as u16);
        let header = card.faults.status.unwrap_or(header.into());
        put(card, bus, &header.to_le_bytes());
        put(card, bus, &bytes);
        card.own.written = card.own.written.next_multiple_of(4) % BUFFER;
        card.cause(bus, Interrupts::ROK);
        true
    }

    /// What stands before a frame, wherever that is; or what is said of one that was sent.
    fn scribble(card: &mut Card, bus: &mut Bus, receive: bool, entry: usize, word: u64) -> bool {
        if receive {
            let place = if entry.is_multiple_of(2) { card.own.read } else { entry * 64 };
            let address = u64::from(card.get(reg::RBSTART, 4)) + place as u64;
            bus.write(address, &(word as u32).to_le_bytes());
        } else {
            card.set(reg::TSD0 + 4 * (entry % 4), 4, word as u32);
        }
        true
    }

    fn reset(card: &mut Card) {
        card.own = Self { missed: card.own.missed, ..Self::default() };
        for place in 0..4 {
            card.set(reg::TSD0 + 4 * place, 4, Tsd::new().with_own(true).into());
        }
    }

    fn read(card: &Card, offset: usize, size: usize) -> Option<u32> {
        let mut status = Msr::empty();
        status.set(Msr::LINKB, !card.link_up);
        let empty = if card.own.read == card.own.written { BUFE } else { 0 };
        match (offset, size) {
            (common::CR, 1) => Some((card.bytes[common::CR] | empty).into()),
            (reg::MSR, 1) => Some(status.bits().into()),
            (reg::MPC, 4) => Some(card.own.missed),
            _ => None,
        }
    }

    fn write(card: &mut Card, bus: &mut Bus, offset: usize, size: usize, value: u32) -> bool {
        match (offset, size) {
            (reg::MPC, 4) => card.own.missed = 0,
            (reg::TSD0..reg::TSAD0, 4) => sends(card, bus, (offset - reg::TSD0) / 4, value),
            (reg::CAPR, 2) => card.own.read = (value as usize + 16) % BUFFER,
            // As QEMU does.
            (common::RCR, 4) => {
                (card.own.read, card.own.written) = (0, 0);
                card.set(offset, size, value);
            }
            (common::CPCR | common::RDSAR | common::TNPDS, _) if size != 4 || offset != reg::TSAD0 => {
                panic!("it has no descriptors");
            }
            _ => return false,
        }
        true
    }
}
