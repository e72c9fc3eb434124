//! The registers: where they are, and what reading and writing them does (4.1.4).

use hw::fake::{Bus, Model, POWER_MANAGEMENT};
use hw::{Identity, InterruptKind};
use virtio_net::registers::{Features, Isr, NO_VECTOR, Status, cfg_type, common, net};

use super::Device;

/// The BAR with everything in it, and what is where.
const BAR: usize = 4;
const COMMON: usize = 0x0000;
const ISR: usize = 0x1000;
const DEVICE: usize = 0x2000;
const NOTIFY: usize = 0x3000;
const END: usize = 0x4000;

/// Bytes of its configuration.
const CONFIG: usize = 0x18;

/// Units of `queue_notify_off`.
const MULTIPLIER: usize = 4;

impl<const PACKED: bool> Device<PACKED> {
    fn read_common(&self, offset: usize) -> u32 {
        let half = |features: u64, select| if select < 2 { (features >> (32 * select)) as u32 } else { 0 };
        let queue = self.queues.get(usize::from(self.queue));
        match offset {
            common::DEVICE_FEATURE => half(self.offered, self.device_select),
            common::CONFIG_MSIX_VECTOR => self.config_vector.into(),
            common::NUM_QUEUES => self.queues.len() as u32,
            common::DEVICE_STATUS => {
                let failed = if self.faults.failed { Status::DEVICE_NEEDS_RESET } else { Status::empty() };
                (self.status | failed).bits().into()
            }
            common::QUEUE_SIZE => queue.map_or(0, |queue| queue.areas.size.into()),
            common::QUEUE_MSIX_VECTOR => queue.map_or(NO_VECTOR, |queue| queue.vector).into(),
            common::QUEUE_ENABLE => queue.is_some_and(|queue| queue.enabled).into(),
            common::QUEUE_NOTIFY_OFF => self.queue.into(),
            _ => 0,
        }
    }

    fn write_common(&mut self, bus: &mut Bus, offset: usize, value: u32) {
        let vector = if self.messages { value as u16 } else { NO_VECTOR };
        let (low, high) = (u64::from(value), u64::from(value) << 32);
        match offset {
            common::DEVICE_FEATURE_SELECT => return self.device_select = value,
            common::DRIVER_FEATURE_SELECT => return self.driver_select = value,
            common::DRIVER_FEATURE if self.driver_select == 0 => return self.accepted = low,
            common::DRIVER_FEATURE => return self.accepted |= high,
            common::CONFIG_MSIX_VECTOR => return self.config_vector = vector,
            common::DEVICE_STATUS if value == 0 && self.faults.endless_reset => return,
            common::DEVICE_STATUS if value == 0 => return self.reset(bus),
            common::DEVICE_STATUS => return self.set_status(Status::from_bits_retain(value as u8)),
            common::QUEUE_SELECT => return self.queue = value as u16,
            _ => {}
        }
        let packed = self.has(Features::RING_PACKED);
        let Some(queue) = self.queues.get_mut(usize::from(self.queue)) else { return };
        match offset {
            common::QUEUE_SIZE => queue.areas.size = value as u16,
            common::QUEUE_MSIX_VECTOR => queue.vector = vector,
            common::QUEUE_ENABLE if value == 1 => queue.enable(packed),
            common::QUEUE_DESC => queue.areas.descriptors = low,
            common::QUEUE_DRIVER => queue.areas.driver = low,
            common::QUEUE_DEVICE => queue.areas.device = low,
            _ if offset == common::QUEUE_DESC + 4 => queue.areas.descriptors |= high,
            _ if offset == common::QUEUE_DRIVER + 4 => queue.areas.driver |= high,
            _ if offset == common::QUEUE_DEVICE + 4 => queue.areas.device |= high,
            _ => {}
        }
    }

    fn set_status(&mut self, status: Status) {
        let disagree = self.faults.fickle || self.accepted & !self.offered != 0;
        self.status = if disagree { status - Status::FEATURES_OK } else { status };
    }

