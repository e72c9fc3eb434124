//! Descriptors: two 64-bit words, of which the first is a buffer's address when the device is given it.

use bitflags::bitflags;
use nic::{Checksum, Metadata};

/// 64-bit words of a descriptor.
pub const WORDS: usize = 2;

/// Bytes of a descriptor.
pub const SIZE: usize = 8 * WORDS;

/// Descriptor done (DD), in the second word of every transmit descriptor.
pub const DONE: u64 = 1 << 32;

/// A receive descriptor's format.
pub trait Receive {
    /// What the device says in the second word, which it was given as 0; `None` as long as it is not done.
    fn completion(word: u64) -> Option<Completion>;

    /// What that word says of the frame, if it is that of the frame's last buffer.
    fn metadata(word: u64) -> Metadata;
}

/// A transmit descriptor's format.
pub trait Transmit {
    /// In the second word of a buffer's descriptor (DCMD.TSE): segments are to be made, as the context says.
    const TSE: u64;

    /// The second word for a buffer of `length` bytes, which belongs to a frame of `payload` bytes; to one that is several
    /// segments with so many bytes of data. The descriptor of its `last` buffer reports.
    fn data(length: u16, payload: usize, last: bool) -> u64;

    /// What is added to all of a frame's second words to have this tag inserted.
    fn tag(tag: u16) -> u64;

    /// A tag is told in a context, not with a frame.
    const TAG_IN_CONTEXT: bool;

    /// A context descriptor: what holds for the frames behind it.
    fn context(context: Context) -> [u64; 2];
}

/// What a context tells of the frames behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Where the checksum stands that is to be inserted, and what segments are to be made.
    pub place: Option<Place>,
    /// The control information of the tag that is to be inserted, where contexts tell it.
    pub tag: Option<u16>,
}

/// In the second word of a buffer's descriptor (POPTS.IXSM): the IP header's checksum is to be inserted.
pub const IXSM: u64 = 1 << 40;

/// In the second word of a buffer's descriptor (POPTS.TXSM): the TCP or UDP checksum is to be inserted, as the context
/// says.
pub const TXSM: u64 = 1 << 41;

/// Where a TCP or UDP checksum stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes of the Ethernet header, with its tag if it has one.
    pub ethernet: u16,
    /// The IP header is IPv4's, not IPv6's.
    pub is_ipv4: bool,
    /// Where the TCP or UDP header begins in the frame.
    pub start: u16,
    /// Where the checksum stands in that.
    pub offset: u16,
    /// The segments that are to be made.
    pub segments: Option<Segmentation>,
}

/// How segments are made of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmentation {
    /// Bytes of the headers, which are before each one's data (HDRLEN).
    pub header: u16,
    /// Bytes of data in each but the last (MSS).
    pub size: u16,
    /// Bytes of data in all of them (PAYLEN).
    pub data: u32,
}

impl Place {
    /// It is TCP's.
    pub fn is_tcp(self) -> bool {
        self.offset == 16
    }
}

/// What the device says of a buffer that it has filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Bytes in the buffer.
    pub length: u16,
    /// It is the frame's last.
    pub ends_frame: bool,
    /// The frame is damaged.
    pub is_damaged: bool,
}

bitflags! {
    /// Status, in all formats (3.2.3.1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Status: u8 {
        /// Descriptor done.
        const DD = 1 << 0;
        /// End of packet.
        const EOP = 1 << 1;
        /// Ignore the checksum indications. The 82576 has no such bit: it is 0.
        const IXSM = 1 << 2;
        /// A VLAN's tag was taken off.
        const VP = 1 << 3;
        /// TCP or UDP checksum calculated.
        const TCPCS = 1 << 5;
        /// IP checksum calculated.
        const IPCS = 1 << 6;
        const _ = !0;
    }

    /// Errors, in all formats (3.2.3.2).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Errors: u8 {
        /// CRC or alignment error.
        const CE = 1 << 0;
        /// Symbol error.
        const SE = 1 << 1;
        /// Sequence error.
        const SEQ = 1 << 2;
        /// Carrier extension error.
        const CXE = 1 << 4;
        /// TCP or UDP checksum error.
        const TCPE = 1 << 5;
        /// IP checksum error.
        const IPE = 1 << 6;
        /// Receive data error.
        const RXE = 1 << 7;
        const _ = !0;
    }

    /// Command, in all formats of transmit descriptors (3.3.3.1). That of a context is called TUCMD.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Command: u8 {
        /// End of packet.
        const EOP = 1 << 0;
        /// Insert the FCS.
        const IFCS = 1 << 1;
        /// Report status: write DD back.
        const RS = 1 << 3;
        /// Not a legacy descriptor.
        const DEXT = 1 << 5;
        /// Insert a VLAN's tag.
        const VLE = 1 << 6;
    }
}

