//! What the device writes into advanced receive descriptors (82599, 7.1.6.2).

use bitflags::bitflags;
use intel::descriptors::{Completion, Receive};
use nic::{Checksum, Metadata};

bitflags! {
    /// The second word: status and errors. The length and the tag are above them.
    struct Status: u32 {
        /// Descriptor done.
        const DD = 1 << 0;
        /// End of packet.
        const EOP = 1 << 1;
        /// A VLAN's tag was taken off.
        const VP = 1 << 3;
        /// TCP or UDP checksum calculated.
        const L4I = 1 << 5;
        /// IP checksum calculated.
        const IPCS = 1 << 6;
        /// A MAC error: FCS, length, or another.
        const RXE = 1 << 29;
        /// TCP or UDP checksum error.
        const L4E = 1 << 30;
        /// IP checksum error.
        const IPE = 1 << 31;
        const _ = !0;
    }
}

/// An advanced receive descriptor with one buffer.
pub struct AdvancedReceive;

impl Receive for AdvancedReceive {
    fn completion(word: u64) -> Option<Completion> {
        let status = Status::of(word);
        status.contains(Status::DD).then(|| Completion {
            length: (word >> 32) as u16,
            ends_frame: status.contains(Status::EOP),
            is_damaged: status.contains(Status::RXE),
        })
    }

    fn metadata(word: u64) -> Metadata {
        let status = Status::of(word);
        Metadata {
            ip_checksum: status.verdict(Status::IPCS, Status::IPE),
            transport_checksum: status.verdict(Status::L4I, Status::L4E),
            vlan: status.contains(Status::VP).then_some((word >> 48) as u16),
            ..Metadata::default()
        }
    }
}

impl Status {
    fn of(word: u64) -> Self {
        Self::from_bits_retain(word as u32)
    }

    fn verdict(&self, calculated: Self, wrong: Self) -> Checksum {
        match (self.contains(calculated), self.contains(wrong)) {
            (false, _) => Checksum::Unknown,
            (true, false) => Checksum::Good,
            (true, true) => Checksum::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksums(status: Status) -> (Checksum, Checksum) {
        let word = u64::from((Status::DD | Status::EOP | status).bits()) | 60 << 32;
        let completion = AdvancedReceive::completion(word).unwrap();
        assert_eq!((completion.length, completion.ends_frame), (60, true));
        let metadata = AdvancedReceive::metadata(word);
        (metadata.ip_checksum, metadata.transport_checksum)
    }

    #[test]
    fn a_descriptor_says_nothing_until_it_is_done() {
        assert_eq!(AdvancedReceive::completion(u64::from(Status::EOP.bits())), None);
        let damaged = AdvancedReceive::completion(u64::from((Status::DD | Status::RXE).bits()));
        assert!(damaged.is_some_and(|completion| completion.is_damaged && !completion.ends_frame));
    }

    #[test]
    fn checksums_are_known_where_they_were_calculated() {
        assert_eq!(checksums(Status::L4E | Status::IPE), (Checksum::Unknown, Checksum::Unknown));
        assert_eq!(checksums(Status::IPCS | Status::L4I | Status::L4E), (Checksum::Good, Checksum::Bad));
    }
}
