//! Interrupts as files of the irq scheme.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::rc::Rc;

use libredox::flag::{O_CLOEXEC, O_CREAT, O_RDWR};
use pci_types::ConfigRegionAccess;
use syscall::flag::O_STAT;

use super::{Config, Device, Registers};
use crate::interrupt::{first_granted, no_vector};
use crate::pcid::irq::IrqFile;
use crate::pcid::message::{Feature, FeatureInfo, InterruptLine};
use crate::pcid::msix::MsixTable;
use crate::{Error, InterruptKind, capabilities};

/// Where a message interrupts the CPU whose local APIC id is 0; the id goes into bits 19:12 (Intel SDM,
/// volume 3, section 11.11.1).
const MESSAGE_ADDRESS: u64 = 0xfee0_0000;

/// Interrupt 0 of the irq scheme is this vector of the CPU; a message's data is the vector.
const FIRST_VECTOR: u32 = 32;

/// Capability ids, and the enable bits of their Message Control, which is the upper half of the first word.
const MSI: (u8, u32) = (0x05, 1 << 16);
const MSI_X: (u8, u32) = (0x11, 1 << 31);

/// A claimed interrupt.
pub struct Interrupt {
    device: Rc<Device>,
    kind: InterruptKind,
    /// One a vector.
    files: Vec<IrqFile<File>>,
    table: Option<MsixTable<Registers>>,
}

/// A reserved vector: its file, and the message that reaches it.
struct Vector {
    file: IrqFile<File>,
    address: u64,
    data: u32,
}

impl Interrupt {
    /// Claims the first of the `wanted` kinds that the function and the system have.
    pub(super) fn claim(
        device: &Rc<Device>,
        line: Option<&InterruptLine>,
        map_bar: impl Fn(usize) -> Result<Registers, Error>,
        wanted: &[InterruptKind],
    ) -> Result<Self, Error> {
        let location = device.location;
        if device.interrupt_held.get() {
            return Err(Error::interrupt_held(location));
        }
        let interrupt = first_granted(location, wanted, |kind| {
            let claimed = match kind {
                InterruptKind::Intx => claim_line(device, line),
                InterruptKind::Msi => claim_msi(device),
                InterruptKind::MsiX { vectors } => claim_msix(device, &map_bar, vectors),
            };
            Ok(claimed?.map(|(files, table)| Self { device: device.clone(), kind, files, table }))
        })?;
        device.interrupt_held.set(true);
        Ok(interrupt)
    }

    fn file(&mut self, vector: u16) -> io::Result<&mut IrqFile<File>> {
        self.files.get_mut(usize::from(vector)).ok_or_else(|| no_vector(vector))
    }
}

/// The files of the vectors, and for MSI-X the table that sends to them; `None` where the function has no
/// such interrupt.
type Claimed = Option<(Vec<IrqFile<File>>, Option<MsixTable<Registers>>)>;

fn claim_line(device: &Device, line: Option<&InterruptLine>) -> Result<Claimed, Error> {
    let Some(InterruptLine(name)) = line else { return Ok(None) };
    let path = format!("/scheme/irq/{name}");
    let open = || {
        let mut file = IrqFile::new(OpenOptions::new().read(true).write(true).open(&path)?)?;
        // The line stays masked if nobody has acknowledged what fired before.
        file.acknowledge()?;
        Ok(file)
    };
    let action = format!("open {path}, the interrupt line of PCI function {} (root may)", device.location);
    let file = open().map_err(Error::system::<io::Error>(action))?;
    Ok(Some((vec![file], None)))
}

fn claim_msi(device: &Rc<Device>) -> Result<Claimed, Error> {
    if !has_messages() {
        return Ok(None);
    }
    let enable = || {
        if device.channel.borrow_mut().feature_info(Feature::Msi)?.is_none() {
            return Ok(None);
        }
        let Vector { file, address, data } = vector(msi_message(device))?;
        let mut channel = device.channel.borrow_mut();
        channel.set_msi(address, data)?;
        channel.enable(Feature::Msi)?;
        Ok(Some((vec![file], None)))
    };
    enable().map_err(Error::system::<io::Error>(format!("enable MSI of PCI function {}", device.location)))
}

fn claim_msix(
    device: &Device,
    map_bar: impl Fn(usize) -> Result<Registers, Error>,
    vectors: u16,
) -> Result<Claimed, Error> {
    let location = device.location;
    let failed = || Error::system::<io::Error>(format!("enable MSI-X of PCI function {location}"));
    if !has_messages() {
        return Ok(None);
    }
    let info = device.channel.borrow_mut().feature_info(Feature::MsiX).map_err(failed())?;
    let info = match info {
        Some(FeatureInfo::MsiX(info)) if (1..=info.table_size).contains(&vectors) => info,
        _ => return Ok(None),
    };
    let outside = || failed()(io::Error::new(io::ErrorKind::InvalidData, "its table is outside its BAR"));
    let table = MsixTable::new(map_bar(info.table_bar.into())?, info).ok_or_else(outside)?;
    let mut files = Vec::new();
    for entry in 0..vectors {
        let Vector { file, address, data } = vector(table.message(entry)).map_err(failed())?;
        table.set(entry, address, data);
        files.push(file);
    }
    device.channel.borrow_mut().enable(Feature::MsiX).map_err(failed())?;
    Ok(Some((files, Some(table))))
}

/// Messages are addressed to a local APIC, which only PCs have.
fn has_messages() -> bool {
    cfg!(target_arch = "x86_64")
}

