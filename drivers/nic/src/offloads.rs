//! What of the work on frames that are sent is the device's.

use scheme::vnet;

use crate::features::Features;
use crate::frame::{Checksum, MINIMUM, VLAN_TAG, is_tagged};
use crate::packet::{Packet, TCP, UDP};
use crate::port::Port;
use crate::segments::Cut;

/// Checksums that stand farther in a frame than this are none for devices, many of which count in 8 bits.
const REACH: u16 = 0xff;

/// Where TCP and UDP have their checksums: devices know of no others.
const OF_TCP: u16 = 16;
const OF_UDP: u16 = 6;

/// Where a device's work ends, beside what its features say: what is beyond that, the driver does. By default nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffloadLimits {
    /// Bytes of the longest frame, without its tag, whose checksum it fills in, and of the longest segment that it makes.
    pub longest: Option<usize>,
    /// The most segments that it makes of a frame.
    pub segments: Option<usize>,
    /// It does not see to it that of several segments the first alone has TCP's flag CWR.
    pub leaves_cwr: bool,
}

/// What the device of a port does, as its features are set.
#[derive(Clone, Copy, Debug)]
pub struct Offloads {
    features: Features,
    limits: OffloadLimits,
}

impl Offloads {
    /// What that of `port` does now.
    pub fn of(port: &Port) -> Self {
        Self { features: port.settings.features, limits: port.info.facilities.offloads }
    }

    /// It puts in the tags that it is told.
    pub fn put_tags_in(self) -> bool {
        self.features.contains(Features::TX_VLAN)
    }

    /// It makes the segments that `cut` is of a frame with this header.
    pub fn make_segments(self, header: vnet::Header, frame: &[u8], cut: &Cut<'_>) -> bool {
        let is_ipv6 = header.segments.is_some_and(|segments| segments.is_ipv6);
        let feature = if is_ipv6 { Features::TX_SEGMENTS_V6 } else { Features::TX_SEGMENTS };
        self.features.contains(feature)
            && self.fill_in(header, frame)
            && self.limits.segments.is_none_or(|most| cut.count() <= most)
            && !(self.limits.leaves_cwr && cut.has_cwr())
    }

    /// It fills in the checksum of a frame with this header, or those of its segments.
    pub fn fill_in(self, header: vnet::Header, frame: &[u8]) -> bool {
        let Checksum::Partial { start, offset } = header.checksum else { return false };
        // QEMU's devices take what a frame is padded with for a part of its packet.
        frame.len() >= MINIMUM
            && self.limits.longest.is_none_or(|longest| length_on_the_wire(header, frame) <= longest)
            // A tag may come before it.
            && start <= (REACH - VLAN_TAG as u16).saturating_sub(offset)
            && [OF_TCP, OF_UDP].contains(&offset)
            && (self.features.contains(Features::TX_CHECKSUM) || self.find(header, frame, start, offset))
    }

    /// It finds the place of this checksum by itself.
    fn find(self, header: vnet::Header, frame: &[u8], start: u16, offset: u16) -> bool {
        let is_tagged = is_tagged(frame) || header.vlan.is_some() && !self.put_tags_in();
        let Some(packet) = Packet::of(frame).filter(|_| !is_tagged) else { return false };
        let feature = if packet.is_ipv6 { Features::TX_CHECKSUM_V6 } else { Features::TX_CHECKSUM_V4 };
        self.features.contains(feature)
            && packet.transport == start.into()
            && [(TCP, OF_TCP), (UDP, OF_UDP)].contains(&(packet.protocol, offset))
    }
}

/// Bytes of a frame, or of the longest of its segments.
fn length_on_the_wire(header: vnet::Header, frame: &[u8]) -> usize {
    let segment = header.segments.map(|segments| usize::from(segments.header) + usize::from(segments.size));
    segment.unwrap_or(usize::MAX).min(frame.len())
}
