//! Registers that the 8254x do not have, or have elsewhere, by the names and sections of the 82576's data sheet.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use intel::registers::RingRegisters;

/// General purpose interrupt enable (8.8.13).
pub const GPIE: usize = 0x1514;
/// Extended interrupt mask set/read (8.8.3): the causes of messages, by vector.
pub const EIMS: usize = 0x1524;
/// Extended interrupt mask clear (8.8.4).
pub const EIMC: usize = 0x1528;
/// Extended interrupt cause (8.8.1): ones clear.
pub const EICR: usize = 0x1580;
/// Interrupt vector allocation of what is no queue's (8.8.16).
pub const IVAR_MISC: usize = 0x1740;
/// Longest packet received, FCS included, with RCTL.LPE (8.10.4).
pub const RLPML: usize = 0x5004;
/// The registers of receive queue 0.
pub const RECEIVE: RingRegisters = RingRegisters::at(0xc000);
/// The registers of transmit queue 0.
pub const TRANSMIT: RingRegisters = RingRegisters::at(0xe000);

/// The registers of receive queue `queue`.
pub const fn receive_ring(queue: u16) -> RingRegisters {
    RingRegisters::at(0xc000 + 0x40 * queue as usize)
}

/// Split and replication receive control of a receive queue (8.10.2).
pub const fn srrctl(ring: RingRegisters) -> usize {
    ring.bal() + 0x0c
}

/// What a receive queue has dropped for want of descriptors, with SRRCTL.Drop_En, up to 4095 (8.10). Reading clears it in
/// the 82576.
pub const fn rqdpc(ring: RingRegisters) -> usize {
    ring.bal() + 0x30
}

/// Throttling of vector `vector`; 0 is the line's, too (8.8.14).
pub const fn eitr(vector: u16) -> usize {
    0x1680 + 4 * vector as usize
}

/// Interrupt vector allocation of queue `queue` of the 82576, up to 7 (8.8.15).
pub const fn ivar(queue: u16) -> usize {
    0x1700 + 4 * queue as usize
}

bitflags! {
    /// GPIE.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Gpie: u32 {
        /// Reading ICR clears it in any case.
        const NSICR = 1 << 0;
        /// Causes have vectors, as IVAR says.
        const MULTIPLE_MSIX = 1 << 4;
    }
}

/// IVAR: the vectors of a queue's causes, and whether they have one.
#[bitfield(u32)]
pub struct Ivar {
    /// Receiving.
    #[bits(7)]
    pub receive: u8,
    /// It has a vector.
    pub receive_valid: bool,
    /// Transmitting.
    #[bits(7)]
    pub transmit: u8,
    /// It has a vector.
    pub transmit_valid: bool,
    #[bits(16)]
    __: u16,
}

/// IVAR_MISC: the vectors of other causes, and whether they have one.
#[bitfield(u32)]
pub struct IvarMisc {
    /// The TCP timer.
    #[bits(7)]
    pub tcp_timer: u8,
    /// It has a vector.
    pub tcp_timer_valid: bool,
    /// All that is in ICR.
    #[bits(7)]
    pub other: u8,
    /// It has a vector.
    pub other_valid: bool,
    #[bits(16)]
    __: u16,
}

/// EITR.
#[bitfield(u32)]
pub struct Eitr {
    #[bits(2)]
    __: u8,
    /// Least time between two interrupts, in microseconds.
    #[bits(13)]
    pub interval: u16,
    #[bits(17)]
    __: u32,
}
