//! The device's structures in PCI space (virtio 1.2, 4.1.4), and what is done through them.

use hw::{Capability, PciFunction, Registers};
use nic::{Fault, MacAddress};

use crate::queue::Areas;
use crate::registers::{CAPABILITY_VENDOR, Features, Isr, NO_VECTOR, Status, cfg_type, common};

/// Reads of the status while a reset goes on: each takes at least half a microsecond.
const RESET_PATIENCE: u32 = 10_000;

/// The highest BAR; numbers above it are reserved (4.1.4).
const LAST_BAR: u8 = 5;

/// One structure: a part of a BAR.
struct Window<R> {
    registers: R,
    offset: usize,
    length: usize,
}

impl<R: Registers> Window<R> {
    /// Where in the BAR `width` bytes at `offset` of the structure are.
    fn place(&self, offset: usize, width: usize) -> Option<usize> {
        let inside = offset.checked_add(width)? <= self.length;
        let place = self.offset.checked_add(offset).filter(|_| inside)?;
        (place.is_multiple_of(width) && place + width <= self.registers.size()).then_some(place)
    }

    fn read8(&self, offset: usize) -> u8 {
        self.place(offset, 1).map_or(u8::MAX, |place| self.registers.read8(place))
    }

    fn read16(&self, offset: usize) -> u16 {
        self.place(offset, 2).map_or(u16::MAX, |place| self.registers.read16(place))
    }

    fn read32(&self, offset: usize) -> u32 {
        self.place(offset, 4).map_or(u32::MAX, |place| self.registers.read32(place))
    }

    fn write8(&self, offset: usize, value: u8) {
        if let Some(place) = self.place(offset, 1) {
            self.registers.write8(place, value);
        }
    }

    fn write16(&self, offset: usize, value: u16) {
        if let Some(place) = self.place(offset, 2) {
            self.registers.write16(place, value);
        }
    }

    fn write32(&self, offset: usize, value: u32) {
        if let Some(place) = self.place(offset, 4) {
            self.registers.write32(place, value);
        }
    }

    /// A 64-bit field is written in two halves (4.1.3.1).
    fn write64(&self, offset: usize, value: u64) {
        self.write32(offset, value as u32);
        self.write32(offset + 4, (value >> 32) as u32);
    }
}

/// Where the device is notified of a virtqueue.
#[derive(Clone, Copy, Debug)]
pub struct Doorbell {
    queue: u16,
    offset: usize,
}

/// The device, as a virtio device.
pub struct Transport<R> {
    common: Window<R>,
    notify: Window<R>,
    notify_off_multiplier: u32,
    isr: Window<R>,
    device: Window<R>,
}

impl<R: Registers> Transport<R> {
    /// Finds the structures of `function`.
    pub fn find(function: &mut impl PciFunction<Registers = R>) -> Result<Self, Fault> {
        let (common, _) = find_window(function, cfg_type::COMMON)?;
        let (notify, capability) = find_window(function, cfg_type::NOTIFY)?;
        let (isr, _) = find_window(function, cfg_type::ISR)?;
        let (device, _) = find_window(function, cfg_type::DEVICE)?;
        if common.place(common::SIZE - 4, 4).is_none() || isr.place(0, 1).is_none() {
            return Err(Fault::Unusable("its configuration structures are too short"));
        }
        // The multiplier follows the capability's other fields (4.1.4.4).
        let notify_off_multiplier = hw::capability_word(function, capability, 4);
        Ok(Self { common, notify, notify_off_multiplier, isr, device })
    }

    /// The device is there; its status.
    pub fn status(&self) -> Result<Status, Fault> {
        match self.common.read8(common::DEVICE_STATUS) {
            u8::MAX => Err(Fault::Gone),
            status => Ok(Status::from_bits_retain(status)),
        }
    }

    /// Adds to the device's status.
    pub fn add_status(&self, status: Status) -> Result<(), Fault> {
        let status = self.status()? | status;
        self.common.write8(common::DEVICE_STATUS, status.bits());
        Ok(())
    }

    /// Resets the device, after which it is quiet (4.1.4.3.2: the reset is done when the status reads 0).
    pub fn reset(&self) -> Result<(), Fault> {
        self.common.write8(common::DEVICE_STATUS, 0);
        for _ in 0..RESET_PATIENCE {
            if self.status()?.is_empty() {
                return Ok(());
            }
        }
        Err(Fault::Hung("its reset"))
    }

    /// What the device offers.
    pub fn offered(&self) -> u64 {
        let half = |select| {
            self.common.write32(common::DEVICE_FEATURE_SELECT, select);
            u64::from(self.common.read32(common::DEVICE_FEATURE))
        };
        half(0) | half(1) << 32
    }

    /// Agrees with the reset device on `features` (3.1.1, steps 2 to 6).
    pub fn negotiate(&self, features: Features) -> Result<(), Fault> {
        self.add_status(Status::ACKNOWLEDGE)?;
        self.add_status(Status::DRIVER)?;
        for (select, half) in [(0, features.bits() as u32), (1, (features.bits() >> 32) as u32)] {
            self.common.write32(common::DRIVER_FEATURE_SELECT, select);
            self.common.write32(common::DRIVER_FEATURE, half);
        }
        self.add_status(Status::FEATURES_OK)?;
        if self.status()?.contains(Status::FEATURES_OK) {
            Ok(())
        } else {
            Err(Fault::Unusable("it refuses the features that it offers"))
        }
    }

