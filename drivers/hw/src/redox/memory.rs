//! Mappings: BARs, and contiguous memory with its physical address (kernel, `src/scheme/memory.rs`).

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use libredox::Fd;
use libredox::call::{MmapArgs, mmap, munmap};
use libredox::flag::{MAP_PRIVATE, MAP_SHARED, O_CLOEXEC, O_RDWR, PROT_READ, PROT_WRITE};
use syscall::{CallFlags, PAGE_SIZE};

use super::Device;
use crate::mmio::{self, Mmio};
use crate::pcid::message::{self, Bar};
use crate::pcid::reach::check_reach;
use crate::{Error, dma};

/// Uncacheable memory, in the offset of pcid's mappings.
const UNCACHEABLE: u64 = 1;

/// DMA memory is cached where the hardware keeps caches coherent with devices.
const CONTIGUOUS: &str =
    if cfg!(target_arch = "x86_64") { "zeroed@wb?phys_contiguous" } else { "zeroed@uc?phys_contiguous" };

/// A BAR of the function.
pub type Registers = Mmio<Window>;

/// A mapped BAR.
pub struct Window {
    _mapping: Mapping,
    device: Rc<Device>,
}

impl mmio::Mapping for Window {
    fn is_powered(&self) -> bool {
        !self.device.power.is_down()
    }
}

/// The memory scheme's root, opened before the process gives up its namespace.
pub struct MemoryScheme(Fd);

impl MemoryScheme {
    pub fn open() -> Result<Self, Error> {
        let path = "/scheme/memory/scheme-root";
        Fd::open(path, O_CLOEXEC, 0).map(Self).map_err(Error::system(format!("open {path} (root may)")))
    }

    fn open_at(&self, path: &str, flags: i32) -> io::Result<Fd> {
        Ok(self.0.openat(path, O_CLOEXEC | flags, 0)?)
    }

    /// Maps the device memory at physical address `address`, which must begin a page.
    fn map_physical(&self, address: u64, size: usize) -> io::Result<Mapping> {
        let memory = self.open_at("physical@uc", O_RDWR)?;
        Mapping::new(memory.raw(), MAP_SHARED, address, size)
    }

    /// Zeroed memory, contiguous on the bus.
    fn map_contiguous(&self, size: usize) -> io::Result<Mapping> {
        let memory = self.open_at(CONTIGUOUS, 0)?;
        Mapping::new(memory.raw(), MAP_PRIVATE, 0, size)
    }

    /// The physical address of the page that is mapped at `address`.
    fn translate(&self, address: NonNull<u8>) -> io::Result<u64> {
        let translation = self.open_at("translation", 0)?;
        let mut word = address.as_ptr().expose_provenance().to_ne_bytes();
        translation.call_rw(&mut word, CallFlags::empty(), &[])?;
        Ok(usize::from_ne_bytes(word) as u64)
    }
}

/// Memory that is mapped until this is dropped.
pub struct Mapping {
    base: NonNull<u8>,
    /// In whole pages.
    size: usize,
}

impl Mapping {
    fn new(fd: usize, flags: u32, offset: u64, size: usize) -> io::Result<Self> {
        let length = size.checked_next_multiple_of(PAGE_SIZE).ok_or(io::ErrorKind::InvalidInput)?;
        let arguments =
            MmapArgs { addr: ptr::null_mut(), length, prot: PROT_READ | PROT_WRITE, flags, fd, offset };
        // SAFETY: the kernel chooses an address that is free.
        let base = unsafe { mmap(arguments) }?;
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { base, size: length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours (`new`), and whoever used it has let it go.
        if let Err(error) = unsafe { munmap(self.base.as_ptr().cast(), self.size) } {
            log::error!("cannot unmap {} bytes: {}", self.size, io::Error::from(error));
        }
    }
}

/// Maps BAR `bar`: through the channel, or where pcid cannot do that yet (before May 2026), by its physical
/// address.
pub fn registers(
    device: &Rc<Device>,
    memory: &MemoryScheme,
    found: &message::Function,
    bar: usize,
) -> Result<Registers, Error> {
    let location = device.location;
    let Some(Bar::Memory { address, size }) = found.bars.get(bar).copied() else {
        return Err(Error::NoBar { location, bar });
    };
    let failed = || Error::system(format!("map BAR {bar} of PCI function {location}"));
    let size = usize::try_from(size).map_err(|error| failed()(io::Error::other(error)))?;
    let offset = (bar as u64) << 61 | UNCACHEABLE << 59;
    let channel = device.channel.borrow().transport().as_raw_fd() as usize;
    let mapping = Mapping::new(channel, MAP_SHARED, offset, size)
        .or_else(|error| {
            log::debug!("{location}: pcid does not map BAR {bar} ({error}); mapping {address:#x}");
            memory.map_physical(address, size)
        })
        .map_err(failed())?;
    let base = mapping.base;
    let window = Window { _mapping: mapping, device: device.clone() };
    // SAFETY: the mapping is at least of this size, begins at a page, and is reached through the window only.
    Ok(unsafe { Mmio::new(base, size, window) })
}

/// Memory that the device reaches.
struct DmaMemory {
    device: Rc<Device>,
    _mapping: Mapping,
}

impl dma::Backing for DmaMemory {
    /// No IOMMU stands between the device and memory that somebody else gets next.
    fn quiet(&self) {
        self.device.quiet();
    }
}

/// Contiguous memory for the device, at a bus address below 2^`address_bits`: `size` bytes or more, since the
/// kernel gives powers of two of pages (`src/context/memory.rs`), and warns if it has to round.
pub fn dma_arena(
    device: &Rc<Device>,
    memory: &MemoryScheme,
    size: usize,
    address_bits: u32,
) -> Result<dma::Arena, Error> {
    let failed = || Error::system(format!("get {size} contiguous bytes for DMA"));
    let given = size.checked_next_power_of_two().ok_or(io::ErrorKind::InvalidInput.into());
    let mapping = given.and_then(|given| memory.map_contiguous(given)).map_err(failed())?;
    let (base, size) = (mapping.base, mapping.size);
    let first = memory.translate(base).map_err(failed())?;
    // SAFETY: the last page is inside the mapping, which is of whole pages and not empty.
    let last_page = memory.translate(unsafe { base.add(size - PAGE_SIZE) }).map_err(failed())?;
    check_reach(first, last_page.saturating_add(PAGE_SIZE as u64), size, address_bits)?;
    let backing = DmaMemory { device: device.clone(), _mapping: mapping };
    // SAFETY: the mapping lives as long as `backing`, begins at a page as its physical address does, and is
    // reached through the arena only; `check_reach` found that the addresses do not overflow.
    Ok(unsafe { dma::Arena::new(base, size, first, Box::new(backing)) })
}
