//! Descriptors of the C+ mode: two 64-bit words, of which the second is the buffer's address. The first is a command
//! while the device owns the descriptor, and a status afterwards.

use bitfield_struct::bitfield;

/// Bytes of a descriptor.
pub const SIZE: usize = 16;

/// The first word of a receive descriptor as the driver gives it.
#[bitfield(u64)]
pub struct ReceiveCommand {
    /// Bytes that the buffer holds.
    #[bits(13)]
    pub buffer_size: u16,
    #[bits(17)]
    __: u32,
    /// The ring ends here.
    pub eor: bool,
    /// The device's.
    pub own: bool,
    __: u32,
}

/// The first word of a receive descriptor as the device gives it back.
#[bitfield(u64)]
pub struct ReceiveStatus {
    /// Bytes of the frame, FCS included.
    #[bits(13)]
    pub frame_length: u16,
    /// TCP checksum failure.
    pub tcpf: bool,
    /// UDP checksum failure.
    pub udpf: bool,
    /// IP checksum failure.
    pub ipf: bool,
    /// What was recognised: 0 not IP, 1 TCP, 2 UDP, 3 other IP.
    #[bits(2)]
    pub pid: u8,
    /// Wrong FCS.
    pub crc: bool,
    /// Shorter than 64 bytes.
    pub runt: bool,
    /// One of the errors.
    pub res: bool,
    /// Receive watchdog timer expired: longer than 4096 bytes.
    pub rwt: bool,
    /// FIFO overflow.
    pub fovf: bool,
    /// Buffer overflow: there were no descriptors before this one.
    pub bovf: bool,
    /// Broadcast.
    pub bar: bool,
    /// For the station's own address.
    pub pam: bool,
    /// Multicast.
    pub mar: bool,
    /// Frame alignment error.
    pub fae: bool,
    /// The frame ends in this buffer.
    pub ls: bool,
    /// The frame begins in this buffer.
    pub fs: bool,
    /// The ring ends here.
    pub eor: bool,
    /// Still the device's.
    pub own: bool,
    /// VLAN tag, where the device strips it.
    pub vlan: u32,
}

/// The first word of a transmit descriptor as the driver gives it.
#[bitfield(u64)]
pub struct TransmitCommand {
    /// Bytes in the buffer.
    pub frame_length: u16,
    #[bits(12)]
    __: u16,
    /// The frame ends in this buffer.
    pub ls: bool,
    /// The frame begins in this buffer.
    pub fs: bool,
    /// The ring ends here.
    pub eor: bool,
    /// The device's.
    pub own: bool,
    __: u32,
}

/// The first word of a transmit descriptor as the device gives it back.
#[bitfield(u64)]
pub struct TransmitStatus {
    __: u16,
    /// Collisions.
    #[bits(4)]
    pub cc: u8,
    /// Excessive collisions.
    pub exc: bool,
    /// Link failure.
    pub lnkf: bool,
    /// Out of window collision.
    pub owc: bool,
    /// One of the errors.
    pub tes: bool,
    __: bool,
    /// FIFO underrun.
    pub unf: bool,
    #[bits(5)]
    __: u8,
    /// Still the device's.
    pub own: bool,
    __: u32,
}
