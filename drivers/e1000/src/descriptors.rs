//! Legacy transmit descriptors (8254x SDM, 3.3.3).

use bitfield_struct::bitfield;
use intel::descriptors;

/// The second word.
#[bitfield(u64)]
pub struct Transmit {
    /// Bytes in the buffer.
    pub length: u16,
    /// Checksum offset.
    pub cso: u8,
    /// End of packet.
    pub eop: bool,
    /// Insert the FCS.
    pub ifcs: bool,
    /// Insert a checksum.
    pub ic: bool,
    /// Report status: write DD back.
    pub rs: bool,
    __: bool,
    /// Not a legacy descriptor.
    pub dext: bool,
    /// Insert a VLAN tag.
    pub vle: bool,
    /// Delay the interrupt.
    pub ide: bool,
    /// Descriptor done.
    pub dd: bool,
    /// Excess collisions.
    pub ec: bool,
    /// Late collision.
    pub lc: bool,
    #[bits(5)]
    __: u8,
    /// Checksum start.
    pub css: u8,
    /// VLAN tag.
    pub special: u16,
}

impl descriptors::Transmit for Transmit {
    fn data(length: u16, _frame: usize, last: bool) -> u64 {
        Self::new().with_length(length).with_ifcs(true).with_eop(last).with_rs(last).into()
    }
}
