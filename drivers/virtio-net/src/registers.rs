//! Registers, bits and commands, by the names and sections of virtio 1.2.

use bitflags::bitflags;

/// The common configuration structure (4.1.4.3).
pub mod common {
    /// Which 32 feature bits `DEVICE_FEATURE` shows.
    pub const DEVICE_FEATURE_SELECT: usize = 0x00;
    /// Feature bits that the device offers.
    pub const DEVICE_FEATURE: usize = 0x04;
    /// Which 32 feature bits `DRIVER_FEATURE` sets.
    pub const DRIVER_FEATURE_SELECT: usize = 0x08;
    /// Feature bits that the driver accepts.
    pub const DRIVER_FEATURE: usize = 0x0c;
    /// MSI-X vector of configuration changes, 16 bits.
    pub const CONFIG_MSIX_VECTOR: usize = 0x10;
    /// How many virtqueues there are, 16 bits.
    pub const NUM_QUEUES: usize = 0x12;
    /// The device's status, 8 bits: see [`Status`](super::Status).
    pub const DEVICE_STATUS: usize = 0x14;
    /// Changes when the device's configuration has changed, 8 bits.
    pub const CONFIG_GENERATION: usize = 0x15;
    /// Which virtqueue the fields below are of, 16 bits.
    pub const QUEUE_SELECT: usize = 0x16;
    /// Entries of the virtqueue, 16 bits: the most at reset; 0 if there is no such virtqueue.
    pub const QUEUE_SIZE: usize = 0x18;
    /// MSI-X vector of the virtqueue, 16 bits.
    pub const QUEUE_MSIX_VECTOR: usize = 0x1a;
    /// The virtqueue is in use, 16 bits.
    pub const QUEUE_ENABLE: usize = 0x1c;
    /// Where to notify of the virtqueue, 16 bits, in units of the multiplier (4.1.4.4).
    pub const QUEUE_NOTIFY_OFF: usize = 0x1e;
    /// Bus address of the descriptor area, 64 bits.
    pub const QUEUE_DESC: usize = 0x20;
    /// Bus address of the driver area, 64 bits.
    pub const QUEUE_DRIVER: usize = 0x28;
    /// Bus address of the device area, 64 bits.
    pub const QUEUE_DEVICE: usize = 0x30;
    /// Bytes of the structure, without what newer versions have appended.
    pub const SIZE: usize = 0x38;
}

/// The network device's configuration structure (5.1.4).
pub mod net {
    /// The device's address, 6 bytes.
    pub const MAC: usize = 0;
    /// See [`NetStatus`](super::NetStatus), 16 bits.
    pub const STATUS: usize = 6;
    /// Pairs of a receive and a transmit virtqueue that the device has, 16 bits.
    pub const MAX_VIRTQUEUE_PAIRS: usize = 8;
    /// The largest MTU, 16 bits.
    pub const MTU: usize = 10;
    /// Mbit/s, 32 bits; above 0x7fff_ffff if not known.
    pub const SPEED: usize = 12;
    /// 0 half, 1 full, 8 bits; anything else if not known.
    pub const DUPLEX: usize = 16;
    /// The longest key of RSS, 8 bits.
    pub const RSS_MAX_KEY_SIZE: usize = 17;
    /// The longest table of RSS, 16 bits.
    pub const RSS_MAX_INDIRECTION_TABLE_LENGTH: usize = 18;
    /// What can be hashed, 32 bits: see [`hash_types`](super::hash_types).
    pub const SUPPORTED_HASH_TYPES: usize = 20;
}

/// PCI capability id of the vendor's own structures (4.1.4).
pub const CAPABILITY_VENDOR: u8 = 0x09;

/// `cfg_type` of the structures that are used (4.1.4).
pub mod cfg_type {
    /// Common configuration.
    pub const COMMON: u8 = 1;
    /// Notifications.
    pub const NOTIFY: u8 = 2;
    /// Interrupt status.
    pub const ISR: u8 = 3;
    /// Device configuration.
    pub const DEVICE: u8 = 4;
}

/// "No MSI-X vector" (4.1.5.1.2); also what a vector register reads where the device could not map the vector.
pub const NO_VECTOR: u16 = 0xffff;

/// The numbers of virtqueues (5.1.2).
pub mod virtqueue {
    /// The receive virtqueue of pair `pair`, from 0.
    pub const fn receive(pair: u16) -> u16 {
        2 * pair
    }

    /// The transmit virtqueue of pair `pair`.
    pub const fn transmit(pair: u16) -> u16 {
        2 * pair + 1
    }

    /// The control virtqueue of a device that has so many pairs; of one where several were not negotiated, it has one.
    pub const fn control(pairs: u16) -> u16 {
        2 * pairs
    }
}

