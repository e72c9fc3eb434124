//! Registers that the 8254x do not have, by the names and sections of the 82574's data sheet.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use intel::registers::RingRegisters;

/// Interrupt vector allocation (10.2.4.9); in the 82574 alone.
pub const IVAR: usize = 0x00e4;
/// Receive filter control.
pub const RFCTL: usize = 0x5008;

/// Throttling of MSI-X vector `vector`, in units of 256 ns; in the 82574 alone.
pub const fn eitr(vector: u16) -> usize {
    0x00e8 + 4 * vector as usize
}

/// The registers of receive queue `queue`.
pub const fn receive_ring(queue: u16) -> RingRegisters {
    RingRegisters::at(0x2800 + 0x100 * queue as usize)
}

bitflags! {
    /// RFCTL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Rfctl: u32 {
        /// Receive descriptors are extended ones (7.1.5).
        const EXSTEN = 1 << 15;
    }

    /// TXDCTL (10.2.6.10). All thresholds are 0: descriptors that report are written back at once.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Txdctl: u32 {
        /// Must be 1.
        const COUNT_DESC = 1 << 22;
        /// Thresholds count descriptors.
        const GRAN = 1 << 24;
    }
}

/// IVAR: the vector of each cause, and whether it has one.
#[bitfield(u32)]
pub struct Ivar {
    /// Receive queue 0.
    #[bits(3)]
    pub rxq0: u8,
    /// It has a vector.
    pub rxq0_valid: bool,
    /// Receive queue 1.
    #[bits(3)]
    pub rxq1: u8,
    /// It has a vector.
    pub rxq1_valid: bool,
    /// Transmit queue 0.
    #[bits(3)]
    pub txq0: u8,
    /// It has a vector.
    pub txq0_valid: bool,
    #[bits(4)]
    __: u8,
    /// All other causes.
    #[bits(3)]
    pub other: u8,
    /// They have a vector.
    pub other_valid: bool,
    #[bits(12)]
    __: u16,
}