    /// Sends interrupts for changes of the configuration to this MSI-X vector.
    pub fn set_config_vector(&self, vector: u16) -> Result<(), Fault> {
        self.set_vector(common::CONFIG_MSIX_VECTOR, vector)
    }

    /// How many entries virtqueue `queue` can have; 0 if there is none.
    pub fn queue_size(&self, queue: u16) -> u16 {
        self.common.write16(common::QUEUE_SELECT, queue);
        self.common.read16(common::QUEUE_SIZE)
    }

    /// Sets virtqueue `queue` up (4.1.5.1.3), with its interrupts at MSI-X vector `vector` if there is one.
    pub fn enable_queue(
        &self,
        queue: u16,
        entries: u16,
        areas: Areas,
        vector: Option<u16>,
    ) -> Result<Doorbell, Fault> {
        self.common.write16(common::QUEUE_SELECT, queue);
        self.common.write16(common::QUEUE_SIZE, entries);
        self.common.write64(common::QUEUE_DESC, areas.descriptors);
        self.common.write64(common::QUEUE_DRIVER, areas.driver);
        self.common.write64(common::QUEUE_DEVICE, areas.device);
        if let Some(vector) = vector {
            self.set_vector(common::QUEUE_MSIX_VECTOR, vector)?;
        }
        let units = u64::from(self.common.read16(common::QUEUE_NOTIFY_OFF));
        let offset = usize::try_from(units * u64::from(self.notify_off_multiplier)).ok();
        let offset = offset.filter(|&offset| self.notify.place(offset, 2).is_some());
        let offset = offset.ok_or(Fault::Unusable("a virtqueue's notification is outside its structure"))?;
        self.common.write16(common::QUEUE_ENABLE, 1);
        Ok(Doorbell { queue, offset })
    }

    /// Notifies the device that there is something for it (4.1.5.2).
    pub fn notify(&self, doorbell: Doorbell) {
        self.notify.write16(doorbell.offset, doorbell.queue);
    }

    /// Why the device pulls its interrupt line, which it then lets go.
    pub fn take_isr(&self) -> Result<Isr, Fault> {
        let isr = self.isr.read8(0);
        if isr == u8::MAX {
            self.status()?;
        }
        Ok(Isr::from_bits_retain(isr))
    }

    /// Bytes of the device's own configuration.
    pub fn config_size(&self) -> usize {
        self.device.length
    }

    /// 8 bits of the device's own configuration.
    pub fn config8(&self, offset: usize) -> u8 {
        self.device.read8(offset)
    }

    /// 16 bits of the device's own configuration.
    pub fn config16(&self, offset: usize) -> u16 {
        self.device.read16(offset)
    }

    /// 32 bits of the device's own configuration.
    pub fn config32(&self, offset: usize) -> u32 {
        self.device.read32(offset)
    }

    /// An Ethernet address in the device's own configuration.
    pub fn config_address(&self, offset: usize) -> MacAddress {
        MacAddress(std::array::from_fn(|index| self.config8(offset + index)))
    }

    /// The registers that tell a person of the device's state. None of them changes by being read.
    pub fn registers(&self) -> [(&'static str, u32); 5] {
        [
            ("device_status", self.common.read8(common::DEVICE_STATUS).into()),
            ("config_generation", self.common.read8(common::CONFIG_GENERATION).into()),
            ("num_queues", self.common.read16(common::NUM_QUEUES).into()),
            ("config_msix_vector", self.common.read16(common::CONFIG_MSIX_VECTOR).into()),
            ("notify_off_multiplier", self.notify_off_multiplier),
        ]
    }

    fn set_vector(&self, register: usize, vector: u16) -> Result<(), Fault> {
        self.common.write16(register, vector);
        match self.common.read16(register) {
            NO_VECTOR => Err(Fault::Unusable("it cannot use its MSI-X vector")),
            _ => Ok(()),
        }
    }
}

/// The first structure of this type that can be used, with its capability.
fn find_window<F: PciFunction>(
    function: &mut F,
    cfg_type: u8,
) -> Result<(Window<F::Registers>, Capability), Fault> {
    let found = hw::capabilities(function).find_map(|capability| {
        let [id, _, _, kind] = hw::capability_word(function, capability, 0).to_le_bytes();
        let [bar, ..] = hw::capability_word(function, capability, 1).to_le_bytes();
        (id == CAPABILITY_VENDOR && kind == cfg_type && bar <= LAST_BAR).then_some((capability, bar))
    });
    let missing = Fault::Unusable("it has no modern interface (virtio 1.0 and later)");
    let (capability, bar) = found.ok_or(missing)?;
    let field = |index| hw::capability_word(function, capability, index) as usize;
    let (offset, length) = (field(2), field(3));
    let registers = function.registers(bar.into())?;
    match offset.checked_add(length) {
        Some(end) if end <= registers.size() => Ok((Window { registers, offset, length }, capability)),
        _ => Err(Fault::Unusable("a configuration structure reaches beyond its BAR")),
    }
}
