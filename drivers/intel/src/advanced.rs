//! Advanced descriptors and the rings that have them: those of the 82576 (7.1, 7.2) and of the ten gigabit controllers.

use bitfield_struct::bitfield;
use bitflags::bitflags;
use hw::Registers;
use nic::Fault;
use nic::frame::HEADER;

use crate::descriptors::{Command, Context, Place, Segmentation, Transmit};
use crate::registers::RingRegisters;

/// DTYP, the kind of descriptor, of those with data.
const DATA: u64 = 3 << 20;

/// The same of a context.
const CONTEXT: u64 = 2 << 20;

/// TUCMD of a context: the packets are IPv4's.
const IPV4: u64 = 1 << 10;

/// L4T in TUCMD: they are TCP's. 0 is UDP's.
const TCP: u64 = 1 << 11;

/// Where PAYLEN is.
const PAYLEN: u32 = 46;

/// Where the tag is in the first word of a context.
const TAG: u32 = 16;

/// Where L4LEN and MSS are in a context.
const L4LEN: u32 = 40;
const MSS: u32 = 48;

/// What a context says of frames of which the device is to know their tag alone.
const WITHOUT_CHECKSUM: Place =
    Place { ethernet: HEADER as u16, is_ipv4: false, start: HEADER as u16, offset: 0, segments: None };

/// Reads of RXDCTL or TXDCTL until the ring is enabled: it takes a few microseconds, a read at least half of one.
const ENABLE_PATIENCE: u32 = 1000;

/// Transmit descriptors: length (DTALEN, 16 bits), DTYP (from bit 20 on), command, status, options, length of the frame,
/// or of the data that segments are made of (82576, 7.2.2.3).
pub struct AdvancedTransmit;

impl Transmit for AdvancedTransmit {
    const TSE: u64 = 1 << 31;

    fn data(length: u16, payload: usize, last: bool) -> u64 {
        (Command::data(last) | Command::DEXT).in_word()
            | (payload as u64) << PAYLEN
            | DATA
            | u64::from(length)
    }

    fn tag(_tag: u16) -> u64 {
        Command::VLE.in_word()
    }

    const TAG_IN_CONTEXT: bool = true;

    /// IPLEN (9 bits), MACLEN (7 bits), VLAN tag; TUCMD, DTYP, command, L4LEN, MSS (82576, 7.2.2.2).
    fn context(Context { place, tag }: Context) -> [u64; 2] {
        let place = place.unwrap_or(WITHOUT_CHECKSUM);
        let Place { ethernet, start, is_ipv4, segments, .. } = place;
        let lengths = u64::from(start.saturating_sub(ethernet)) | u64::from(ethernet) << 9;
        let tag = u64::from(tag.unwrap_or_default()) << TAG;
        let version = if is_ipv4 { IPV4 } else { 0 };
        let protocol = if place.is_tcp() { TCP } else { 0 };
        let segments = segments.map_or(0, |Segmentation { header, size, .. }| {
            u64::from(header.saturating_sub(start)) << L4LEN | u64::from(size) << MSS
        });
        [lengths | tag, Command::DEXT.in_word() | CONTEXT | version | protocol | segments]
    }
}

/// SRRCTL (82576, 8.10.2; 82599, 8.2.3.8.7).
#[bitfield(u32)]
pub struct Srrctl {
    /// Size of a buffer in KiB.
    #[bits(5)]
    pub bsizepacket: u8,
    #[bits(20)]
    __: u32,
    /// How descriptors look.
    #[bits(3)]
    pub desctype: u8,
    /// In the ten gigabit controllers: what there is no descriptor for is dropped, and holds up no other queue.
    pub drop_en_ten: bool,
    #[bits(2)]
    __: u8,
    /// The same in the others.
    pub drop_en: bool,
}

/// SRRCTL.DESCTYPE of advanced descriptors with one buffer.
pub const ADVANCED_ONE_BUFFER: u8 = 1;

bitflags! {
    /// RXDCTL and TXDCTL (82576, 8.10.9 and 8.12.13). All thresholds are 0: descriptors are written back at once.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RingControl: u32 {
        /// The device may use the ring.
        const ENABLE = 1 << 25;
        /// Tags are taken off what is received; in the ten gigabit controllers (82599, 8.2.3.8.9).
        const VME = 1 << 30;
        const _ = !0;
    }
}

/// Lets the device use a ring, and waits until it does (82576, 4.5.9 and 4.5.10).
pub fn enable(registers: &impl Registers, ring: RingRegisters) -> Result<(), Fault> {
    registers.write32(ring.control(), RingControl::ENABLE.bits());
    for _ in 0..ENABLE_PATIENCE {
        match registers.read32(ring.control()) {
            u32::MAX => return Err(Fault::Gone),
            control if RingControl::from_bits_retain(control).contains(RingControl::ENABLE) => return Ok(()),
            _ => {}
        }
    }
    Err(Fault::Hung("enabling a ring"))
}
