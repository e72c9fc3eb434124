//! VFIO's requests, typed (Linux, `include/uapi/linux/vfio.h`).

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use bitflags::bitflags;

/// `VFIO_API_VERSION`.
pub const API_VERSION: c_int = 0;
/// `VFIO_TYPE1v2_IOMMU`.
pub const TYPE1V2_IOMMU: c_int = 3;
/// `VFIO_PCI_CONFIG_REGION_INDEX`.
pub const CONFIG_REGION: u32 = 7;

/// Interrupt indices (`VFIO_PCI_INTX_IRQ_INDEX` and so on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum IrqIndex {
    Intx = 0,
    Msi = 1,
    MsiX = 2,
}

bitflags! {
    /// `VFIO_GROUP_FLAGS_*`.
    #[derive(Clone, Copy, Debug)]
    pub struct GroupFlags: u32 {
        const VIABLE = 1 << 0;
    }

    /// `VFIO_DEVICE_FLAGS_*`.
    #[derive(Clone, Copy, Debug)]
    pub struct DeviceFlags: u32 {
        const RESET = 1 << 0;
        const PCI = 1 << 1;
    }

    /// `VFIO_REGION_INFO_FLAG_*`.
    #[derive(Clone, Copy, Debug)]
    pub struct RegionFlags: u32 {
        const MMAP = 1 << 2;
    }

    /// `VFIO_IRQ_SET_*`.
    #[derive(Clone, Copy, Debug)]
    struct IrqSetFlags: u32 {
        const DATA_NONE = 1 << 0;
        const DATA_EVENTFD = 1 << 2;
        const ACTION_UNMASK = 1 << 4;
        const ACTION_TRIGGER = 1 << 5;
    }

    /// `VFIO_DMA_MAP_FLAG_*`.
    #[derive(Clone, Copy, Debug)]
    struct DmaMapFlags: u32 {
        const READ = 1 << 0;
        const WRITE = 1 << 1;
    }
}

/// Request numbers: `_IO(';', 100 + n)`.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Request {
    GetApiVersion = 0,
    CheckExtension = 1,
    SetIommu = 2,
    GroupGetStatus = 3,
    GroupSetContainer = 4,
    GroupGetDeviceFd = 6,
    DeviceGetInfo = 7,
    DeviceGetRegionInfo = 8,
    DeviceGetIrqInfo = 9,
    DeviceSetIrqs = 10,
    DeviceReset = 11,
    IommuGetInfo = 12,
    IommuMapDma = 13,
    IommuUnmapDma = 14,
}

/// `struct vfio_group_status`.
#[repr(C)]
struct GroupStatus {
    argsz: u32,
    flags: u32,
}

/// `struct vfio_device_info`.
#[repr(C)]
struct DeviceInfo {
    argsz: u32,
    flags: u32,
    num_regions: u32,
    num_irqs: u32,
}

/// `struct vfio_region_info`.
#[repr(C)]
struct RegionInfo {
    argsz: u32,
    flags: u32,
    index: u32,
    cap_offset: u32,
    size: u64,
    offset: u64,
}

/// `struct vfio_irq_info`.
#[repr(C)]
struct IrqInfo {
    argsz: u32,
    flags: u32,
    index: u32,
    count: u32,
}

/// `struct vfio_iommu_type1_dma_map`.
#[repr(C)]
struct DmaMap {
    argsz: u32,
    flags: u32,
    vaddr: u64,
    iova: u64,
    size: u64,
}

/// `struct vfio_iommu_type1_dma_unmap`.
#[repr(C)]
struct DmaUnmap {
    argsz: u32,
    flags: u32,
    iova: u64,
    size: u64,
}

/// Where a region of the device is found behind its descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// What can be done with it.
    pub flags: RegionFlags,
    /// Size in bytes, 0 if there is none.
    pub size: u64,
    /// Offset for `pread`, `pwrite` and `mmap`.
    pub offset: u64,
}