impl Command {
    /// For a frame's buffer: the descriptor of its `last` one reports.
    pub fn data(last: bool) -> Self {
        if last { Self::IFCS | Self::EOP | Self::RS } else { Self::IFCS }
    }

    /// Where it stands in the second word.
    pub fn in_word(self) -> u64 {
        u64::from(self.bits()) << 24
    }
}

impl Errors {
    /// The frame is damaged.
    const DAMAGED: Self = Self::CE.union(Self::SE).union(Self::SEQ).union(Self::CXE).union(Self::RXE);
}

/// What both formats of receive descriptors say, each in its place.
struct Fields {
    length: u16,
    status: Status,
    errors: Errors,
    tag: u16,
}

impl Fields {
    fn new(length: [u8; 2], status: u8, errors: u8, tag: [u8; 2]) -> Self {
        Self {
            length: u16::from_le_bytes(length),
            status: Status::from_bits_retain(status),
            errors: Errors::from_bits_retain(errors),
            tag: u16::from_le_bytes(tag),
        }
    }

    fn completion(&self) -> Option<Completion> {
        self.status.contains(Status::DD).then(|| Completion {
            length: self.length,
            ends_frame: self.status.contains(Status::EOP),
            is_damaged: self.errors.intersects(Errors::DAMAGED),
        })
    }

    fn metadata(&self) -> Metadata {
        Metadata {
            ip_checksum: self.verdict(Status::IPCS, Errors::IPE),
            transport_checksum: self.verdict(Status::TCPCS, Errors::TCPE),
            vlan: self.status.contains(Status::VP).then_some(self.tag),
            ..Metadata::default()
        }
    }

    fn verdict(&self, calculated: Status, wrong: Errors) -> Checksum {
        if self.status.contains(Status::IXSM) || !self.status.contains(calculated) {
            Checksum::Unknown
        } else if self.errors.contains(wrong) {
            Checksum::Bad
        } else {
            Checksum::Good
        }
    }
}

/// Extended transmit descriptors (8254x SDM, 3.3.6 and 3.3.7; 82574, 7.2.10 and 7.2.11).
pub struct ExtendedTransmit;

impl ExtendedTransmit {
    /// DTYP, the kind of descriptor, of those with data. That of a context is 0.
    const DATA: u64 = 1 << 20;

    /// TUCMD of a context: the packets are TCP's, not UDP's.
    const TCP: u64 = 1 << 24;

    /// Where a tag stands.
    const TAG: u32 = 48;
    /// TUCMD of a context: they are IPv4's, not IPv6's. Of use with TSE alone.
    const IP: u64 = 1 << 25;

    /// Where HDRLEN and MSS are.
    const HDRLEN: u32 = 40;
    const MSS: u32 = 48;

    /// Where IPCSO and IPCSE are.
    const IPCSO: u32 = 8;
    const IPCSE: u32 = 16;

    /// Where the checksum stands in an IPv4 header.
    const IPV4_CHECKSUM: u16 = 10;
}

impl Transmit for ExtendedTransmit {
    const TSE: u64 = 1 << 26;

    /// Length (DTALEN, 20 bits), DTYP (4 bits), command, status, options, VLAN tag.
    fn data(length: u16, _payload: usize, last: bool) -> u64 {
        (Command::data(last) | Command::DEXT).in_word() | Self::DATA | u64::from(length)
    }

    fn tag(tag: u16) -> u64 {
        Command::VLE.in_word() | u64::from(tag) << Self::TAG
    }

    const TAG_IN_CONTEXT: bool = false;

