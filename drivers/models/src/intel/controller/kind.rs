//! What a family of controllers has of its own.

use hw::InterruptKind;
use intel::Family;
use intel::registers::{self as reg, Interrupts, statistics};

use super::Controller;
use crate::intel::context::Context;

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

    /// What counts a frame that its queue has no room for.
    fn missed(_card: &Controller<Self>) -> usize {
        statistics::MPC
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