/// Does `request` on `fd`.
///
/// # Safety
/// `argument` must be what the request takes: an integer, or a pointer that is valid for what it reads and
/// writes.
unsafe fn call(fd: BorrowedFd, request: Request, argument: *mut c_void) -> io::Result<c_int> {
    const TYPE: u32 = b';' as u32;
    const BASE: u32 = 100;
    let number = (TYPE << 8) | (BASE + request as u32);
    // SAFETY: the descriptor is open, and the argument is the caller's duty.
    match unsafe { libc::ioctl(fd.as_raw_fd(), number.into(), argument) } {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}

/// Does `request` with the structure that it takes.
///
/// # Safety
/// `T` must be the structure of the request, with its first field (`argsz`) its size, and what it points to
/// valid for the request.
unsafe fn call_with<T>(fd: BorrowedFd, request: Request, argument: &mut T) -> io::Result<c_int> {
    // SAFETY: the reference is valid for reads and writes of a whole `T`; the rest is the caller's duty.
    unsafe { call(fd, request, std::ptr::from_mut(argument).cast()) }
}

fn integer(value: c_int) -> *mut c_void {
    std::ptr::without_provenance_mut(value as usize)
}

const fn argsz<T>() -> u32 {
    size_of::<T>() as u32
}

/// `VFIO_GET_API_VERSION`.
pub fn api_version(container: BorrowedFd) -> io::Result<c_int> {
    // SAFETY: the request takes no argument.
    unsafe { call(container, Request::GetApiVersion, integer(0)) }
}

/// `VFIO_CHECK_EXTENSION`.
pub fn has_extension(container: BorrowedFd, extension: c_int) -> io::Result<bool> {
    // SAFETY: the request takes an integer.
    unsafe { call(container, Request::CheckExtension, integer(extension)) }.map(|value| value > 0)
}

/// `VFIO_SET_IOMMU`.
pub fn set_iommu(container: BorrowedFd, kind: c_int) -> io::Result<()> {
    // SAFETY: the request takes an integer.
    unsafe { call(container, Request::SetIommu, integer(kind)) }.map(drop)
}

/// `VFIO_GROUP_GET_STATUS`.
pub fn group_status(group: BorrowedFd) -> io::Result<GroupFlags> {
    let mut status = GroupStatus { argsz: argsz::<GroupStatus>(), flags: 0 };
    // SAFETY: this is the request's structure.
    unsafe { call_with(group, Request::GroupGetStatus, &mut status) }?;
    Ok(GroupFlags::from_bits_retain(status.flags))
}

/// `VFIO_GROUP_SET_CONTAINER`.
pub fn set_container(group: BorrowedFd, container: BorrowedFd) -> io::Result<()> {
    let mut fd: RawFd = container.as_raw_fd();
    // SAFETY: the request reads one descriptor number.
    unsafe { call_with(group, Request::GroupSetContainer, &mut fd) }.map(drop)
}

/// `VFIO_GROUP_GET_DEVICE_FD`.
pub fn device_fd(group: BorrowedFd, name: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: the request reads a string that ends in zero.
    let fd = unsafe { call(group, Request::GroupGetDeviceFd, name.as_ptr().cast_mut().cast()) }?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `VFIO_DEVICE_GET_INFO`.
pub fn device_info(device: BorrowedFd) -> io::Result<DeviceFlags> {
    let mut info = DeviceInfo { argsz: argsz::<DeviceInfo>(), flags: 0, num_regions: 0, num_irqs: 0 };
    // SAFETY: this is the request's structure.
    unsafe { call_with(device, Request::DeviceGetInfo, &mut info) }?;
    Ok(DeviceFlags::from_bits_retain(info.flags))
}

/// `VFIO_DEVICE_GET_REGION_INFO`; indices 0 to 5 are the BARs.
pub fn region(device: BorrowedFd, index: u32) -> io::Result<Region> {
    let argsz = argsz::<RegionInfo>();
    let mut info = RegionInfo { argsz, flags: 0, index, cap_offset: 0, size: 0, offset: 0 };
    // SAFETY: this is the request's structure.
    unsafe { call_with(device, Request::DeviceGetRegionInfo, &mut info) }?;
    Ok(Region { flags: RegionFlags::from_bits_retain(info.flags), size: info.size, offset: info.offset })
}

/// `VFIO_DEVICE_GET_IRQ_INFO`: how many interrupts of this kind there are.
pub fn irq_count(device: BorrowedFd, index: IrqIndex) -> io::Result<u32> {
    let mut info = IrqInfo { argsz: argsz::<IrqInfo>(), flags: 0, index: index as u32, count: 0 };
    // SAFETY: this is the request's structure.
    unsafe { call_with(device, Request::DeviceGetIrqInfo, &mut info) }?;
    Ok(info.count)
}

/// `VFIO_DEVICE_SET_IRQS`: each of the first interrupts of this kind signals its eventfd from now on.
pub fn set_triggers(device: BorrowedFd, index: IrqIndex, eventfds: &[OwnedFd]) -> io::Result<()> {
    let descriptors: Vec<u32> = eventfds.iter().map(|fd| fd.as_raw_fd() as u32).collect();
    set_irqs(
        device,
        index,
        IrqSetFlags::DATA_EVENTFD | IrqSetFlags::ACTION_TRIGGER,
        eventfds.len(),
        &descriptors,
    )
}

/// `VFIO_DEVICE_SET_IRQS`: no interrupt of this kind any more.
pub fn disable_irqs(device: BorrowedFd, index: IrqIndex) -> io::Result<()> {
    set_irqs(device, index, IrqSetFlags::DATA_NONE | IrqSetFlags::ACTION_TRIGGER, 0, &[])
}

/// `VFIO_DEVICE_SET_IRQS`: the first interrupt of this kind, which VFIO masked when it fired, may fire again.
pub fn unmask(device: BorrowedFd, index: IrqIndex) -> io::Result<()> {
    set_irqs(device, index, IrqSetFlags::DATA_NONE | IrqSetFlags::ACTION_UNMASK, 1, &[])
}

/// `struct vfio_irq_set` is five words (argsz, flags, index, start, count) and the data.
fn set_irqs(
    device: BorrowedFd,
    index: IrqIndex,
    flags: IrqSetFlags,
    count: usize,
    data: &[u32],
) -> io::Result<()> {
    let argsz = (5 + data.len()) * size_of::<u32>();
    let mut set = vec![argsz as u32, flags.bits(), index as u32, 0, count as u32];
    set.extend_from_slice(data);
    // SAFETY: the words are the request's structure, of the size that the first of them says.
    unsafe { call(device, Request::DeviceSetIrqs, set.as_mut_ptr().cast()) }.map(drop)
}

/// `VFIO_DEVICE_RESET`.
pub fn reset(device: BorrowedFd) -> io::Result<()> {
    // SAFETY: the request takes no argument.
    unsafe { call(device, Request::DeviceReset, integer(0)) }.map(drop)
}

/// `VFIO_IOMMU_GET_INFO`: `struct vfio_iommu_type1_info` and the capabilities behind it, as bytes.
pub fn iommu_info(container: BorrowedFd) -> io::Result<Vec<u8>> {
    /// The structure without capabilities (argsz, flags, iova_pgsizes, cap_offset), in words.
    const SHORTEST: usize = 6;
    /// Far more than a kernel has to tell.
    const LONGEST: usize = 0x1000;
    let mut words = vec![0u32; SHORTEST];
    // The first answer tells how much room a whole one needs.
    for _ in 0..2 {
        let room = words.len().max(words[0] as usize / size_of::<u32>()).min(LONGEST);
        words.clear();
        words.resize(room, 0);
        words[0] = (room * size_of::<u32>()) as u32;
        // SAFETY: the words are the request's structure, of the size that the first of them says.
        unsafe { call(container, Request::IommuGetInfo, words.as_mut_ptr().cast()) }?;
    }
    Ok(words.iter().flat_map(|word| word.to_ne_bytes()).collect())
}

/// `VFIO_IOMMU_MAP_DMA`: the container's devices may read and write the `size` bytes at `vaddr`, which they
/// see at `iova`.
///
/// # Safety
/// The memory must be the caller's, stay mapped until [`unmap_dma`], and have no reference into it.
pub unsafe fn map_dma(container: BorrowedFd, vaddr: *mut c_void, iova: u64, size: usize) -> io::Result<()> {
    let flags = (DmaMapFlags::READ | DmaMapFlags::WRITE).bits();
    let vaddr = vaddr.expose_provenance() as u64;
    let mut map = DmaMap { argsz: argsz::<DmaMap>(), flags, vaddr, iova, size: size as u64 };
    // SAFETY: this is the request's structure; the memory is the caller's duty.
    unsafe { call_with(container, Request::IommuMapDma, &mut map) }.map(drop)
}

/// `VFIO_IOMMU_UNMAP_DMA`.
pub fn unmap_dma(container: BorrowedFd, iova: u64, size: usize) -> io::Result<()> {
    let mut unmap = DmaUnmap { argsz: argsz::<DmaUnmap>(), flags: 0, iova, size: size as u64 };
    // SAFETY: this is the request's structure; taking memory away from devices endangers nobody.
    unsafe { call_with(container, Request::IommuUnmapDma, &mut unmap) }.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_have_the_kernels_sizes() {
        assert_eq!(argsz::<GroupStatus>(), 8);
        assert_eq!(argsz::<DeviceInfo>(), 16);
        assert_eq!(argsz::<RegionInfo>(), 32);
        assert_eq!(argsz::<IrqInfo>(), 16);
        assert_eq!(argsz::<DmaMap>(), 32);
        assert_eq!(argsz::<DmaUnmap>(), 24);
    }
}
