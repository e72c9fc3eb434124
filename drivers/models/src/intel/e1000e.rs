//! An 82574, from the other side of its registers.

use e1000e::registers::{IVAR, Ivar, RFCTL, Rfctl, eitr};
use hw::InterruptKind;
use intel::registers::{self as reg, Interrupts};

use super::context::Context;
use super::controller::{Controller, Kind};
use super::{extended, rss};

/// The device that the shared tests are about.
pub type Card = Controller<E1000e>;

/// An 82574L.
pub struct E1000e;

impl Card {
    /// Its receive queues.
    pub const QUEUES: u64 = 2;
}

impl Kind for E1000e {
    type Family = e1000e::E1000e;

    const DEVICE: u16 = 0x10d3;
    const LATE_EERD: bool = true;
    const MESSAGES: &'static [InterruptKind] = &[InterruptKind::MsiX { vectors: 5 }, InterruptKind::Msi];

    /// Status (DD, EOP, IXSM), errors, length, VLAN tag: 7.1.5.
    fn filled(card: &Card, length: u16, last: bool) -> [u8; 8] {
        assert_eq!(card.register(RFCTL), Rfctl::EXSTEN.bits(), "the driver wants extended descriptors");
        let [low, high] = length.to_le_bytes();
        [if last { 1 | 2 | 4 } else { 1 }, 0, 0, 0, low, high, 0, 0]
    }

    const STATUS_AND_ERRORS: [usize; 2] = [0, 3];

    /// 7.2.11.
    fn context(words: [u64; 2]) -> Option<Context> {
        extended::context(words)
    }

    fn tag(_context: [u64; 2], word: u64) -> u16 {
        (word >> 48) as u16
    }

    /// 7.2.10.
    fn command(word: u64) -> (u16, u8) {
        let (kind, command) = (word >> 20 & 0xf, (word >> 24) as u8);
        assert_eq!((kind, command & 0x20), (1, 0x20), "an extended descriptor with data");
        (u16::try_from(word & 0xf_ffff).expect("a buffer is no longer"), command)
    }

    fn queue(card: &Card, frame: &[u8]) -> u16 {
        rss::entry(&card.registers, frame).map_or(0, |entry| u16::from(entry >> 7))
    }

    /// With vectors, a cause interrupts if it has one (7.4.1).
    fn asserted(card: &Card) -> u32 {
        let causes = Interrupts::from_bits_retain(card.icr & card.ims);
        if !has_vectors(card) {
            return causes.bits();
        }
        let ivar = Ivar::from(card.register(IVAR));
        let vectors = [
            (Interrupts::RXQ0, ivar.rxq0_valid()),
            (Interrupts::RXQ1, ivar.rxq1_valid()),
            (Interrupts::TXQ0, ivar.txq0_valid()),
            (Interrupts::OTHER, ivar.other_valid()),
        ];
        let of_vectors = vectors.into_iter().filter(|(_, valid)| *valid).map(|(cause, _)| cause);
        (causes & of_vectors.collect()).bits()
    }

    /// 10.2.4.1: with vectors, there is a cause for each queue and one for all else.
    fn caused(card: &mut Card, causes: Interrupts) {
        if has_vectors(card) {
            let causes_of = [
                (Interrupts::RXT0, if card.queue == 0 { Interrupts::RXQ0 } else { Interrupts::RXQ1 }),
                (Interrupts::TXDW, Interrupts::TXQ0),
                (Interrupts::LSC | Interrupts::RXO, Interrupts::OTHER),
            ];
            let raised = causes_of.into_iter().filter(|(by, _)| causes.intersects(*by)).map(|(_, it)| it);
            card.icr |= raised.collect::<Interrupts>().bits();
        }
    }

    fn interval(card: &Card) -> u32 {
        let register = if has_vectors(card) { eitr(0) } else { reg::ITR };
        (card.register(register) * 256).div_ceil(1000)
    }

    /// 10.2.4.1: reading clears nothing where an interrupt is not asserted, as it is not with vectors.
    fn after_read(card: &Card) -> u32 {
        if has_vectors(card) { card.icr } else { 0 }
    }
}

fn has_vectors(card: &Card) -> bool {
    matches!(card.messages, [InterruptKind::MsiX { .. }, ..])
}