/// A vector of the boot CPU: the one by which `former`, the message that the device sent last, interrupted it, or a new
/// one. The kernel takes no vector back, and has some 200; so a driver that was started again, and one whose device is
/// used again, take the vector that is theirs already.
fn vector(former: Option<(u64, u32)>) -> io::Result<Vector> {
    let cpu = boot_cpu()?;
    let own = MESSAGE_ADDRESS | u64::from(cpu) << 12;
    let free = free_vectors(cpu)?;
    let former = former.filter(|(address, _)| *address == own).and_then(|(_, data)| number(data));
    if let Some(number) = former.filter(|number| !free.contains(number)) {
        // An open for the status alone reserves nothing, which would be refused, and is good for all else.
        return Vector::open(cpu, number, O_STAT as i32);
    }
    for number in free {
        match Vector::open(cpu, number, O_CREAT) {
            // Another driver was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result,
        }
    }
    Err(io::Error::other(format!("no interrupt vector of CPU {cpu} is left")))
}

/// The number, in the irq scheme, of the vector that a message's data names, if a driver can have had it: not one of
/// the lines', nor one by which CPUs call each other (kernel, `src/arch/x86_shared/ipi.rs`).
fn number(data: u32) -> Option<u8> {
    const LINES: RangeInclusive<u32> = 0x20..=0x2f;
    const CALLS: RangeInclusive<u32> = 0x40..=0x44;
    const SYSTEM_CALL: u32 = 0x80;
    let is_drivers = !LINES.contains(&data) && !CALLS.contains(&data) && data != SYSTEM_CALL && data < 0xff;
    data.checked_sub(FIRST_VECTOR).filter(|_| is_drivers).and_then(|number| number.try_into().ok())
}

/// The numbers of the vectors that nobody has reserved.
fn free_vectors(cpu: u8) -> io::Result<Vec<u8>> {
    let entries = fs::read_dir(format!("/scheme/irq/cpu-{cpu:02x}"))?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

impl Vector {
    fn open(cpu: u8, number: u8, flags: i32) -> io::Result<Self> {
        let file = libredox::call::open(
            format!("/scheme/irq/cpu-{cpu:02x}/{number}"),
            flags | O_RDWR | O_CLOEXEC,
            0,
        )?;
        // SAFETY: the kernel has just made this descriptor for us.
        let file = unsafe { File::from_raw_fd(file as RawFd) };
        let address = MESSAGE_ADDRESS | u64::from(cpu) << 12;
        Ok(Self { file: IrqFile::new(file)?, address, data: FIRST_VECTOR + u32::from(number) })
    }
}

/// The message that MSI was set to send last: its address and data (PCI Local Bus Specification 3.0, section 6.8.1).
fn msi_message(device: &Rc<Device>) -> Option<(u64, u32)> {
    const ADDRESS_64: u32 = 1 << 23;
    let config = Config(device.clone());
    let capability = capabilities::walk(&config, device.location).find(|found| found.id == MSI.0)?;
    // SAFETY: the offsets are those of a capability of this function, and reading it has no side effect.
    let read = |offset: u16| unsafe { config.read(device.location, capability.offset + offset) };
    let wide = read(0) & ADDRESS_64 != 0;
    let upper = if wide { read(8) } else { 0 };
    let data = read(if wide { 12 } else { 8 }) & 0xffff;
    Some((u64::from(upper) << 32 | u64::from(read(4)), data))
}

/// The local APIC id of the boot CPU. Without interrupt remapping a message reaches ids below 256 only.
fn boot_cpu() -> io::Result<u8> {
    let mut word = [0; 8];
    let read = File::open("/scheme/irq/bsp")?.read(&mut word)?;
    let cpu = u64::from_le_bytes(word);
    u8::try_from(cpu)
        .ok()
        .filter(|_| read >= 4)
        .ok_or_else(|| io::Error::other(format!("/scheme/irq/bsp gives {read} bytes and CPU {cpu}")))
}

/// Clears the enable bit of a capability: pcid has no message for it.
fn disable(device: &Rc<Device>, (id, enable): (u8, u32)) {
    let config = Config(device.clone());
    let found = capabilities::walk(&config, device.location).find(|capability| capability.id == id);
    let Some(capability) = found else { return };
    // SAFETY: the offset is that of a capability of this function, whose first word only switches it.
    unsafe {
        let word = config.read(device.location, capability.offset);
        config.write(device.location, capability.offset, word & !enable);
    }
}

impl crate::Interrupt for Interrupt {
    fn kind(&self) -> InterruptKind {
        self.kind
    }

    fn event_fd(&self, vector: u16) -> Option<RawFd> {
        self.files.get(usize::from(vector)).map(|file| file.file().as_raw_fd())
    }

    fn take(&mut self, vector: u16) -> io::Result<u64> {
        self.file(vector)?.take()
    }

    fn acknowledge(&mut self, vector: u16) -> io::Result<()> {
        let kind = self.kind;
        let file = self.file(vector)?;
        match kind {
            InterruptKind::Intx => file.acknowledge(),
            // The kernel masks no message, and would unmask some other interrupt's line instead.
            InterruptKind::Msi | InterruptKind::MsiX { .. } => Ok(()),
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if let Some(table) = &self.table {
            table.mask_all();
        }
        match self.kind {
            InterruptKind::Intx => {}
            InterruptKind::Msi => disable(&self.device, MSI),
            InterruptKind::MsiX { .. } => disable(&self.device, MSI_X),
        }
        self.device.interrupt_held.set(false);
    }
}