    /// IPCSS, IPCSO, IPCSE, TUCSS, TUCSO, TUCSE (0: the packet's end); PAYLEN, DTYP, TUCMD, status, HDRLEN, MSS.
    fn context(context: Context) -> [u64; 2] {
        let place = context.place.unwrap_or_default();
        let Place { ethernet, is_ipv4, start, offset, segments } = place;
        let mut places = u64::from(start) << 32 | u64::from(start + offset) << 40;
        let kind = if place.is_tcp() { Self::TCP } else { 0 };
        let mut word = Command::DEXT.in_word() | kind;
        if let Some(Segmentation { header, size, data }) = segments {
            word |= Self::TSE | u64::from(data);
            word |= u64::from(header) << Self::HDRLEN | u64::from(size) << Self::MSS;
            places |= u64::from(ethernet);
            if is_ipv4 {
                word |= Self::IP;
                places |= u64::from(ethernet + Self::IPV4_CHECKSUM) << Self::IPCSO;
                places |= u64::from(start - 1) << Self::IPCSE;
            }
        }
        [places, word]
    }
}

/// Legacy receive descriptors (3.2.3): length, checksum, status, errors, VLAN tag.
pub struct LegacyReceive;

impl LegacyReceive {
    fn fields(word: u64) -> Fields {
        let [l0, l1, _, _, status, errors, t0, t1] = word.to_le_bytes();
        Fields::new([l0, l1], status, errors, [t0, t1])
    }
}

impl Receive for LegacyReceive {
    fn completion(word: u64) -> Option<Completion> {
        Self::fields(word).completion()
    }

    fn metadata(word: u64) -> Metadata {
        Self::fields(word).metadata()
    }
}

/// What the device writes into extended receive descriptors (82574, 7.1.5) and advanced ones (82576, 7.1.5): status,
/// extended status, errors, length, VLAN tag.
pub struct ExtendedReceive;

impl ExtendedReceive {
    fn fields(word: u64) -> Fields {
        let [status, _, _, errors, l0, l1, t0, t1] = word.to_le_bytes();
        Fields::new([l0, l1], status, errors, [t0, t1])
    }
}

impl Receive for ExtendedReceive {
    fn completion(word: u64) -> Option<Completion> {
        Self::fields(word).completion()
    }

    fn metadata(word: u64) -> Metadata {
        Self::fields(word).metadata()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 bytes, the end of a frame, with this status and these errors, as an extended descriptor has them.
    fn extended(status: Status, errors: Errors) -> u64 {
        let status = (status | Status::EOP).bits();
        60 << 32 | u64::from(errors.bits()) << 24 | u64::from(status)
    }

    #[test]
    fn a_descriptor_says_nothing_until_it_is_done() {
        let completion = |status, errors| ExtendedReceive::completion(extended(status, errors));
        assert_eq!(completion(Status::empty(), Errors::empty()), None);
        let good = completion(Status::DD, Errors::empty()).unwrap();
        assert_eq!((good.length, good.ends_frame, good.is_damaged), (60, true, false));
        assert_eq!(LegacyReceive::completion(0x03 << 32 | 60), Some(good), "the legacy one says the same");
        assert!(completion(Status::DD, Errors::CE).unwrap().is_damaged);
    }

    #[test]
    fn a_tag_is_told_where_it_was_taken_off() {
        let word = |status: Status| 0x600a << 48 | 60 << 32 | u64::from((status | Status::DD).bits());
        let tag = |status| ExtendedReceive::metadata(word(status)).vlan;
        assert_eq!((tag(Status::empty()), tag(Status::VP)), (None, Some(0x600a)));
        let legacy = 0x600a << 48 | u64::from((Status::VP | Status::DD).bits()) << 32 | 60;
        assert_eq!(LegacyReceive::metadata(legacy).vlan, Some(0x600a));
    }

    #[test]
    fn checksums_are_known_where_they_were_calculated_and_count() {
        let checksums = |status, errors| {
            let metadata = ExtendedReceive::metadata(extended(Status::DD | status, errors));
            (metadata.ip_checksum, metadata.transport_checksum)
        };
        let both = Status::IPCS | Status::TCPCS;
        assert_eq!(checksums(Status::empty(), Errors::TCPE), (Checksum::Unknown, Checksum::Unknown));
        assert_eq!(checksums(Status::IPCS, Errors::empty()), (Checksum::Good, Checksum::Unknown));
        assert_eq!(checksums(both, Errors::TCPE), (Checksum::Good, Checksum::Bad));
        assert_eq!(checksums(both | Status::IXSM, Errors::TCPE), (Checksum::Unknown, Checksum::Unknown));
    }
}
