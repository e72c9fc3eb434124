//! An 82576, from the other side of its registers.

use hw::InterruptKind;
use igb::registers::{
    EICR, EIMC, EIMS, Eitr, GPIE, Gpie, IVAR_MISC, Ivar, IvarMisc, RLPML, TRANSMIT, eitr, ivar, receive_ring,
    rqdpc, srrctl,
};
use intel::advanced::{ADVANCED_ONE_BUFFER, RingControl, Srrctl};
use intel::registers::{Interrupts, statistics};

use super::context::Context;
use super::controller::{Controller, Kind};
use super::{advanced, rss};

/// The device that the shared tests are about.
pub type Card = Controller<Igb>;

/// An 82576.
pub struct Igb;

impl Card {
    /// Receive queues that the driver uses.
    pub const QUEUES: u64 = 4;
}

impl Kind for Igb {
    type Family = igb::Igb;

    const DEVICE: u16 = 0x10c9;
    const LATE_EERD: bool = true;
    const MESSAGES: &'static [InterruptKind] = &[InterruptKind::MsiX { vectors: 10 }, InterruptKind::Msi];

    const RESETS_PHY: bool = true;

    /// Status (DD, EOP), errors, length, VLAN tag: 7.1.5.
    fn filled(card: &Card, length: u16, last: bool) -> [u8; 8] {
        let srrctl = Srrctl::from(card.register(srrctl(receive_ring(card.queue))));
        assert_eq!((srrctl.desctype(), srrctl.bsizepacket()), (ADVANCED_ONE_BUFFER, 2));
        let [low, high] = length.to_le_bytes();
        [if last { 1 | 2 } else { 1 }, 0, 0, 0, low, high, 0, 0]
    }

    const STATUS_AND_ERRORS: [usize; 2] = [0, 3];

    fn context(words: [u64; 2]) -> Option<Context> {
        advanced::context(words)
    }

    fn tag(context: [u64; 2], _word: u64) -> u16 {
        advanced::tag(context)
    }

    /// 7.2.2.3.
    fn command(word: u64) -> (u16, u8) {
        let (kind, command) = (word >> 20 & 0xf, (word >> 24) as u8);
        assert_eq!((kind, command & 0x20), (3, 0x20), "an advanced descriptor with data");
        let has_headers = word & 1 << 31 != 0;
        assert!(has_headers || word >> 46 >= word & 0xffff, "a frame is as long as its part");
        (word as u16, command)
    }

    fn longest(card: &Card) -> usize {
        card.register(RLPML) as usize
    }

    fn rings_are_enabled(card: &Card) -> bool {
        let is_enabled = |control| card.register(control) & RingControl::ENABLE.bits() != 0;
        is_enabled(receive_ring(card.queue).control()) && is_enabled(TRANSMIT.control())
    }

    fn queue(card: &Card, frame: &[u8]) -> u16 {
        rss::entry(&card.registers, frame).map_or(0, u16::from)
    }

    /// 8.10.2: Drop_En.
    fn missed(card: &Card) -> usize {
        let ring = receive_ring(card.queue);
        if Srrctl::from(card.register(srrctl(ring))).drop_en() { rqdpc(ring) } else { statistics::MPC }
    }

    fn asserted(card: &Card) -> u32 {
        if has_vectors(card) { card.register(EICR) & card.register(EIMS) } else { card.icr & card.ims }
    }

    /// With vectors, EICR has a bit for each that there is a cause for (7.3.2).
    fn caused(card: &mut Card, causes: Interrupts) {
        if !has_vectors(card) {
            return;
        }
        let (queue, misc) =
            (Ivar::from(card.register(ivar(card.queue))), IvarMisc::from(card.register(IVAR_MISC)));
        let others = Interrupts::from_bits_retain(card.ims) & (Interrupts::LSC | Interrupts::RXO);
        let vectors = [
            (Interrupts::RXT0, queue.receive_valid(), queue.receive()),
            (Interrupts::TXDW, queue.transmit_valid(), queue.transmit()),
            (others, misc.other_valid(), misc.other()),
        ];
        for (_, _, vector) in vectors.iter().filter(|(by, valid, _)| *valid && causes.intersects(*by)) {
            card.set_register(EICR, card.register(EICR) | 1 << vector);
        }
    }

    /// 8.8.8: with vectors, ICR is cleared if it is said to be.
    fn after_read(card: &Card) -> u32 {
        let clears = !has_vectors(card) || card.register(GPIE) & Gpie::NSICR.bits() != 0;
        if clears { 0 } else { card.icr }
    }

    fn interval(card: &Card) -> u32 {
        Eitr::from(card.register(eitr(0))).interval().into()
    }

    fn write(card: &mut Card, offset: usize, value: u32) -> bool {
        match offset {
            EIMS => card.set_register(EIMS, card.register(EIMS) | value),
            EIMC => card.set_register(EIMS, card.register(EIMS) & !value),
            EICR => card.set_register(EICR, card.register(EICR) & !value),
            _ => return false,
        }
        true
    }
}

fn has_vectors(card: &Card) -> bool {
    card.register(GPIE) & Gpie::MULTIPLE_MSIX.bits() != 0
}
