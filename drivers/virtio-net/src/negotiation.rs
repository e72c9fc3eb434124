//! What driver and device agree on.

use std::ops::RangeInclusive;

use hw::Registers;
use nic::buffer::CAPACITY;
use nic::frame::{HEADER, VLAN_TAG};
use nic::{Fault, Moderation, RingLimits, Rings, Step};

use crate::header;
use crate::queue::MOST_ENTRIES;
use crate::receive::MOST_PIECES;
use crate::registers::{Features, net, virtqueue};
use crate::transport::Transport;

/// Fewer entries than this hold no frame of the longest kind.
pub const LEAST_ENTRIES: u16 = 16;

/// The least MTU that IPv4 allows (RFC 791), and a device may name (5.1.4.1).
pub const LEAST_MTU: u16 = 68;

/// The longest delay of a notification that is asked for, in microseconds; the device has no limit of its own.
const MOST_DELAY: u32 = 10_000;

/// By which the device may join what it receives.
const JOINED: Features = Features::GUEST_TSO4.union(Features::GUEST_TSO6);

/// What is switched with the driver's settings by negotiating anew.
const SWITCHED: [(nic::Features, Features); 2] =
    [(nic::Features::VLAN_FILTER, Features::CTRL_VLAN), (nic::Features::RX_JOINED, JOINED)];

/// Of `features`, what these settings leave on.
pub fn wanted(mut features: Features, settings: nic::Features) -> Features {
    for (_, feature) in SWITCHED.into_iter().filter(|(setting, _)| !settings.contains(*setting)) {
        features.remove(feature);
    }
    features
}

/// Whether going from some settings to others takes another negotiation.
pub fn is_another(from: nic::Features, to: nic::Features) -> bool {
    SWITCHED.into_iter().any(|(setting, _)| (from ^ to).contains(setting))
}

/// What the driver and the device both know, without what needs something that is missing.
pub fn usable<R: Registers>(transport: &Transport<R>, behind_iommu: bool) -> Result<Features, Fault> {
    let mut features = Features::from_bits_truncate(transport.offered());
    if !features.contains(Features::VERSION_1) {
        return Err(Fault::Unusable("it has no modern interface (virtio 1.0 and later)"));
    }
    if behind_iommu && !features.contains(Features::ACCESS_PLATFORM) {
        return Err(Fault::Unusable(
            "it goes round the IOMMU (it does not offer VIRTIO_F_ACCESS_PLATFORM; QEMU: iommu_platform=on)",
        ));
    }
    let fields = [
        (Features::MAC, net::MAC + 6),
        (Features::STATUS, net::STATUS + 2),
        (Features::MTU, net::MTU + 2),
        (Features::SPEED_DUPLEX, net::DUPLEX + 1),
    ];
    for (feature, _) in fields.into_iter().filter(|(_, end)| *end > transport.config_size()) {
        features.remove(feature);
    }
    if !features.contains(Features::CSUM) {
        // They need it (5.1.3.1).
        features.remove(Features::HOST_TSO4 | Features::HOST_TSO6);
    }
    if !features.contains(Features::GUEST_CSUM | Features::MRG_RXBUF) {
        // They need the former (5.1.3.1), and the driver's buffers hold such frames only together.
        features.remove(JOINED);
    }
    if !features.contains(Features::CTRL_VQ) {
        features.remove(Features::CTRL_RX | Features::CTRL_MAC_ADDR);
        features.remove(Features::CTRL_VLAN | Features::NOTF_COAL);
        features.remove(Features::MQ | Features::RSS);
    }
    Ok(features)
}

/// What the device does for the driver, of what was negotiated.
pub fn offloads(features: Features) -> nic::Features {
    let mut facilities = nic::Features::empty();
    facilities.set(nic::Features::RX_CHECKSUM, features.contains(Features::GUEST_CSUM));
    facilities.set(nic::Features::TX_CHECKSUM, features.contains(Features::CSUM));
    facilities.set(nic::Features::TX_SEGMENTS, features.contains(Features::HOST_TSO4));
    facilities.set(nic::Features::TX_SEGMENTS_V6, features.contains(Features::HOST_TSO6));
    facilities.set(nic::Features::RX_JOINED, features.intersects(JOINED));
    facilities.set(nic::Features::VLAN_FILTER, features.contains(Features::CTRL_VLAN));
    facilities
}

/// The most entries that virtqueue `queue` can have: what the device allows, in a power of two (2.7); 0 for none.
pub fn most_entries<R: Registers>(transport: &Transport<R>, queue: u16) -> u16 {
    let most = transport.queue_size(queue).min(MOST_ENTRIES);
    most.checked_ilog2().map_or(0, |power| 1 << power)
}

/// The sizes of the virtqueues for frames.
pub fn ring_limits<R: Registers>(transport: &Transport<R>) -> RingLimits {
    let most = |queue| most_entries(transport, queue).max(LEAST_ENTRIES);
    let most = Rings { receive: most(virtqueue::receive(0)), transmit: most(virtqueue::transmit(0)) };
    RingLimits { initial: most, least: Rings::both(LEAST_ENTRIES), most, step: Step::PowerOfTwo }
}

/// Without VIRTIO_NET_F_NOTF_COAL the device decides when to notify.
pub fn moderation(features: Features) -> Moderation {
    if features.contains(Features::NOTF_COAL) {
        Moderation::TwoIntervals(MOST_DELAY)
    } else {
        Moderation::None
    }
}

/// The MTUs of a device: up to its own where it has one, and to what a frame's buffers hold.
pub fn mtu(features: Features, own: u16) -> RangeInclusive<usize> {
    let pieces = if features.contains(Features::MRG_RXBUF) { MOST_PIECES } else { 1 };
    let room = pieces * CAPACITY - header::SIZE - HEADER - VLAN_TAG;
    let own = if features.contains(Features::MTU) { own } else { u16::MAX };
    LEAST_MTU.into()..=room.min(own.into())
}
