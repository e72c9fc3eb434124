//! Descriptors: two 64-bit words, of which the second is the buffer's address. The first is a command while the device
//! owns the descriptor, and a status afterwards.

use bitfield_struct::bitfield;

/// Bytes of a descriptor.
pub const SIZE: usize = 16;

/// How the descriptors of one family differ from the others.
pub trait Layout {
    /// Bits of a frame's length, from bit 0 on. What the device says of the frame is between it and [`Receive::ls`].
    const LENGTH_BITS: u32;

    /// The device says of a frame that it has sent how that went.
    const TELLS_OF_SENT: bool;

    /// Length of the frame, FCS included, and what the device says of it.
    fn completion(word: u64) -> (usize, Completion) {
        const LS_BIT: u32 = 28;
        let bits = |from: u32, to: u32| word >> from & ((1 << (to - from)) - 1);
        let completion = bits(Self::LENGTH_BITS, LS_BIT) as u16;
        (bits(0, Self::LENGTH_BITS) as usize, Completion::from(completion))
    }
}

/// The RTL8139C+'s descriptors.
pub struct FastEthernet;

impl Layout for FastEthernet {
    const LENGTH_BITS: u32 = 13;
    const TELLS_OF_SENT: bool = true;
}

/// Those of the RTL8169 and later.
pub struct Gigabit;

impl Layout for Gigabit {
    const LENGTH_BITS: u32 = 14;
    const TELLS_OF_SENT: bool = false;
}

/// What is in the first word of every receive descriptor.
#[bitfield(u64)]
pub struct Receive {
    /// Bytes that the buffer holds, where the device owns it.
    #[bits(14)]
    pub buffer_size: u16,
    #[bits(14)]
    __: u16,
    /// The frame ends in this buffer.
    pub ls: bool,
    /// The frame begins in this buffer.
    pub fs: bool,
    /// The ring ends here.
    pub eor: bool,
    /// The device's.
    pub own: bool,
    /// The control information of the tag that was taken off, its bytes in the order of the wire.
    pub vlan_tag: u16,
    /// Tag available: one was taken off.
    pub tava: bool,
    #[bits(15)]
    __: u16,
}

/// What the device says of a received frame, with its last buffer.
#[bitfield(u16)]
#[derive(PartialEq, Eq)]
pub struct Completion {
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
    /// Receive watchdog timer expired: longer than the device takes.
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
    /// Frame alignment error; the RTL8139C+'s.
    pub fae: bool,
    __: bool,
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
    /// The control information of a tag, its bytes in the order of the wire.
    pub vlan_tag: u16,
    __: bool,
    /// Insert the tag.
    pub tagc: bool,
    #[bits(14)]
    __: u16,
}

/// The first word of a transmit descriptor as the device gives it back. The RTL8169 and later say nothing but that they
/// do.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_frame_stands_above_its_length() {
        let word = u64::from(Receive::new().with_fs(true).with_ls(true).with_eor(true));
        let (length, completion) = FastEthernet::completion(word | 1 << 13 | 1518);
        assert_eq!((length, completion), (1518, Completion::new().with_tcpf(true)));
        let (length, completion) = Gigabit::completion(word | 1 << 19 | 1 << 13 | 808);
        assert_eq!((length, completion), (9000, Completion::new().with_crc(true)));
        let alignment = FastEthernet::completion(word | 1 << 27).1;
        assert_eq!(alignment, Completion::new().with_fae(true));
    }
}
