//! Legacy descriptors: two 64-bit words, of which the first is the buffer's address (8254x SDM, 3.2.3 and 3.3.3).

use bitfield_struct::bitfield;

/// Bytes of a descriptor.
pub const SIZE: usize = 16;

/// The second word of a receive descriptor, which the device writes back (3.2.3).
#[bitfield(u64)]
pub struct Receive {
    /// Bytes in the buffer.
    pub length: u16,
    /// Ones' complement sum over the packet.
    pub checksum: u16,
    /// Descriptor done.
    pub dd: bool,
    /// End of packet.
    pub eop: bool,
    /// Ignore the checksum indications.
    pub ixsm: bool,
    /// An 802.1Q packet.
    pub vp: bool,
    __: bool,
    /// TCP or UDP checksum calculated.
    pub tcpcs: bool,
    /// IP checksum calculated.
    pub ipcs: bool,
    /// Passed an inexact filter.
    pub pif: bool,
    /// CRC or alignment error.
    pub ce: bool,
    /// Symbol error.
    pub se: bool,
    /// Sequence error.
    pub seq: bool,
    __: bool,
    /// Carrier extension error.
    pub cxe: bool,
    /// TCP or UDP checksum error.
    pub tcpe: bool,
    /// IP checksum error.
    pub ipe: bool,
    /// Receive data error.
    pub rxe: bool,
    /// VLAN tag, where the device strips it.
    pub special: u16,
}

impl Receive {
    /// The frame is damaged.
    pub fn is_bad(self) -> bool {
        self.ce() || self.se() || self.seq() || self.cxe() || self.rxe()
    }
}

/// The second word of a transmit descriptor (3.3.3).
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