/// What RSS hashes, a bit each (5.1.6.4.3.1).
pub mod hash_types {
    /// VIRTIO_NET_HASH_TYPE_IPv4.
    pub const IP4: u32 = 1 << 0;
    /// VIRTIO_NET_HASH_TYPE_TCPv4.
    pub const TCP4: u32 = 1 << 1;
    /// VIRTIO_NET_HASH_TYPE_UDPv4.
    pub const UDP4: u32 = 1 << 2;
    /// VIRTIO_NET_HASH_TYPE_IPv6.
    pub const IP6: u32 = 1 << 3;
    /// VIRTIO_NET_HASH_TYPE_TCPv6.
    pub const TCP6: u32 = 1 << 4;
    /// VIRTIO_NET_HASH_TYPE_UDPv6.
    pub const UDP6: u32 = 1 << 5;
}

bitflags! {
    /// Feature bits that the driver knows (5.1.3 and 6).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Features: u64 {
        /// The device fills in checksums.
        const CSUM = 1 << 0;
        /// The driver takes frames whose checksums are not filled in.
        const GUEST_CSUM = 1 << 1;
        /// The largest MTU is in the configuration.
        const MTU = 1 << 3;
        /// The address is in the configuration.
        const MAC = 1 << 5;
        /// The device may join segments of TCP over IPv4 that the driver receives.
        const GUEST_TSO4 = 1 << 7;
        /// The same over IPv6.
        const GUEST_TSO6 = 1 << 8;
        /// The device makes segments of what is several of TCP over IPv4.
        const HOST_TSO4 = 1 << 11;
        /// The same over IPv6.
        const HOST_TSO6 = 1 << 12;
        /// A frame may take several receive buffers.
        const MRG_RXBUF = 1 << 15;
        /// The link's state is in the configuration.
        const STATUS = 1 << 16;
        /// There is a control virtqueue.
        const CTRL_VQ = 1 << 17;
        /// It takes receive modes.
        const CTRL_RX = 1 << 18;
        /// It takes the VLANs whose frames are received; without it, they all are.
        const CTRL_VLAN = 1 << 19;
        /// There are several pairs of virtqueues for frames.
        const MQ = 1 << 22;
        /// It takes the address.
        const CTRL_MAC_ADDR = 1 << 23;
        /// Notifications and interrupts are asked for by index.
        const EVENT_IDX = 1 << 29;
        /// This interface, not the legacy one.
        const VERSION_1 = 1 << 32;
        /// The device reaches memory as the platform has it: through the IOMMU, where there is one.
        const ACCESS_PLATFORM = 1 << 33;
        /// Virtqueues are packed rings, not split ones.
        const RING_PACKED = 1 << 34;
        /// The control virtqueue takes delays of notifications.
        const NOTF_COAL = 1 << 53;
        /// It takes how received frames are spread over the pairs.
        const RSS = 1 << 60;
        /// Speed and duplex are in the configuration.
        const SPEED_DUPLEX = 1 << 63;
    }

    /// `device_status` (2.1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Status: u8 {
        /// The driver has noticed the device.
        const ACKNOWLEDGE = 1;
        /// The driver can drive it.
        const DRIVER = 2;
        /// The driver is ready.
        const DRIVER_OK = 4;
        /// Features are agreed on.
        const FEATURES_OK = 8;
        /// The device has failed, and must be reset.
        const DEVICE_NEEDS_RESET = 64;
        const _ = !0;
    }

    /// `status` of the network device's configuration (5.1.4).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct NetStatus: u16 {
        /// The link is up.
        const LINK_UP = 1;
        const _ = !0;
    }

    /// The ISR status (4.1.4.5): reading clears it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Isr: u8 {
        /// A virtqueue has news.
        const QUEUE = 1;
        /// The configuration has changed, or the device needs a reset.
        const CONFIGURATION = 2;
        const _ = !0;
    }
}

/// Commands of the control virtqueue: class and command (5.1.6.5).
pub mod command {
    /// VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC.
    pub const RX_PROMISC: [u8; 2] = [0, 0];
    /// VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI.
    pub const RX_ALLMULTI: [u8; 2] = [0, 1];
    /// VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET.
    pub const MAC_TABLE_SET: [u8; 2] = [1, 0];
    /// VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET.
    pub const MAC_ADDR_SET: [u8; 2] = [1, 1];
    /// VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD.
    pub const VLAN_ADD: [u8; 2] = [2, 0];
    /// VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL.
    pub const VLAN_DEL: [u8; 2] = [2, 1];
    /// VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET.
    pub const MQ_VQ_PAIRS_SET: [u8; 2] = [4, 0];
    /// VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_RSS_CONFIG.
    pub const MQ_RSS_CONFIG: [u8; 2] = [4, 1];
    /// VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_TX_SET.
    pub const COAL_TX_SET: [u8; 2] = [6, 0];
    /// VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_RX_SET.
    pub const COAL_RX_SET: [u8; 2] = [6, 1];
    /// VIRTIO_NET_OK: the acknowledgement of a command that was carried out.
    pub const OK: u8 = 0;
}
