//! What a family of controllers has of its own.

use hw::fake::Bus;
use realtek::Family;
use realtek::registers as reg;

use super::Chip;

/// A kind of controller, and what only it has.
pub trait Kind: Sized {
    /// As its driver sees it.
    type Family: Family;

    /// The most entries of a ring.
    const RING: usize;

    /// Frames that can arrive at once: fewer than the receive ring has entries.
    const BURST: usize;

    /// The `link` node with the cable plugged in.
    const LINK: &str;

    /// Bits of a length in a receive descriptor.
    const LENGTH_BITS: u32;

    /// What its buffers' addresses and sizes are multiples of.
    const ALIGNMENT: u64;

    /// TCR.LBK that has it receive what it sends.
    const LOOPBACK: u8;

    /// Where CONFIG3 and CONFIG5 are.
    const CONFIG: [usize; 2];

    /// A device that was just switched on.
    fn new() -> Chip<Self>;

    /// One that can wake the machine.
    fn waking() -> Chip<Self> {
        Self::new()
    }

    /// Its CONFIG3 is about magic packets.
    fn knows_magic(_card: &Chip<Self>) -> bool {
        true
    }

    /// The BAR that has the registers in memory.
    fn bar(card: &Chip<Self>) -> usize;

    /// Where the interrupt mask is, and how many bytes it has.
    fn mask(_card: &Chip<Self>) -> (usize, usize) {
        (reg::IMR, 2)
    }

    /// Where the interrupt status is, and how many bytes it has.
    fn status(_card: &Chip<Self>) -> (usize, usize) {
        (reg::ISR, 2)
    }

    /// Where the doorbell is, how many bytes it has, and what rings it.
    fn doorbell(card: &Chip<Self>) -> (usize, usize, u32);

    /// It knows IPv6 as well as IPv4, and is told in the second half of a transmit descriptor what to do for a frame.
    fn is_of_the_second_kind(_card: &Chip<Self>) -> bool {
        false
    }

    /// Receives by descriptors.
    fn receives(card: &Chip<Self>) -> bool;

    /// The longest frame that it takes, FCS included.
    fn longest(card: &Chip<Self>) -> usize;

    /// The group with this CRC is in the hash.
    fn is_in_hash(card: &Chip<Self>, crc: u32) -> bool;

    /// There was no descriptor for a frame.
    fn missed(card: &mut Chip<Self>);

    /// A frame that it accepts arrives, where it has no descriptors for it; `false` if it has.
    fn take(_card: &mut Chip<Self>, _bus: &mut Bus, _frame: &[u8]) -> bool {
        false
    }

    /// Writes `word` over what it says of a frame, where it has no descriptors; `false` if it has.
    fn scribble(_card: &mut Chip<Self>, _bus: &mut Bus, _receive: bool, _entry: usize, _word: u64) -> bool {
        false
    }

    /// It is reset.
    fn reset(_card: &mut Chip<Self>) {}

    /// A register of the family's own is read, by so many bytes.
    fn read(card: &Chip<Self>, offset: usize, size: usize) -> Option<u32>;

    /// A register of the family's own is written; `false` if it is none.
    fn write(card: &mut Chip<Self>, bus: &mut Bus, offset: usize, size: usize, value: u32) -> bool;
}
