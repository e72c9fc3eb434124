//! Mappings: BARs into this process, this process's memory to the device.

use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use super::device::Device;
use super::ioctl::{self, Region, RegionFlags};
use crate::mmio::{self, Mmio};
use crate::{Error, dma};

/// A BAR of the function.
pub type Registers = Mmio<Window>;

/// A mapped BAR. The function is not given back before it is unmapped.
pub struct Window {
    /// Unmapped first.
    _mapping: Mapping,
    device: Rc<Device>,
}

impl mmio::Mapping for Window {
    fn is_powered(&self) -> bool {
        !self.device.power.is_down()
    }
}

/// Memory that is mapped until this is dropped.
pub struct Mapping {
    base: NonNull<c_void>,
    size: usize,
}

impl Mapping {
    /// # Safety
    /// `base` must be a mapping of `size` bytes that nobody else unmaps.
    unsafe fn new(base: *mut c_void, size: usize) -> io::Result<Self> {
        let base = NonNull::new(base).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { base, size })
    }

    fn of_bar(device: &Device, region: Region) -> io::Result<Self> {
        let size = usize::try_from(region.size).map_err(io::Error::other)?;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses an address that is free.
        unsafe {
            let base = mmap(ptr::null_mut(), size, protection, MapFlags::SHARED, device.fd(), region.offset)?;
            Self::new(base, size)
        }
    }

    /// Zeroed pages. They are shared with children, should there be any, so that a fork never moves them away
    /// from the device.
    fn anonymous(size: usize) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses an address that is free.
        unsafe { Self::new(mmap_anonymous(ptr::null_mut(), size, protection, MapFlags::SHARED)?, size) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours (`new`), and whoever used it has let it go.
        if let Err(error) = unsafe { munmap(self.base.as_ptr(), self.size) } {
            log::error!("cannot unmap {} bytes: {error}", self.size);
        }
    }
}

/// Maps BAR `bar`.
pub fn registers(device: &Rc<Device>, bar: usize) -> Result<Registers, Error> {
    let location = device.location;
    let map = || Error::system(format!("map BAR {bar} of PCI function {location}"));
    let index = u32::try_from(bar).ok().filter(|index| *index < 6);
    let region = match index {
        Some(index) => ioctl::region(device.fd(), index).map_err(map())?,
        None => return Err(Error::NoBar { location, bar }),
    };
    if region.size == 0 || !region.flags.contains(RegionFlags::MMAP) {
        return Err(Error::NoBar { location, bar });
    }
    let mapping = Mapping::of_bar(device, region).map_err(map())?;
    let (base, size) = (mapping.base.cast(), mapping.size);
    let window = Window { _mapping: mapping, device: device.clone() };
    // SAFETY: the mapping is of this size, begins at a page, lives as long as `window`, and is reached through
    // it only. While the function is powered down, when VFIO makes each access a fault, `window` says so.
    Ok(unsafe { Mmio::new(base, size, window) })
}

/// Memory that the device reaches.
struct DmaMemory {
    device: Rc<Device>,
    iova: u64,
    mapping: Mapping,
}

impl dma::Backing for DmaMemory {
    fn quiet(&self) {
        self.device.quiet();
    }
}

impl Drop for DmaMemory {
    fn drop(&mut self) {
        match ioctl::unmap_dma(self.device.container(), self.iova, self.mapping.size) {
            Ok(()) => self.device.iova.borrow_mut().give_back(self.iova),
            Err(error) => {
                log::error!("cannot take DMA memory from PCI function {}: {error}", self.device.location)
            }
        }
    }
}

/// Memory of `size` bytes for the device, at a bus address below 2^`address_bits`.
pub fn dma_arena(device: &Rc<Device>, size: usize, address_bits: u32) -> Result<dma::Arena, Error> {
    let page = rustix::param::page_size();
    let size = size
        .max(1)
        .checked_next_multiple_of(page)
        .ok_or_else(|| Error::NoMemory(format!("{size} bytes are more than there is address space")))?;
    let mapping = Mapping::anonymous(size).map_err(Error::system(format!("map {size} bytes for DMA")))?;
    let iova = device.iova.borrow_mut().take(size as u64, address_bits).ok_or_else(|| {
        Error::NoMemory(format!("no {size} bytes of bus addresses below 2^{address_bits} are free"))
    })?;
    let base = mapping.base;
    // SAFETY: the memory is a fresh mapping, which `DmaMemory` keeps until after `unmap_dma`.
    if let Err(error) = unsafe { ioctl::map_dma(device.container(), base.as_ptr(), iova, size) } {
        device.iova.borrow_mut().give_back(iova);
        let action = format!(
            "give PCI function {} {size} bytes for DMA (they count against RLIMIT_MEMLOCK)",
            device.location
        );
        return Err(Error::system(action)(error));
    }
    let memory = DmaMemory { device: device.clone(), iova, mapping };
    // SAFETY: the mapping lives as long as `memory`, begins at a page as the bus address does, and is reached
    // through the arena only; the bus addresses are of a range whose end is a number, too.
    Ok(unsafe { dma::Arena::new(base.cast(), size, iova, Box::new(memory)) })
}