    fn read_config(&self, offset: usize, size: usize) -> u32 {
        let mut config = [0; CONFIG];
        config[net::MAC..][..6].copy_from_slice(&Self::MAC);
        config[net::STATUS] = self.link_up.into();
        config[net::MTU..][..2].copy_from_slice(&self.mtu.to_le_bytes());
        config[net::SPEED..][..4].copy_from_slice(&10_000u32.to_le_bytes());
        config[net::DUPLEX] = 1;
        config[net::MAX_VIRTQUEUE_PAIRS..][..2].copy_from_slice(&self.pairs.to_le_bytes());
        config[net::RSS_MAX_KEY_SIZE] = self.rss_limits.0;
        config[net::RSS_MAX_INDIRECTION_TABLE_LENGTH..][..2]
            .copy_from_slice(&self.rss_limits.1.to_le_bytes());
        config[net::SUPPORTED_HASH_TYPES] = 0x3f;
        let mut word = [0; 4];
        word[..size].copy_from_slice(&config[offset..offset + size]);
        u32::from_le_bytes(word)
    }
}

/// Bytes of the access that a field of the common structure wants (4.1.3.1).
fn width(offset: usize) -> usize {
    match offset {
        common::DEVICE_STATUS | common::CONFIG_GENERATION => 1,
        common::CONFIG_MSIX_VECTOR | common::NUM_QUEUES => 2,
        common::QUEUE_SELECT..common::QUEUE_DESC => 2,
        _ => 4,
    }
}

impl<const PACKED: bool> Model for Device<PACKED> {
    fn identity(&self) -> Identity {
        Identity { vendor: 0x1af4, device: self.device, class: [2, 0, 0], revision: 1 }
    }

    fn bar_size(&self, bar: usize) -> usize {
        if bar == BAR { END } else { 0 }
    }

    fn interrupts(&self) -> Vec<InterruptKind> {
        let messages = self.messages.then_some(InterruptKind::MsiX { vectors: 10 });
        [InterruptKind::Intx].into_iter().chain(messages).collect()
    }

    /// A capability of each kind, behind one that nobody knows and one in a reserved BAR; then power management.
    fn capabilities(&self) -> Vec<u8> {
        let structures = [
            (0x77, BAR, 0, 0x10),
            (cfg_type::COMMON, 7, COMMON, 0x38),
            (cfg_type::COMMON, BAR, COMMON, 0x38),
            (cfg_type::ISR, BAR, ISR, 1),
            (cfg_type::DEVICE, BAR, DEVICE, CONFIG),
            (cfg_type::NOTIFY, BAR, NOTIFY, self.queues.len() * MULTIPLIER),
        ];
        let mut bytes = Vec::new();
        for (index, (kind, bar, offset, length)) in structures.into_iter().enumerate() {
            let next = 0x40 + 20 * (index + 1);
            bytes.extend([9, next as u8, 20, kind, bar as u8, 0, 0, 0]);
            for word in [offset, length, MULTIPLIER] {
                bytes.extend((word as u32).to_le_bytes());
            }
        }
        bytes.extend(POWER_MANAGEMENT);
        if self.legacy { Vec::new() } else { bytes }
    }

    fn power_up(&mut self, bus: &mut Bus) {
        self.reset(bus);
    }

    fn read(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize) -> u32 {
        assert_eq!(bar, BAR);
        if let Some(lie) = self.faults.lies.pop_front() {
            return lie;
        }
        match offset {
            ISR => {
                let isr = std::mem::replace(&mut self.isr, Isr::empty());
                self.drive_line(bus);
                isr.bits().into()
            }
            DEVICE..NOTIFY => self.read_config(offset - DEVICE, size),
            _ => {
                assert_eq!(size, width(offset), "the width of the field at {offset:#x}");
                self.read_common(offset)
            }
        }
    }

    fn write(&mut self, bus: &mut Bus, bar: usize, offset: usize, size: usize, value: u32) {
        assert_eq!(bar, BAR);
        if offset >= NOTIFY {
            assert_eq!((offset - NOTIFY, size), (MULTIPLIER * value as usize, 2));
            return self.notified(bus, value as u16);
        }
        assert_eq!(size, width(offset), "the width of the field at {offset:#x}");
        self.write_common(bus, offset, value);
    }
}
