//! Descriptors: two 64-bit words each, and each with a bit that tells the round of the ring it belongs to.

use bitfield_struct::bitfield;

/// Bytes of a descriptor of any kind.
pub const SIZE: usize = 16;

/// The second word of `Vmxnet3_TxDesc`; the first is the buffer's address.
#[bitfield(u64)]
pub struct Transmit {
    /// Bytes in the buffer; 0 stands for 16384.
    #[bits(14)]
    pub len: u16,
    /// The round.
    pub generation: bool,
    #[bits(3)]
    __: u8,
    /// Where the checksum stands in the frame, with [`OM_CSUM`]; bytes of data in a segment, with [`OM_TSO`].
    #[bits(14)]
    pub msscof: u16,
    /// Where the TCP or UDP header begins in the frame, with [`OM_CSUM`]; bytes of all headers, with [`OM_TSO`].
    #[bits(10)]
    pub hlen: u16,
    /// What is offloaded. Of a frame's descriptors the first says it.
    #[bits(2)]
    pub om: u8,
    /// End of packet.
    pub eop: bool,
    /// Report completion.
    pub cq: bool,
    __: bool,
    /// Insert a VLAN tag.
    pub ti: bool,
    /// VLAN tag.
    pub tci: u16,
}

/// `VMXNET3_OM_CSUM`: the TCP or UDP checksum is to be filled in.
pub const OM_CSUM: u8 = 2;

/// `VMXNET3_OM_TSO`: segments are to be made.
pub const OM_TSO: u8 = 3;

/// The second word of `Vmxnet3_RxDesc`; the first is the buffer's address.
#[bitfield(u64)]
pub struct Receive {
    /// Bytes that the buffer holds.
    #[bits(14)]
    pub len: u16,
    /// The buffer is for the continuation of a frame, not for its beginning.
    pub body: bool,
    #[bits(16)]
    __: u16,
    /// The round.
    pub generation: bool,
    __: u32,
}

/// `VMXNET3_CDTYPE_RXCOMP_LRO`: the device has joined the frame that begins here.
pub const RXCOMP_LRO: u8 = 4;

/// The first word of `Vmxnet3_RxCompDesc`.
#[bitfield(u64)]
pub struct ReceivePlace {
    /// The descriptor's index in its ring.
    #[bits(12)]
    pub index: u16,
    #[bits(2)]
    __: u8,
    /// End of packet.
    pub eop: bool,
    /// Start of packet.
    pub sop: bool,
    /// The ring: that of the queue's number, or with the count of queues added its second.
    #[bits(10)]
    pub rq_id: u16,
    #[bits(4)]
    __: u8,
    /// Checksums were not verified.
    pub cnc: bool,
    __: bool,
    /// Of a frame that the device has joined, how many segments it was (`Vmxnet3_RxCompDescExt`). It is a part of the hash of
    /// RSS otherwise.
    pub seg_cnt: u8,
    #[bits(24)]
    __: u32,
}

/// The second word of `Vmxnet3_RxCompDesc`.
#[bitfield(u64)]
pub struct ReceiveDone {
    /// Bytes in the buffer.
    #[bits(14)]
    pub len: u16,
    /// The frame is damaged.
    pub err: bool,
    /// A VLAN tag was stripped.
    pub ts: bool,
    /// VLAN tag.
    pub tci: u16,
    /// Of a frame that the device has joined, bytes of data in each segment but the last, or 0 (`Vmxnet3_RxCompDescExt`). It is
    /// the checksum over the packet otherwise.
    pub mss: u16,
    /// The TCP or UDP checksum is right.
    pub tuc: bool,
    /// UDP.
    pub udp: bool,
    /// TCP.
    pub tcp: bool,
    /// The IP checksum is right.
    pub ipc: bool,
    /// IPv6.
    pub v6: bool,
    /// IPv4.
    pub v4: bool,
    /// A fragment.
    pub frg: bool,
    /// The FCS is right.
    pub fcs: bool,
    /// The kind of completion: [`RXCOMP_LRO`] or another, which QEMU (7.2) leaves 0.
    #[bits(7)]
    pub kind: u8,
    /// The round.
    pub generation: bool,
}
